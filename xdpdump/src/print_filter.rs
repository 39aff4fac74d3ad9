//! Prints a compiled filter for `-d` and `-dd`.

use std::fmt::Write as _;

use crate::{
    config::{Frames, PrintFilter},
    filter::{Filter, ebpf::Refusal},
    input::{self, CaptureFile},
    interface::{self, Link, namespace},
    packet::LinkType,
    probe,
    selection::{self, Request},
};

/// Why a filter cannot be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter has an error, or cannot be read.
    #[error(transparent)]
    Selection(#[from] selection::Error),
    /// The interface that names the link type cannot be used.
    #[error(transparent)]
    Interface(#[from] interface::Error),
    /// The capture file that names the link type cannot be read.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// The filter cannot run in the kernel.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The filter's intermediate form, or the eBPF instructions of the function that the kernel program calls, one per
/// line.
///
/// # Errors
/// When the filter has an error, its link type cannot be found out, or it cannot run in the kernel.
pub fn text(config: &PrintFilter) -> Result<String, Error> {
    let request = Request::read(&config.selection)?;
    let link_type = link_type(&config.frames)?;
    let filter = match request.compile(link_type)?.filter {
        Some(filter) => filter,
        None => Filter::compile("", link_type).map_err(selection::Error::from)?,
    };
    if !config.instructions {
        return Ok(filter.intermediate().to_string());
    }
    let instructions = filter.instructions(probe::target())?;
    let mut text = String::new();
    for instruction in instructions {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{instruction}");
    }
    Ok(text)
}

fn link_type(frames: &Frames) -> Result<LinkType, Error> {
    Ok(match frames {
        Frames::Of(link_type) => *link_type,
        Frames::OnInterface { namespace, interface } => {
            if let Some(namespace) = namespace {
                namespace::enter(namespace).map_err(interface::Error::from)?;
            }
            Link::find(interface)?.link_type()?
        }
        Frames::InFile(path) => {
            let file = CaptureFile::open(path)?;
            file.interface().map_or(LinkType::ETHERNET, |interface| interface.link_type)
        }
    })
}

//! What a filter is compiled to, as `-d` and `-dd` print it.

use std::fmt::Write as _;

use crate::{
    config::{Frames, PrintFilter},
    filter::{Filter, ebpf::Refusal},
    input::{self, CaptureFile},
    interface::{self, Link},
    packet::LinkType,
    probe,
    selection::{self, Request},
};

/// Why a filter cannot be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter.
    #[error(transparent)]
    Selection(#[from] selection::Error),
    /// The interface whose frames it is for.
    #[error(transparent)]
    Interface(#[from] interface::Error),
    /// The file with the packets it is for.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// The kernel does not run it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The filter's intermediate form, or the instructions of the function that a kernel program calls, a line each.
///
/// # Errors
/// When the filter is wrong, or cannot be in a kernel program.
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
        // Writing into a string does not fail.
        let _ = writeln!(text, "{instruction}");
    }
    Ok(text)
}

fn link_type(frames: &Frames) -> Result<LinkType, Error> {
    Ok(match frames {
        Frames::Of(link_type) => *link_type,
        Frames::OnInterface(name) => Link::find(name)?.link_type()?,
        Frames::InFile(path) => {
            let file = CaptureFile::open(path)?;
            file.interface().map_or(LinkType::ETHERNET, |interface| interface.link_type)
        }
    })
}

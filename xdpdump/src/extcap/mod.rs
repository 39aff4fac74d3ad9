//! xdpdump as a capture source in Wireshark's own list: answers the calls that Wireshark makes to an extcap program.
//!
//! The protocol is lines of text and, for the toolbar, a few bytes; a crate for it (r-extcap) has its own command line, which
//! the options of a capture would have to be written a second time for.

mod control;
mod install;
mod interfaces;
mod message;
mod sentence;
mod settings;

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use control::{Log, Toolbar};
pub use install::{Listing, listing};

use crate::{
    capture,
    config::{Capture, ControlPipes, Extcap, Filter, Interfaces, Selection},
    interface::{self, Link},
    packet::LinkType,
    printable::printable,
    selection::{self, Request},
};

/// How long dumpcap may take to begin.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why a call was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The interface cannot be used.
    #[error(transparent)]
    Interface(#[from] interface::Error),
    /// The capture failed.
    #[error(transparent)]
    Capture(#[from] capture::Error),
    /// The link in Wireshark's folder cannot be made or removed.
    #[error(transparent)]
    Install(#[from] install::Error),
    /// A control pipe cannot be opened.
    #[error("cannot open the control pipe {}", printable(.0))]
    Pipe(PathBuf, #[source] io::Error),
    /// A control pipe is something else.
    #[error("{} is no named pipe, which a control pipe has to be", printable(.0))]
    NoPipe(PathBuf),
}

/// What to print.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// False if the question was whether Wireshark can use the tool, and it cannot.
    pub is_yes: bool,
}

impl Answer {
    fn yes(text: String) -> Self {
        Self { text, is_yes: true }
    }
}

/// Answers a call.
///
/// # Errors
/// When the call cannot be answered, or the capture fails.
pub fn run(call: &Extcap) -> Result<Answer, Error> {
    let sentences = match call {
        Extcap::Interfaces => interfaces::list(&Link::all()?),
        Extcap::LinkTypes { interface } => {
            let link = interfaces::find(interface)?;
            interfaces::link_types(link_type(link.as_ref())?)
        }
        Extcap::Settings { interface, only } => {
            let link = interfaces::find(interface)?;
            settings::sentences(link.as_ref(), only.as_deref())
        }
        Extcap::CheckFilter { interface, filter } => {
            let link = interfaces::find(interface)?;
            return Ok(Answer::yes(complaint(filter, link_type(link.as_ref())?)));
        }
        Extcap::Install { system } => return Ok(Answer::yes(install::install(*system)?)),
        Extcap::Uninstall { system } => return Ok(Answer::yes(install::uninstall(*system)?)),
        Extcap::Status => {
            let install::Status { text, is_usable } = install::status()?;
            return Ok(Answer { text, is_yes: is_usable });
        }
        Extcap::Capture { capture, pipes } => {
            run_capture(capture, pipes).inspect_err(|_| {
                // The capture may have failed before it opened the pipe.
                capture.destination.file.iter().for_each(|file| hang_up(&file.path));
            })?;
            Vec::new()
        }
    };
    Ok(Answer::yes(sentence::text(sentences)))
}

fn link_type(link: Option<&Link>) -> Result<LinkType, interface::Error> {
    link.map_or(Ok(LinkType::ETHERNET), Link::link_type)
}

/// What is wrong with a filter; nothing if it is right.
fn complaint(filter: &str, link_type: LinkType) -> String {
    let selection = Selection { filter: Some(Filter::Text(filter.to_owned())), ..Selection::default() };
    match Request::read(&selection).and_then(|request| request.compile(link_type)) {
        Ok(_) => String::new(),
        Err(selection::Error::Filter(error)) => {
            let [line, mark] = error.marked();
            format!("{error}\n{line}\n{mark}\n")
        }
        Err(error) => format!("{error}\n"),
    }
}

fn run_capture(capture: &Capture, pipes: &ControlPipes) -> Result<(), Error> {
    let interfaces = match &capture.interfaces {
        Interfaces::Any => Interfaces::Any,
        Interfaces::Named(values) => {
            Interfaces::Named(values.iter().map(|value| interfaces::name(value)).collect::<Result<_, _>>()?)
        }
    };
    let capture = Capture { interfaces, ..capture.clone() };
    if pipes.to_wireshark.is_none() && pipes.from_wireshark.is_none() {
        return Ok(capture::run(&capture, &mut Log::default()).map(drop)?);
    }
    let mut toolbar = Toolbar::open(pipes, &capture)?;
    let mut log = toolbar.log();
    Ok(capture::run_with(&capture, Some(&mut toolbar), &mut log).map(drop)?)
}

/// Lets whoever waits for packets at a named pipe know that none will come: opens it and closes it. Wireshark's dumpcap, which
/// may still be starting, would wait for ever.
pub fn hang_up(pipe: &Path) {
    let deadline = Instant::now() + PATIENCE;
    let open = || OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(pipe);
    while open().is_err_and(|error| error.raw_os_error() == Some(libc::ENXIO)) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_filter_has_no_answer_and_a_wrong_one_the_parsers() {
        assert_eq!(complaint("tcp port 443", LinkType::ETHERNET), "");
        assert_eq!(complaint("", LinkType::ETHERNET), "");
        let complaint = complaint("tcp prot 443", LinkType::ETHERNET);
        assert!(complaint.starts_with("wrong filter: "), "{complaint}");
        assert!(complaint.contains("\n  tcp prot 443\n      ^^^"), "{complaint}");
    }
}

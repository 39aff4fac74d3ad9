//! Why a command line is not run.

use std::{
    env, fmt,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::tcpdump;
use crate::report::Reporter;

/// What to print instead of running.
#[derive(Debug)]
pub enum Error {
    /// clap's message: about wrong usage, or the text of `--help` or `--version`.
    Clap(clap::Error),
    /// A sentence about something that this tool does not have or allow.
    Usage(String),
    /// An error in a capture for Wireshark, which waits for packets at this named pipe.
    WithPipe(Box<Error>, PathBuf),
}

impl Error {
    /// Converts clap's error; options of tcpdump that this tool does not have get a message of our own.
    pub(super) fn from_clap(error: clap::Error) -> Self {
        let unknown =
            (error.kind() == ErrorKind::UnknownArgument).then(|| error.get(ContextKind::InvalidArg));
        match unknown.flatten() {
            Some(ContextValue::String(option)) => {
                tcpdump::missing(option).map_or(Self::Clap(error), Self::Usage)
            }
            _ => Self::Clap(error),
        }
    }

    /// The text of `--help` or `--version`, for standard output, if that was asked for.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Clap(error) if !error.use_stderr() => {
                let text = error.render();
                Some(if likes_styles() { text.ansi().to_string() } else { text.to_string() })
            }
            _ => None,
        }
    }

    /// The named pipe at which somebody waits for packets that will not come.
    pub fn pipe(&self) -> Option<&Path> {
        match self {
            Self::WithPipe(_, pipe) => Some(pipe),
            _ => None,
        }
    }

    /// Says what is wrong on standard error; the status is that of wrong usage.
    pub fn report(&self, reporter: &mut dyn Reporter) -> ExitCode {
        match self {
            // Nobody is there to be told when that fails.
            Self::Clap(error) => drop(error.print()),
            Self::Usage(sentence) => reporter.say(sentence),
            Self::WithPipe(error, _) => return error.report(reporter),
        }
        ExitCode::from(2)
    }
}

/// Whether standard output shows bold letters, and somebody wants them (no-color.org).
fn likes_styles() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !is_set("NO_COLOR")
        && env::var_os("TERM").is_some_and(|term| term != "dumb")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clap(error) => error.fmt(f),
            Self::Usage(sentence) => f.write_str(sentence),
            Self::WithPipe(error, _) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

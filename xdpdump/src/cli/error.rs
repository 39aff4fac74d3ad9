//! Why a command line is not run.

use std::{fmt, process::ExitCode};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::tcpdump;
use crate::report::{Reporter as _, StandardError};

/// What to print instead of running.
#[derive(Debug)]
pub enum Error {
    /// clap's message: about wrong usage, or the text of `--help` or `--version`.
    Clap(clap::Error),
    /// A sentence about something that this tool does not have or allow.
    Usage(String),
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

    /// Prints the message and returns the exit status: the text of `--help` and `--version` goes to standard output, with
    /// status 0; everything else goes to standard error, with status 2.
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Clap(error) => {
                // If this fails, there is nowhere to report it.
                let _ = error.print();
                u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
            }
            Self::Usage(sentence) => {
                StandardError.say(sentence);
                ExitCode::from(2)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clap(error) => error.fmt(f),
            Self::Usage(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for Error {}

//! Why a command line cannot be carried out.

use std::{fmt, process::ExitCode};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::tcpdump;
use crate::report::{Reporter as _, StandardError};

/// What is to be said instead of running.
#[derive(Debug)]
pub enum Error {
    /// What clap says: of wrong usage, or the text of `--help` and `--version`.
    Clap(clap::Error),
    /// What this tool does not have or allow, a sentence.
    Usage(String),
}

impl Error {
    /// What clap found, in our words where it is about options of tcpdump that are not here.
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

    /// Says it: the text of `--help` and `--version` on standard output, with status 0, everything else on standard error,
    /// with status 2.
    pub fn report(&self) -> ExitCode {
        match self {
            Self::Clap(error) => {
                // Nobody is there to be told when that fails.
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

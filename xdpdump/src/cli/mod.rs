//! The command line: tcpdump's letters, except the three that choose the XDP mode. The only module that knows clap.

mod convert;
mod error;
mod options;
mod tcpdump;

use std::{ffi::OsString, path::PathBuf};

use clap::Parser;
pub use error::Error;
use options::Options;

use crate::{config::Config, printable::printable};

/// What a command line asks for; the first argument is the program's name.
///
/// Nothing but the arguments is looked at: what depends on terminals and files is decided when the run begins.
///
/// # Errors
/// When it is not one, or asks for help or the version: [`Error`] says which.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Config, Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let escaped: Vec<OsString> = arguments.iter().map(|argument| printable(argument).into()).collect();
    match parse_all(&arguments) {
        // clap repeats what was typed as it is: let it complain of something harmless.
        Err(error @ Error::Clap(_)) if escaped != arguments => {
            Err(parse_all(&escaped).err().unwrap_or(error))
        }
        result => result,
    }
}

fn parse_all(arguments: &[OsString]) -> Result<Config, Error> {
    // As the first argument and nowhere else, so that neither a file nor a word of a filter is taken for one.
    if arguments.get(1).is_some_and(|first| first == "repair") {
        let Subcommand::Repair { file } =
            Subcommands::try_parse_from(arguments).map_err(Error::Clap)?.command;
        return Ok(Config::Repair { file });
    }
    Options::try_parse_from(arguments).map_err(Error::from_clap)?.into_config()
}

/// What the tool does besides capturing and reading.
#[derive(Debug, Parser)]
#[command(name = "xdpdump")]
struct Subcommands {
    #[command(subcommand)]
    command: Subcommand,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Cut an unfinished packet off the end of a capture file whose writer was killed
    Repair {
        /// The file
        file: PathBuf,
    },
}

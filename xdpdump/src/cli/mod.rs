//! The command line: tcpdump's letters, except the three that choose the XDP mode. The only module that knows clap.

mod error;
mod options;
mod tcpdump;

use std::ffi::OsString;

use clap::Parser;
pub use error::Error;
use options::Options;

use crate::config::Config;

/// What a command line asks for; the first argument is the program's name.
///
/// Nothing but the arguments is looked at: what depends on terminals and files is decided when the run begins.
///
/// # Errors
/// When it is not one, or asks for help or the version: [`Error`] says which.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Config, Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    Options::try_parse_from(&arguments).map_err(Error::from_clap)?.into_config()
}

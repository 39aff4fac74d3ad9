//! The command line: tcpdump's options, except the three letters that choose the XDP mode. This is the only module that
//! uses clap.

mod convert;
mod course;
mod doctor;
mod error;
mod extcap;
mod options;
mod recorder;
mod rotation;
mod tcpdump;
mod units;

use std::{ffi::OsString, path::PathBuf};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, error::ErrorKind};
pub use error::Error;
use options::Options;

use crate::{config::Config, printable::printable};

/// Parses a command line; the first argument is the program's name.
///
/// This looks at the arguments only: everything that depends on terminals or files is decided when the run begins.
///
/// # Errors
/// [`Error`] when the command line is wrong, or asks for help or the version.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Config, Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let escaped: Vec<OsString> = arguments.iter().map(|argument| printable(argument).into()).collect();
    match parse_all(&arguments) {
        // clap's messages repeat the arguments unescaped, so parse escaped arguments to get a harmless message.
        Err(error @ Error::Clap(_)) if escaped != arguments => {
            Err(parse_all(&escaped).err().unwrap_or(error))
        }
        result => result,
    }
}

fn parse_all(arguments: &[OsString]) -> Result<Config, Error> {
    // A subcommand is recognised only as the first argument, so that the name of a file or a word of a filter is not
    // mistaken for one.
    let names = ["repair", "doctor", "extcap", "dump"];
    if arguments.get(1).is_some_and(|first| names.iter().any(|name| first == name)) {
        return Ok(match Subcommands::try_parse_from(arguments).map_err(Error::Clap)?.command {
            Subcommand::Repair { file } => Config::Repair { file },
            Subcommand::Dump { process } => Config::Dump { process },
            Subcommand::Doctor(options) => Config::Doctor(options.into()),
            Subcommand::Extcap { what } => Config::Extcap(what.into()),
        });
    }
    if extcap::is_call(arguments) {
        return extcap::parse(arguments);
    }
    let matches = with_list_of_subcommands().try_get_matches_from(arguments).map_err(|error| {
        // Nothing says where frames come from, and the first word is no option: a command was meant.
        match arguments.get(1).and_then(|first| first.to_str()) {
            Some(first) if error.kind() == ErrorKind::MissingRequiredArgument && !first.starts_with('-') => {
                Error::Usage(format!(
                    "{first} is no command: there are {}; a capture takes an interface, as in xdpdump -i eth0 {first}",
                    names.join(", ")
                ))
            }
            _ => Error::from_clap(error),
        }
    })?;
    Options::from_arg_matches(&matches).map_err(Error::from_clap)?.into_config()
}

/// The options, with a list of the subcommands in their help.
fn with_list_of_subcommands() -> clap::Command {
    let subcommands = Subcommands::command();
    let list = subcommands
        .get_subcommands()
        .filter(|subcommand| !subcommand.is_hide_set())
        .map(|subcommand| {
            let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
            format!("  {:<8}{about}", subcommand.get_name())
        })
        .collect::<Vec<_>>()
        .join("\n");
    let list = format!("Commands, each as the first word:\n{list}\n\n");
    Options::command().after_help(format!("{list}{}", options::HINT)).after_long_help(format!(
        "{list}{}{}",
        options::EXAMPLES,
        options::DIFFERENCES
    ))
}

/// The options, with the subcommands as clap knows them: what the manual pages and the shell completions are made of. It is
/// not what [`parse`] parses with, because to clap a subcommand may also stand behind options.
pub fn command() -> clap::Command {
    let subcommands = Subcommands::command();
    let subcommands =
        subcommands.get_subcommands().map(|subcommand| subcommand.clone().disable_help_subcommand(true));
    Options::command()
        .subcommands(subcommands)
        .disable_help_subcommand(true)
        .after_long_help(options::DIFFERENCES)
}

/// The number of a process.
fn process_id(text: &str) -> Result<i32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "a process is named by its number: `pgrep -a xdpdump` lists captures".to_owned())
}

/// What the tool can do besides capturing and reading.
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
    /// Say what is wrong with this machine for captures, and the command that mends it
    Doctor(doctor::Options),
    /// Make a capture with --keep write the packets that it keeps
    Dump {
        /// Its process
        #[arg(value_name = "PID", value_parser = process_id)]
        process: i32,
    },
    /// Put xdpdump into Wireshark's own list of interfaces
    Extcap {
        #[command(subcommand)]
        what: extcap::Installation,
    },
}

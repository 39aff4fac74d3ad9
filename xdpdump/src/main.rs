//! The `xdpdump` command.

use std::{
    env,
    ffi::OsStr,
    os::unix::process::ExitStatusExt as _,
    process::{ExitCode, ExitStatus},
};

use xdpdump::{
    capture, cli,
    config::Config,
    doctor, dump, extcap, filter,
    interface::{self, Link, list, namespace},
    output::{self, guardian},
    print_filter,
    printable::printable,
    privilege, probe, repair, replay,
    report::{Reporter, StandardError, sentence},
    selection,
};

fn main() -> ExitCode {
    let mut reporter = StandardError::default();
    let code = command(&mut reporter);
    reporter.finish();
    code
}

fn command(reporter: &mut StandardError) -> ExitCode {
    if let Err(error) = privilege::check() {
        reporter.say(&error.to_string());
        return ExitCode::FAILURE;
    }
    if let Some(end) = guardian::run_if_called().or_else(capture::command::run_if_called) {
        return end;
    }
    let config = match cli::parse(env::args_os()) {
        Ok(config) => config,
        Err(error) => {
            error.pipe().into_iter().for_each(extcap::hang_up);
            return match error.text() {
                Some(text) => end(print(&text), reporter),
                None => error.report(reporter),
            };
        }
    };
    end(run(config, reporter), reporter)
}

/// Says what went wrong, if anything did.
fn end(result: Result<(), Failure>, reporter: &mut StandardError) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(reporter),
    }
}

fn run(config: Config, reporter: &mut StandardError) -> Result<(), Failure> {
    match config {
        Config::ListInterfaces { namespace } => {
            enter(namespace.as_deref())?;
            let programs_in = |id| {
                let programs = probe::programs_in(id).into_iter();
                programs.map(|program| (program.id, program.name)).collect()
            };
            print(&list::interfaces(&Link::all()?, probe::program_name, programs_in))
        }
        Config::ListLinkTypes { namespace, interface } => {
            enter(namespace.as_deref())?;
            let link = Link::find(&interface)?;
            print(&list::link_types(&link.display_name(), link.link_type()?))
        }
        Config::ListTimeStampTypes { namespace, interface } => {
            enter(namespace.as_deref())?;
            print(&list::time_stamp_types(&Link::find(&interface)?))
        }
        Config::Capture(config) => match capture::run(&config, reporter)? {
            Some(command) => Err(Failure::Said(shell_status(command))),
            None => Ok(()),
        },
        Config::PrintFilter(config) => print(&print_filter::text(&config)?),
        Config::Repair { file } => {
            let repaired = repair::repair(&file)?.to_string();
            print(&format!("{}\n", printable(repaired)))
        }
        Config::Dump { process } => Ok(dump::ask(process)?),
        Config::Replay(config) => Ok(replay::run(&config, reporter)?),
        Config::Extcap(call) => {
            let answer = extcap::run(&call)?;
            print(&answer.text)?;
            if answer.is_yes { Ok(()) } else { Err(Failure::Said(1)) }
        }
        Config::Doctor(config) => {
            enter(config.namespace.as_deref())?;
            let report = doctor::examine(&config);
            print(&if config.json { report.json() } else { report.text() })?;
            match report.status() {
                0 => Ok(()),
                status => Err(Failure::Said(status)),
            }
        }
    }
}

/// The status that a shell has for a command that ended so.
fn shell_status(command: ExitStatus) -> u8 {
    let signal = command.signal().map(|signal| 128 + signal);
    command.code().or(signal).and_then(|status| status.try_into().ok()).unwrap_or(u8::MAX)
}

/// Enters a network namespace, if one is named.
fn enter(namespace: Option<&OsStr>) -> Result<(), interface::Error> {
    namespace
        .map_or(Ok(()), |namespace| namespace::enter(namespace).map(drop).map_err(interface::Error::from))
}

/// Why the command did not do what it was told.
enum Failure {
    /// The filter is wrong: as the command line's fault, with the place marked in lines of its own.
    Filter(filter::Error),
    /// What the command line asks for is right in itself, and cannot be used there.
    Unusable(String),
    /// It was said on standard output; the exit status is left.
    Said(u8),
    /// Anything else.
    Other(anyhow::Error),
}

impl Failure {
    fn report(self, reporter: &mut StandardError) -> ExitCode {
        match self {
            Self::Filter(error) => {
                reporter.say(&error.to_string());
                for line in error.marked() {
                    reporter.say_plainly(&line);
                }
                ExitCode::from(2)
            }
            Self::Unusable(sentence) => {
                reporter.say(&sentence);
                ExitCode::from(2)
            }
            Self::Said(status) => ExitCode::from(status),
            Self::Other(error) => {
                reporter.say(&sentence(error.as_ref()));
                ExitCode::FAILURE
            }
        }
    }
}

impl From<selection::Error> for Failure {
    fn from(error: selection::Error) -> Self {
        match error {
            selection::Error::Filter(error) => Self::Filter(error),
            error @ selection::Error::NotInFile { .. } => Self::Unusable(error.to_string()),
            error => Self::Other(error.into()),
        }
    }
}

impl From<capture::Error> for Failure {
    fn from(error: capture::Error) -> Self {
        match error {
            capture::Error::Selection(error) => error.into(),
            capture::Error::Output(error) if error.is_wrong_use() => Self::Unusable(error.to_string()),
            error @ capture::Error::MatchesNothing(..) => Self::Unusable(error.to_string()),
            capture::Error::Probe(probe::Error::Filter(refusal)) => Self::Unusable(refusal.to_string()),
            error => Self::Other(error.into()),
        }
    }
}

impl From<extcap::Error> for Failure {
    fn from(error: extcap::Error) -> Self {
        match error {
            extcap::Error::Capture(error) => error.into(),
            error => Self::Other(error.into()),
        }
    }
}

impl From<replay::Error> for Failure {
    fn from(error: replay::Error) -> Self {
        match error {
            replay::Error::Selection(error) => error.into(),
            replay::Error::Output(error) if error.is_wrong_use() => Self::Unusable(error.to_string()),
            error => Self::Other(error.into()),
        }
    }
}

impl From<print_filter::Error> for Failure {
    fn from(error: print_filter::Error) -> Self {
        match error {
            print_filter::Error::Selection(error) => error.into(),
            print_filter::Error::Refused(refusal) => Self::Unusable(refusal.to_string()),
            error => Self::Other(error.into()),
        }
    }
}

impl From<interface::Error> for Failure {
    fn from(error: interface::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<dump::Error> for Failure {
    fn from(error: dump::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<repair::Error> for Failure {
    fn from(error: repair::Error) -> Self {
        Self::Other(error.into())
    }
}

/// A reader that has seen enough is no error.
fn print(text: &str) -> Result<(), Failure> {
    match output::print(text) {
        Ok(()) | Err(output::Error::Closed(_)) => Ok(()),
        Err(error) => Err(Failure::Other(error.into())),
    }
}

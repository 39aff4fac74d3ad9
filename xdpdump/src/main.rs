//! The `xdpdump` command.

use std::{env, process::ExitCode};

use xdpdump::{
    capture, cli,
    config::Config,
    interface::{Link, list},
    output::{self, guardian},
    printable::printable,
    privilege, probe, repair, replay,
    report::{Reporter, StandardError},
};

fn main() -> ExitCode {
    if let Err(error) = privilege::check() {
        StandardError.say(&error.to_string());
        return ExitCode::FAILURE;
    }
    if let Some(end) = guardian::run_if_called() {
        return end;
    }
    let config = match cli::parse(env::args_os()) {
        Ok(config) => config,
        Err(error) => {
            let text = error.text();
            return text.map_or_else(|| error.report(), |text| end(print(&text)));
        }
    };
    end(run(config))
}

/// Says what went wrong, if anything did.
fn end(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            StandardError.say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(config: Config) -> anyhow::Result<()> {
    match config {
        Config::ListInterfaces => print(&list::interfaces(&Link::all()?, probe::program_name)),
        Config::ListLinkTypes { interface } => {
            let link = Link::find(&interface)?;
            print(&list::link_types(&link.display_name(), link.link_type()?))
        }
        Config::Capture(config) => Ok(capture::run(&config, &mut StandardError)?),
        Config::Repair { file } => {
            let repaired = repair::repair(&file)?.to_string();
            print(&format!("{}\n", printable(repaired)))
        }
        Config::Replay(config) => Ok(replay::run(&config, &mut StandardError)?),
    }
}

/// A reader that has seen enough is no error.
fn print(text: &str) -> anyhow::Result<()> {
    match output::print(text) {
        Ok(()) | Err(output::Error::Closed(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

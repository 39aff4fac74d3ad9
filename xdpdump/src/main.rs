//! The `xdpdump` command.

use std::{
    fs::{File, Metadata},
    io::{self, IsTerminal, Write},
    os::fd::{AsFd, BorrowedFd},
    os::unix::fs::MetadataExt,
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use xdpdump::{
    capture::{self, Audience, Limits},
    cli::Cli,
    config::{self, Config, Destination},
    input::CaptureFile,
    interface::{Link, list},
    output::{
        self, Fanout, Sink, Stream,
        guardian::{self, Guardian},
        text::TextSink,
    },
    probe, replay,
};

fn main() -> ExitCode {
    if let Some(end) = guardian::run_if_called() {
        return end;
    }
    // A file that reaches its size limit is an error to report, not a reason to die in the middle of a record.
    ignore_file_size_signal();
    match run(Cli::parse().into_config()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
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
        Config::Capture(capture, destination) => live(&capture, &destination),
        Config::Read { file, destination } => replay(&file, &destination),
    }
}

fn replay(path: &Path, destination: &Destination) -> anyhow::Result<()> {
    let mut file = CaptureFile::open(path)?;
    if let Some(output) = &destination.file {
        anyhow::ensure!(
            !is_same_file(path, &output.path),
            "{} would be overwritten while it is read: write to another file with -w",
            path.display()
        );
    }
    if let Some(interface) = file.interface() {
        let (link_type, snap_len) = (interface.link_type, interface.snap_len);
        say_plainly(&format!(
            "reading from file {}, link-type {link_type}, snapshot length {snap_len}",
            file.name()
        ));
    }
    let mut sinks = open(destination, None)?;
    // What comes through a pipe comes when it happens.
    let shows_at_once =
        destination.packet_buffered || (destination.text.is_some() && io::stdout().is_terminal());
    let count = replay::run(&mut file, destination.limit, shows_at_once, &mut sinks)?;
    if destination.count { print(&counted(count)) } else { Ok(()) }
}

/// Whether what is read and what is to be written are one regular file; `-` is the standard stream.
fn is_same_file(input: &Path, output: &Path) -> bool {
    let of_stream = |stream: BorrowedFd<'_>| stream.try_clone_to_owned().map(File::from)?.metadata();
    let input = if input == Path::new("-") { of_stream(io::stdin().as_fd()) } else { input.metadata() };
    let output = if output == Path::new("-") { of_stream(io::stdout().as_fd()) } else { output.metadata() };
    identity(input).is_some_and(|input| identity(output) == Some(input))
}

/// What is the same for all names of a regular file, and for no other.
fn identity(metadata: io::Result<Metadata>) -> Option<(u64, u64)> {
    let metadata = metadata.ok().filter(Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

fn live(config: &config::Capture, destination: &Destination) -> anyhow::Result<()> {
    let limits = Limits {
        packets: destination.limit,
        packet_buffered: destination.packet_buffered || config.immediate,
        verbose: destination.verbose,
        progress: destination.verbose
            && destination.file.is_some()
            && destination.text.is_none()
            && io::stderr().is_terminal(),
    };
    let (totals, result) =
        capture::run(config, limits, || open(destination, Some(&Guardian::default())), &mut StandardError)?;
    if limits.progress {
        // The totals do not go over the last count.
        say_plainly("");
    }
    say_plainly(&totals.to_string());
    let printed = if destination.count { print(&counted(totals.captured)) } else { Ok(()) };
    // What ended the capture matters more than a standard output that nobody reads.
    result.map_err(Into::into).and(printed)
}

/// Every sink that the command line asks for.
fn open(destination: &Destination, guardian: Option<&Guardian>) -> Result<Fanout, output::Error> {
    let mut sinks = Fanout::default();
    if let Some(file) = &destination.file {
        sinks.push(output::open_with(&file.path, file.format, file.precision, guardian, &mut say)?);
    }
    if let Some(text) = &destination.text {
        let sink: Box<dyn Sink> = if text.to_stderr {
            Box::new(TextSink::new(Stream::standard(2)?, "standard error", text.options))
        } else {
            Box::new(TextSink::new(Stream::standard(1)?, "standard output", text.options))
        };
        sinks.push(sink);
    }
    Ok(sinks)
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(output::print(text)?)
}

fn counted(packets: u64) -> String {
    if packets == 1 { "1 packet\n".to_owned() } else { format!("{packets} packets\n") }
}

/// The user, who reads standard error.
struct StandardError;

impl Audience for StandardError {
    fn say(&mut self, line: &str) {
        say(line);
    }

    /// On one line that is written again and again, as tcpdump does.
    fn progress(&mut self, packets: u64) {
        let _ = write!(io::stderr(), "Got {packets}\r");
    }
}

/// A line on standard error in our name.
fn say(line: &str) {
    say_plainly(&format!("xdpdump: {line}"));
}

/// A line on standard error. Nobody is there to be told when that fails.
fn say_plainly(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(output::Error::Closed(_)))
            || matches!(cause.downcast_ref(), Some(capture::Error::Output(output::Error::Closed(_))))
            || matches!(cause.downcast_ref(), Some(replay::Error::Output(output::Error::Closed(_))))
            || cause
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn ignore_file_size_signal() {
    // SAFETY: nothing runs on a signal that is ignored.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

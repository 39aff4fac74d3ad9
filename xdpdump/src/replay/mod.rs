//! Reads capture files into the sinks. This needs neither the kernel's help nor privileges.

mod copy;
mod merged;

use std::{
    fs::Metadata,
    io::{self, Read},
    os::{fd::AsFd as _, unix::fs::MetadataExt},
    path::Path,
    time::Instant,
};

use self::copy::Copy;
use crate::{
    config::{self, Destination},
    filter::Known,
    input::{
        self, CaptureFile, Source,
        merge::{Inputs, Merger},
    },
    output::{self, Copying, Format, Sink, Target},
    packet::{Interface, LinkType},
    privilege::{self, Capabilities},
    report::Reporter,
    run_as::{self, RunAs},
    selection::{self, Request},
    signals::{END_WITHIN, Signals},
    sinks,
};

/// Why reading a file into the sinks failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// Some of several files, about which sentences were said.
    #[error(
        "{failed} of {all} inputs {was} not read to {its}",
        was = if *failed == 1 { "was" } else { "were" },
        its = if *failed == 1 { "its end" } else { "their ends" }
    )]
    Inputs {
        /// Number of those that were not read to their ends.
        failed: usize,
        /// Number of all.
        all: usize,
    },
    /// The kernel does not wait for streams.
    #[error("cannot wait for the inputs")]
    Wait(#[source] io::Error),
    /// The output.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// The process cannot become the user who is to own the output, or that user cannot open it.
    #[error(transparent)]
    RunAs(run_as::Error),
    /// The filter is wrong, or its file cannot be read.
    #[error(transparent)]
    Selection(#[from] selection::Error),
    /// What is to be done when a signal comes.
    #[error("cannot take note of signals")]
    Signals(#[source] io::Error),
    /// Input and output are the same file.
    #[error("{0} would be overwritten while it is read: write to another file with -w")]
    SameFile(String),
}

impl From<run_as::Error> for Error {
    fn from(error: run_as::Error) -> Self {
        match error {
            run_as::Error::Output(error) => Self::Output(error),
            error => Self::RunAs(error),
        }
    }
}

/// Reads capture files as the configuration says. If the reader of the output closes it, this is a normal end.
///
/// # Errors
/// When a file is damaged or the output cannot be written. All packets before that are in the output.
pub fn run(config: &config::Replay, reporter: &mut dyn Reporter) -> Result<(), Error> {
    match read(config, reporter) {
        Err(Error::Output(output::Error::Closed(_))) => Ok(()),
        result => result,
    }
}

/// What is read.
enum Input {
    File(Box<CaptureFile<Source>>),
    Several(Box<Merger>),
}

fn read(config: &config::Replay, reporter: &mut dyn Reporter) -> Result<(), Error> {
    let config::Replay { inputs, reorder_window, selection, destination, user } = config;
    let user = RunAs::of(user).map_err(run_as::Error::from)?;
    let request = Request::read(selection)?;
    let inputs = Inputs::of(inputs);
    let paths = inputs.paths()?;
    let mut input = match inputs.only() {
        Some(path) => Input::File(Box::new(CaptureFile::open(path)?)),
        None => Input::Several(Box::new(Merger::open(inputs, *reorder_window)?)),
    };
    let overwritten = |output: &config::File| paths.iter().find(|path| is_same_file(path, &output.path));
    if let Some(path) = destination.file.as_ref().and_then(overwritten) {
        return Err(Error::SameFile(Target::of_input(path).name()));
    }
    // A wrong filter is to be known before anything is overwritten.
    match &input {
        Input::File(file) => {
            if let Some(interface) = file.interface() {
                check_filter(&request, file.name(), file.format(), interface)?;
                say_what_is_read(&format!("file {}", file.name()), interface, reporter);
            }
        }
        Input::Several(merger) => {
            for (name, format, interface) in merger.files() {
                check_filter(&request, name, format, interface)?;
            }
            if merger.files().next().is_none() {
                request.compile(LinkType::ETHERNET)?;
            }
            merger.descriptions().for_each(|(what, interface)| say_what_is_read(&what, interface, reporter));
        }
    }
    user.become_it(Capabilities::NONE).map_err(run_as::Error::from)?;
    let destination = &copying(destination, &input, &request);
    let mut sinks = user.open(|| sinks::open(destination, None, &mut |line| reporter.say(line)))?;
    // Filters for the link types of further interfaces are compiled when these are met. A kernel that refuses is no reason to
    // read nothing.
    let _ = privilege::give_up(Capabilities::NONE, &sinks::folders(destination), selection.filter.is_some());
    // Packets that come through a pipe may be live, so show them at once.
    let shows_at_once = destination.packet_buffered || sinks::is_watched(destination);
    // A file is written to its end when a signal comes, and of streams everything that was read is handed on. Text of files can
    // end anywhere.
    let is_live = matches!(&input, Input::Several(merger) if merger.is_live());
    let ends_well = is_live || destination.file.is_some();
    let signals = ends_well.then(Signals::register_ends).transpose().map_err(Error::Signals)?;
    if let Some(signals) = &signals {
        if let Input::File(file) = &mut input {
            file.interrupted_by(signals.as_fd()).map_err(Error::Signals)?;
        }
        sinks.interrupted_by(signals.as_fd())?;
    }
    let mut copy = Copy::new(&request, destination.limit, shows_at_once, &mut sinks);
    let result = match &mut input {
        Input::File(file) => {
            let stop = || signals.as_ref().is_some_and(Signals::stop);
            replay(file, &mut copy, &stop)
        }
        Input::Several(merger) => merged::replay(merger, &mut copy, signals.as_ref(), reporter),
    };
    let count = copy.count;
    sinks.tell(&mut |line| reporter.say(line));
    if let Some(signals) = signals {
        if signals.stop() {
            reporter.end_by(Instant::now() + END_WITHIN);
        }
        signals.end_at_once();
    }
    // What is wrong with the end of a file takes nothing from the packets before it.
    if destination.count && matches!(result, Ok(()) | Err(Error::Input(_) | Error::Inputs { .. })) {
        output::print_count(count, None)?;
    }
    result
}

/// The destination, of which the file knows how it is copied.
fn copying(destination: &Destination, input: &Input, request: &Request) -> Destination {
    let mut destination = destination.clone();
    let is_part = !request.is_everything()
        || [destination.limit, destination.max_bytes].iter().any(Option::is_some)
        || destination.duration.is_some();
    if let Some(file) = &mut destination.file {
        file.options.copying = Some(match input {
            Input::Several(_) => Copying::Merged,
            Input::File(_) if is_part || file.rotation.is_some() => Copying::Part,
            Input::File(_) => Copying::Whole,
        });
    }
    destination
}

/// Refuses a filter that makes no sense for packets of an interface, or uses what the file does not tell of them.
fn check_filter(request: &Request, name: &str, format: Format, interface: &Interface) -> Result<(), Error> {
    let filter = request.compile_in_file(interface.link_type)?.filter;
    let known = match format {
        // An interface may tell some of it of some packets.
        Format::Pcapng => Known { direction: true, queue: true, verdict: true, cpu: false },
        Format::Pcap => Known::default(),
    };
    match filter.and_then(|filter| filter.unknown_property(known)) {
        Some(what) => Err(selection::Error::NotInFile { file: name.to_owned(), what }.into()),
        None => Ok(()),
    }
}

/// As tcpdump does.
fn say_what_is_read(what: &str, interface: &Interface, reporter: &mut dyn Reporter) {
    let (link_type, snap_len) = (interface.link_type, interface.snap_len);
    reporter.say_plainly(&format!("reading from {what}, link-type {link_type}, snapshot length {snap_len}"));
}

/// Whether input and output are the same regular file; `-` is the standard stream.
fn is_same_file(input: &Path, output: &Path) -> bool {
    let (input, output) = (Target::of_input(input).metadata(), Target::of(output).metadata());
    identity(input).is_some_and(|input| identity(output) == Some(input))
}

/// Device and inode number of a regular file: equal for all names of one file, different for different files.
fn identity(metadata: io::Result<Metadata>) -> Option<(u64, u64)> {
    let metadata = metadata.ok().filter(Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

/// Hands packets of `file` on until it is `interrupted`, and finishes the sink; returns an error when the file is damaged or the
/// output cannot be written. All packets before that are in the output.
fn replay<R: Read>(
    file: &mut CaptureFile<R>,
    copy: &mut Copy<'_>,
    interrupted: &dyn Fn() -> bool,
) -> Result<(), Error> {
    let mut step = || -> Result<bool, Error> {
        match file.next()? {
            Some(item) => Ok(copy.item(&item)? && !interrupted()),
            None => Ok(false),
        }
    };
    let mut copied = loop {
        match step() {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    if interrupted() {
        copy.sink.end_by(Instant::now() + END_WITHIN);
        // Reading fails when a signal comes.
        if matches!(copied, Err(Error::Input(_))) {
            copied = Ok(());
        }
    }
    copied.and(finish(copy))
}

/// Writes the end of the output.
fn finish(copy: &mut Copy<'_>) -> Result<(), Error> {
    let statistics: Vec<_> = copy.totals.values().copied().collect();
    Ok(copy.sink.finish(&statistics)?)
}

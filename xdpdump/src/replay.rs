//! Reads a capture file into the sinks. This needs neither the kernel's help nor privileges.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::Metadata,
    io::{self, Read},
    os::{fd::AsFd as _, unix::fs::MetadataExt},
    path::Path,
    time::Instant,
};

use crate::{
    config,
    filter::Known,
    input::{self, CaptureFile, Item},
    output::{self, Format, Sink, Target},
    packet::{Interface, InterfaceStatistics, LinkType, Packet},
    privilege::{self, Capabilities},
    report::Reporter,
    run_as::{self, RunAs},
    selection::{self, Choice, Request, Selector},
    signals::{END_WITHIN, Signals},
    sinks,
};

/// Why reading a file into the sinks failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error(transparent)]
    Input(#[from] input::Error),
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

/// Reads a capture file as the configuration says. If the reader of the output closes it, this is a normal end.
///
/// # Errors
/// When the file is damaged or the output cannot be written. All packets before that are in the output.
pub fn run(config: &config::Replay, reporter: &mut dyn Reporter) -> Result<(), Error> {
    match read(config, reporter) {
        Err(Error::Output(output::Error::Closed(_))) => Ok(()),
        result => result,
    }
}

fn read(config: &config::Replay, reporter: &mut dyn Reporter) -> Result<(), Error> {
    let config::Replay { file: path, selection, destination, user } = config;
    let user = RunAs::of(user).map_err(run_as::Error::from)?;
    let request = Request::read(selection)?;
    let mut file = CaptureFile::open(path)?;
    if destination.file.as_ref().is_some_and(|output| is_same_file(path, &output.path)) {
        return Err(Error::SameFile(file.name().to_owned()));
    }
    if let Some(interface) = file.interface() {
        // A wrong filter is to be known before anything is overwritten.
        let filter = request.compile(interface.link_type)?.filter;
        let known = match file.format() {
            // An interface may tell some of it of some packets.
            Format::Pcapng => Known { direction: true, queue: true, verdict: true, cpu: false },
            Format::Pcap => Known::default(),
        };
        if let Some(what) = filter.and_then(|filter| filter.unknown_property(known)) {
            return Err(selection::Error::NotInFile { file: file.name().to_owned(), what }.into());
        }
        let (link_type, snap_len) = (interface.link_type, interface.snap_len);
        reporter.say_plainly(&format!(
            "reading from file {}, link-type {link_type}, snapshot length {snap_len}",
            file.name()
        ));
    }
    user.become_it(Capabilities::NONE).map_err(run_as::Error::from)?;
    let mut sinks = user.open(|| sinks::open(destination, None, &mut |line| reporter.say(line)))?;
    // Filters for the link types of further interfaces are compiled when these are met. A kernel that refuses is no reason to
    // read nothing.
    let _ = privilege::give_up(Capabilities::NONE, &sinks::folders(destination), selection.filter.is_some());
    // Packets that come through a pipe may be live, so show them at once.
    let shows_at_once = destination.packet_buffered || sinks::is_watched(destination);
    // A file is written to its end when a signal comes. Text alone can end anywhere.
    let signals =
        destination.file.as_ref().map(|_| Signals::register_ends()).transpose().map_err(Error::Signals)?;
    if let Some(signals) = &signals {
        file.interrupted_by(signals.as_fd()).map_err(Error::Signals)?;
        sinks.interrupted_by(signals.as_fd())?;
    }
    let stop = || signals.as_ref().is_some_and(Signals::stop);
    let (count, result) = replay(&mut file, &request, destination.limit, shows_at_once, &stop, &mut sinks);
    sinks.tell(&mut |line| reporter.say(line));
    if let Some(signals) = signals {
        if signals.stop() {
            reporter.end_by(Instant::now() + END_WITHIN);
        }
        signals.end_at_once();
    }
    // What is wrong with the end of a file takes nothing from the packets before it.
    if destination.count && matches!(result, Ok(()) | Err(Error::Input(_))) {
        output::print_count(count, None)?;
    }
    result
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

/// Hands those packets of `file` that are requested to `sink`, at most `limit` and until it is `interrupted`, and finishes the
/// sink; returns the number of packets, and an error when the file is damaged or the output cannot be written. All packets before
/// that are in the output.
fn replay<R: Read>(
    file: &mut CaptureFile<R>,
    request: &Request,
    limit: Option<u64>,
    packet_buffered: bool,
    interrupted: &dyn Fn() -> bool,
    sink: &mut dyn Sink,
) -> (u64, Result<(), Error>) {
    let mut totals = Totals::new();
    let (count, mut copied) = copy(file, request, limit, packet_buffered, interrupted, sink, &mut totals);
    if interrupted() {
        sink.end_by(Instant::now() + END_WITHIN);
        // Reading fails when a signal comes.
        if matches!(copied, Err(Error::Input(_))) {
            copied = Ok(());
        }
    }
    let statistics: Vec<_> = totals.into_values().collect();
    let finished = sink.finish(&statistics).map_err(Error::from);
    (count, copied.and(finished))
}

/// Chooses packets of interfaces with different link types.
struct Chooser<'a> {
    request: &'a Request,
    /// Of each interface.
    link_types: Vec<LinkType>,
    /// Made for the first packet of each link type: a filter may make sense for one and not for another.
    selectors: BTreeMap<LinkType, Selector>,
}

impl<'a> Chooser<'a> {
    fn new(request: &'a Request) -> Self {
        Self { request, link_types: Vec::new(), selectors: BTreeMap::new() }
    }

    fn interface(&mut self, interface: &Interface) {
        self.link_types.push(interface.link_type);
    }

    /// Whether the packet is wanted; as much of it as is wanted is left.
    fn takes(&mut self, packet: &mut Packet<'_>) -> Result<bool, selection::Error> {
        if self.request.is_everything() {
            return Ok(true);
        }
        let link_type = self.link_types.get(packet.interface as usize).copied().unwrap_or_default();
        let selector = match self.selectors.entry(link_type) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Selector::new(self.request.compile(link_type)?)),
        };
        Ok(selector.choose(packet, None) == Choice::Taken)
    }
}

/// The newest totals of each interface: a file may contain several, each newer than the one before.
type Totals = BTreeMap<u32, InterfaceStatistics>;

fn copy<R: Read>(
    file: &mut CaptureFile<R>,
    request: &Request,
    limit: Option<u64>,
    packet_buffered: bool,
    interrupted: &dyn Fn() -> bool,
    sink: &mut dyn Sink,
    totals: &mut Totals,
) -> (u64, Result<(), Error>) {
    let mut count = 0;
    let mut chooser = Chooser::new(request);
    let mut step = || -> Result<bool, Error> {
        match file.next()? {
            Some(Item::Interface(interface)) => {
                chooser.interface(interface);
                match request.filter_behind(interface) {
                    Some(filter) => {
                        sink.interface(&Interface { filter: Some(filter), ..interface.clone() })?;
                    }
                    None => sink.interface(interface)?,
                }
            }
            Some(Item::Packet(mut packet)) => {
                if !chooser.takes(&mut packet)? {
                    return Ok(!interrupted());
                }
                if sink.clock(packet.timestamp)?.is_break() {
                    return Ok(false);
                }
                sink.packet(&packet)?;
                count += 1;
                if sink.wants_totals() {
                    sink.totals(&[])?;
                }
                if packet_buffered {
                    sink.flush()?;
                }
            }
            Some(Item::Statistics(newer)) => drop(totals.insert(newer.interface, newer)),
            None => return Ok(false),
        }
        Ok(limit != Some(count) && !interrupted())
    };
    let result = loop {
        match step() {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    (count, result)
}

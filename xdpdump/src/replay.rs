//! From a capture file to the sinks: no kernel, no privileges.

use std::{
    collections::BTreeMap,
    fs::Metadata,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

use crate::{
    config,
    input::{self, CaptureFile, Item},
    output::{self, Sink, Target},
    packet::InterfaceStatistics,
    report::Reporter,
    sinks,
};

/// Why reading a file into the sinks ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error(transparent)]
    Input(#[from] input::Error),
    /// The output.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// The file is to be read and written at once.
    #[error("{0} would be overwritten while it is read: write to another file with -w")]
    SameFile(String),
}

/// Reads a capture file as the configuration says. An output whose reader has left is a normal end.
///
/// # Errors
/// When the file is damaged or the output cannot be written. The packets before that are in the output.
pub fn run(config: &config::Replay, reporter: &mut dyn Reporter) -> Result<(), Error> {
    match read(config, reporter) {
        Err(Error::Output(output::Error::Closed(_))) => Ok(()),
        result => result,
    }
}

fn read(config: &config::Replay, reporter: &mut dyn Reporter) -> Result<(), Error> {
    let config::Replay { file: path, destination } = config;
    let mut file = CaptureFile::open(path)?;
    if destination.file.as_ref().is_some_and(|output| is_same_file(path, &output.path)) {
        return Err(Error::SameFile(file.name().to_owned()));
    }
    if let Some(interface) = file.interface() {
        let (link_type, snap_len) = (interface.link_type, interface.snap_len);
        reporter.say_plainly(&format!(
            "reading from file {}, link-type {link_type}, snapshot length {snap_len}",
            file.name()
        ));
    }
    let mut sinks = sinks::open(destination, None, &mut |line| reporter.say(line))?;
    // What comes through a pipe comes when it happens.
    let shows_at_once = destination.packet_buffered || sinks::is_watched(destination);
    let count = replay(&mut file, destination.limit, shows_at_once, &mut sinks)?;
    if destination.count {
        output::print_count(count)?;
    }
    Ok(())
}

/// Whether what is read and what is to be written are one regular file.
fn is_same_file(input: &Path, output: &Path) -> bool {
    let (input, output) = (Target::of_input(input).metadata(), Target::of(output).metadata());
    identity(input).is_some_and(|input| identity(output) == Some(input))
}

/// What is the same for all names of a regular file, and for no other.
fn identity(metadata: io::Result<Metadata>) -> Option<(u64, u64)> {
    let metadata = metadata.ok().filter(Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

/// Hands the packets of `file` to `sink`, `limit` of them at most, and finishes it; returns how many there were.
///
/// # Errors
/// When the file is damaged or the output cannot be written. The packets before that are in the output.
pub fn replay<R: Read>(
    file: &mut CaptureFile<R>,
    limit: Option<u64>,
    packet_buffered: bool,
    sink: &mut dyn Sink,
) -> Result<u64, Error> {
    let mut totals = Totals::new();
    let (count, copied) = copy(file, limit, packet_buffered, sink, &mut totals);
    let statistics: Vec<_> = totals.into_values().collect();
    let finished = sink.finish(&statistics).map_err(Error::from);
    copied.and(finished).map(|()| count)
}

/// The newest totals of each interface: a file may hold some more than once, each newer than the one before.
type Totals = BTreeMap<u32, InterfaceStatistics>;

fn copy<R: Read>(
    file: &mut CaptureFile<R>,
    limit: Option<u64>,
    packet_buffered: bool,
    sink: &mut dyn Sink,
    totals: &mut Totals,
) -> (u64, Result<(), Error>) {
    let mut count = 0;
    let mut step = || -> Result<bool, Error> {
        match file.next()? {
            Some(Item::Interface(interface)) => sink.interface(interface)?,
            Some(Item::Packet(packet)) => {
                sink.packet(&packet)?;
                count += 1;
                if packet_buffered {
                    sink.flush()?;
                }
            }
            Some(Item::Statistics(newer)) => drop(totals.insert(newer.interface, newer)),
            None => return Ok(false),
        }
        Ok(limit != Some(count))
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

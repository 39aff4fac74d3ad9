//! From a capture file to the sinks: no kernel, no privileges.

use std::{collections::BTreeMap, io::Read};

use crate::{
    input::{self, CaptureFile, Item},
    output::{self, Sink},
    packet::InterfaceStatistics,
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
}

/// Hands the packets of `file` to `sink`, `limit` of them at most, and finishes it; returns how many there were.
///
/// # Errors
/// When the file is damaged or the output cannot be written. The packets before that are in the output.
pub fn run<R: Read>(
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

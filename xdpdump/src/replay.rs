//! From a capture file to the sinks: no kernel, no privileges.

use std::io::Read;

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
    let mut statistics = Vec::new();
    let (count, copied) = copy(file, limit, packet_buffered, sink, &mut statistics);
    let finished = sink.finish(&statistics).map_err(Error::from);
    copied.and(finished).map(|()| count)
}

fn copy<R: Read>(
    file: &mut CaptureFile<R>,
    limit: Option<u64>,
    packet_buffered: bool,
    sink: &mut dyn Sink,
    statistics: &mut Vec<InterfaceStatistics>,
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
            Some(Item::Statistics(of_interface)) => keep_last(statistics, of_interface),
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

/// A file may hold totals of an interface more than once, each newer than the one before.
fn keep_last(statistics: &mut Vec<InterfaceStatistics>, newer: InterfaceStatistics) {
    match statistics.iter_mut().find(|known| known.interface == newer.interface) {
        Some(known) => *known = newer,
        None => statistics.push(newer),
    }
}

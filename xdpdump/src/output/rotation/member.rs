//! One of the files, and its share of a capture's totals.

use std::path::PathBuf;

use crate::{
    output::FileSink,
    packet::{InterfaceStatistics, Timestamp},
};

/// A file.
pub struct Member {
    pub sink: Box<dyn FileSink>,
    pub path: PathBuf,
    /// When the file's period began.
    pub begin: Timestamp,
    /// Number of packets in it, by interface.
    pub packets: Vec<u64>,
}

impl Member {
    pub fn new(sink: Box<dyn FileSink>, path: PathBuf, begin: Timestamp) -> Self {
        Self { sink, path, begin, packets: Vec::new() }
    }

    /// Counts a packet.
    pub fn count(&mut self, interface: u32) {
        let interface = interface as usize;
        if let Some(count) = self.packets.get_mut(interface) {
            *count += 1;
        } else {
            self.packets.resize(interface, 0);
            self.packets.push(1);
        }
    }

    /// Whether it has no packet.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
}

/// The totals that were written to files so far, by interface. Those of all files make up the totals of the capture.
#[derive(Debug, Default)]
pub struct Totals(Vec<Written>);

#[derive(Clone, Copy, Debug, Default)]
struct Written {
    accepted: u64,
    filtered: u64,
    dropped: u64,
}

impl Totals {
    /// The share of a file with so many interfaces that ended at `end`, of whose packets only the number is known.
    pub fn of_packets(
        &mut self,
        interfaces: usize,
        member: &Member,
        end: Timestamp,
    ) -> Vec<InterfaceStatistics> {
        let share = |interface| {
            let accepted = of_interface(&member.packets, interface);
            self.take(interface, member, end, Written { accepted, ..Written::default() })
        };
        (0..interfaces as u32).map(share).collect()
    }

    /// The share of a file that ended at `end`: its packets, and what was lost or rejected by the filter since the share before.
    /// Frames that are on their way are for a later file.
    pub fn so_far(
        &mut self,
        totals: &[InterfaceStatistics],
        member: &Member,
        end: Timestamp,
    ) -> Vec<InterfaceStatistics> {
        let share = |total: &InterfaceStatistics| {
            let Written { dropped, filtered, .. } = self.rest(total);
            let accepted = of_interface(&member.packets, total.interface) + dropped;
            self.take(total.interface, member, end, Written { accepted, filtered, dropped })
        };
        totals.iter().map(share).collect()
    }

    /// The share of the last file: all that no file before it had.
    pub fn until_the_end(
        &mut self,
        totals: &[InterfaceStatistics],
        member: &Member,
    ) -> Vec<InterfaceStatistics> {
        let share = |total: &InterfaceStatistics| {
            let rest = self.rest(total);
            self.take(total.interface, member, total.end, rest)
        };
        totals.iter().map(share).collect()
    }

    fn of(&mut self, interface: u32) -> &mut Written {
        let index = interface as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, Written::default());
        }
        &mut self.0[index]
    }

    fn rest(&mut self, total: &InterfaceStatistics) -> Written {
        let written = *self.of(total.interface);
        Written {
            accepted: total.accepted.saturating_sub(written.accepted),
            filtered: total.received.saturating_sub(total.accepted).saturating_sub(written.filtered),
            dropped: total.dropped.saturating_sub(written.dropped),
        }
    }

    fn take(
        &mut self,
        interface: u32,
        member: &Member,
        end: Timestamp,
        share: Written,
    ) -> InterfaceStatistics {
        let written = self.of(interface);
        written.accepted += share.accepted;
        written.filtered += share.filtered;
        written.dropped += share.dropped;
        InterfaceStatistics {
            interface,
            start: member.begin,
            end,
            received: share.accepted + share.filtered,
            accepted: share.accepted,
            dropped: share.dropped,
            delivered: of_interface(&member.packets, interface),
        }
    }
}

fn of_interface(packets: &[u64], interface: u32) -> u64 {
    packets.get(interface as usize).copied().unwrap_or(0)
}

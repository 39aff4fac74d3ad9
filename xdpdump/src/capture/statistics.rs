//! What became of the frames.

use std::{fmt, iter::Sum};

use xdpdump_ebpf::Counters;

use crate::transport::Counts;

/// Totals of a capture, or of one of its sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets handed to the output.
    pub captured: u64,
    /// Frames the kernel program saw.
    pub received: u64,
    /// Frames lost between the two.
    pub dropped: u64,
    /// Frames that were still in the rings when the capture had enough.
    pub unread: u64,
    /// Packets that a failed write kept out of the output.
    pub unwritten: u64,
    /// Packets that came too late to be written in the order of time.
    pub late: u64,
}

impl Totals {
    /// Totals from what the program counted, or, for a program on a NIC, from what came out of the rings.
    ///
    /// With `drained` rings an event that the program emitted and that was not captured is lost as well.
    pub fn new(captured: u64, program: Option<Counters>, rings: Counts, drained: bool) -> Self {
        let (received, dropped) = match program {
            Some(counters) if drained => {
                (counters.seen, counters.failed + counters.emitted.saturating_sub(captured))
            }
            Some(counters) => (counters.seen, counters.failed),
            None => (captured + rings.lost, rings.lost),
        };
        Self { captured, received, dropped, unread: 0, unwritten: 0, late: 0 }
    }

    /// The totals at the end of a capture: what was received and is neither captured nor dropped was left in the rings.
    #[must_use]
    pub fn at_the_end(self, late: u64) -> Self {
        let unread = self.received.saturating_sub(self.captured + self.dropped);
        Self { unread, late, ..self }
    }

    /// The totals when so many packets did not get into the output after all.
    #[must_use]
    pub fn without(self, unwritten: u64) -> Self {
        Self { captured: self.captured.saturating_sub(unwritten), unwritten, ..self }
    }

    /// On one line, for SIGUSR1.
    pub fn one_line(self) -> String {
        self.to_string().replace('\n', ", ")
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), |sum, one| Self {
            captured: sum.captured + one.captured,
            received: sum.received + one.received,
            dropped: sum.dropped + one.dropped,
            unread: sum.unread + one.unread,
            unwritten: sum.unwritten + one.unwritten,
            late: sum.late + one.late,
        })
    }
}

/// tcpdump's words, a line each.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64| if count == 1 { "packet" } else { "packets" };
        writeln!(f, "{} {} captured", self.captured, plural(self.captured))?;
        writeln!(f, "{} {} received by filter", self.received, plural(self.received))?;
        write!(f, "{} {} dropped by kernel", self.dropped, plural(self.dropped))?;
        if self.unread != 0 {
            write!(f, "\n{} {} left unread", self.unread, plural(self.unread))?;
        }
        if self.unwritten != 0 {
            write!(f, "\n{} {} lost by the output", self.unwritten, plural(self.unwritten))?;
        }
        if self.late != 0 {
            write!(f, "\n{} {} out of the order of time", self.late, plural(self.late))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RINGS: Counts = Counts { lost: 4, damaged: 0 };

    #[test]
    fn every_frame_seen_is_captured_or_dropped_once_the_rings_are_empty() {
        let program = Counters { seen: 100, emitted: 91, failed: 9 };
        let totals = Totals::new(90, Some(program), RINGS, true);
        assert_eq!(
            totals,
            Totals { captured: 90, received: 100, dropped: 10, unread: 0, unwritten: 0, late: 0 }
        );
    }

    #[test]
    fn what_still_waits_in_a_ring_is_not_dropped() {
        let program = Counters { seen: 100, emitted: 95, failed: 5 };
        assert_eq!(Totals::new(90, Some(program), RINGS, false).dropped, 5);
    }

    #[test]
    fn a_program_on_a_nic_is_counted_by_its_rings() {
        let totals = Totals::new(90, None, RINGS, true);
        assert_eq!(
            totals,
            Totals { captured: 90, received: 94, dropped: 4, unread: 0, unwritten: 0, late: 0 }
        );
    }

    #[test]
    fn the_words_are_tcpdumps() {
        let totals = Totals { captured: 1, received: 2, dropped: 0, unread: 0, unwritten: 0, late: 0 };
        assert_eq!(
            totals.to_string(),
            "1 packet captured\n2 packets received by filter\n0 packets dropped by kernel"
        );
        assert_eq!(
            totals.one_line(),
            "1 packet captured, 2 packets received by filter, 0 packets dropped by kernel"
        );
    }
}

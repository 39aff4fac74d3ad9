//! Counts what happened to the frames.

use std::{fmt, iter::Sum};

use xdpdump_ebpf::Counters;

use crate::{packet::VERDICTS, transport::Counts};

/// What was done with the frames that came through the rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Frames handed to the output.
    pub captured: u64,
    /// Frames that a filter in user space rejected.
    pub filtered: u64,
    /// Frames that it accepted, but that sampling left out.
    pub thinned: u64,
    /// Of those captured, frames whose time the adapter was to know and did not.
    pub unstamped: u64,
}

impl Read {
    /// The number of all these frames.
    pub fn all(self) -> u64 {
        self.captured + self.filtered + self.thinned
    }
}

/// Number of packets for each verdict of a program; the last one is for numbers that are no verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts([u64; VERDICTS.len() + 1]);

impl Verdicts {
    /// Counts a packet with this verdict.
    pub fn count(&mut self, verdict: u64) {
        let last = VERDICTS.len();
        let index = usize::try_from(verdict).unwrap_or(last).min(last);
        if let Some(count) = self.0.get_mut(index) {
            *count += 1;
        }
    }
}

/// `30 pass, 12 drop`: those that there are, most frequent first.
impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: Vec<_> = self
            .0
            .iter()
            .zip(VERDICTS.into_iter().chain(["unknown"]))
            .filter(|(count, _)| **count != 0)
            .collect();
        counts.sort_by_key(|(count, _)| std::cmp::Reverse(**count));
        let counts: Vec<_> = counts.into_iter().map(|(count, name)| format!("{count} {name}")).collect();
        f.write_str(if counts.is_empty() { "none" } else { "" })?;
        f.write_str(&counts.join(", "))
    }
}

/// Totals of a capture, or of one of its sources.
///
/// `received` is `captured + dropped + thinned + unread + unwritten`; `seen` is that plus the frames that the filter
/// rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets handed to the output.
    pub captured: u64,
    /// Frames that the kernel program saw. (A program on a NIC does not count those that its filter rejects.)
    pub seen: u64,
    /// Frames that the filter accepted. Frames that were lost before a filter in user space saw them are included.
    pub received: u64,
    /// Frames lost on the way to user space.
    pub dropped: u64,
    /// Frames that the filter accepted, but that sampling left out.
    pub thinned: u64,
    /// Frames that were still in the rings when the packet limit was reached.
    pub unread: u64,
    /// Packets lost because writing them failed.
    pub unwritten: u64,
    /// Of those captured, packets with the host's time because the adapter did not know it.
    pub unstamped: u64,
    /// Packets that came too late to be written in the order of time.
    pub late: u64,
}

impl Totals {
    /// Computes totals from the counters of the program or, for a program on a NIC, from what came out of the rings.
    ///
    /// If the rings are `drained`, events that the program emitted and that were not read are counted as lost.
    pub fn new(read: Read, program: Option<Counters>, rings: Counts, drained: bool) -> Self {
        let counters = program.unwrap_or_else(|| Counters {
            seen: read.all() + rings.lost,
            emitted: read.all(),
            failed: rings.lost,
            ..Counters::default()
        });
        let vanished = if drained { counters.emitted.saturating_sub(read.all()) } else { 0 };
        Self {
            captured: read.captured,
            seen: counters.seen,
            received: counters.seen.saturating_sub(counters.filtered + read.filtered),
            dropped: counters.failed + vanished,
            thinned: counters.thinned + read.thinned,
            unstamped: read.unstamped,
            ..Self::default()
        }
    }

    /// The totals at the end of a capture: received frames that are not counted elsewhere were left in the rings.
    #[must_use]
    pub fn at_the_end(self, late: u64) -> Self {
        let unread = self.received.saturating_sub(self.captured + self.dropped + self.thinned);
        Self { unread, late, ..self }
    }

    /// The totals if so many of the captured packets were lost by the output.
    #[must_use]
    pub fn without(self, unwritten: u64) -> Self {
        Self { captured: self.captured.saturating_sub(unwritten), unwritten, ..self }
    }

    /// The totals on one line, for SIGUSR1.
    pub fn one_line(self) -> String {
        self.to_string().replace('\n', ", ")
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), |sum, one| Self {
            captured: sum.captured + one.captured,
            seen: sum.seen + one.seen,
            received: sum.received + one.received,
            dropped: sum.dropped + one.dropped,
            thinned: sum.thinned + one.thinned,
            unread: sum.unread + one.unread,
            unwritten: sum.unwritten + one.unwritten,
            unstamped: sum.unstamped + one.unstamped,
            late: sum.late + one.late,
        })
    }
}

/// One total per line, in the words of tcpdump.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64| if count == 1 { "packet" } else { "packets" };
        writeln!(f, "{} {} captured", self.captured, plural(self.captured))?;
        writeln!(f, "{} {} received by filter", self.received, plural(self.received))?;
        write!(f, "{} {} dropped by kernel", self.dropped, plural(self.dropped))?;
        if self.seen != self.received {
            write!(
                f,
                "\n{} {} not accepted by the filter",
                self.seen - self.received,
                plural(self.seen - self.received)
            )?;
        }
        if self.thinned != 0 {
            write!(f, "\n{} {} left out by --sample", self.thinned, plural(self.thinned))?;
        }
        if self.unread != 0 {
            write!(f, "\n{} {} left unread", self.unread, plural(self.unread))?;
        }
        if self.unwritten != 0 {
            write!(f, "\n{} {} lost by the output", self.unwritten, plural(self.unwritten))?;
        }
        if self.unstamped != 0 {
            write!(f, "\n{} {} without a time stamp of the adapter", self.unstamped, plural(self.unstamped))?;
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

    fn captured(captured: u64) -> Read {
        Read { captured, ..Read::default() }
    }

    const RINGS: Counts = Counts { lost: 4, damaged: 0 };

    #[test]
    fn every_frame_seen_is_captured_or_dropped_once_the_rings_are_empty() {
        let program = Counters { seen: 100, emitted: 91, failed: 9, ..Counters::default() };
        let totals = Totals::new(captured(90), Some(program), RINGS, true);
        assert_eq!(
            totals,
            Totals { captured: 90, seen: 100, received: 100, dropped: 10, ..Totals::default() }
        );
    }

    #[test]
    fn what_still_waits_in_a_ring_is_not_dropped() {
        let program = Counters { seen: 100, emitted: 95, failed: 5, ..Counters::default() };
        assert_eq!(Totals::new(captured(90), Some(program), RINGS, false).dropped, 5);
    }

    #[test]
    fn a_program_on_a_nic_is_counted_by_its_rings() {
        let totals = Totals::new(captured(90), None, RINGS, true);
        assert_eq!(totals, Totals { captured: 90, seen: 94, received: 94, dropped: 4, ..Totals::default() });
    }

    #[test]
    fn filters_in_the_kernel_and_here_make_the_same_books() {
        let program = Counters { seen: 1000, filtered: 900, thinned: 50, emitted: 45, failed: 5 };
        let there = Totals::new(captured(45), Some(program), RINGS, true);
        let program = Counters { seen: 1000, emitted: 995, failed: 5, ..Counters::default() };
        let read = Read { captured: 45, filtered: 900, thinned: 50, unstamped: 0 };
        let here = Totals::new(read, Some(program), RINGS, true);
        assert_eq!(there, here);
        let totals = here.at_the_end(0);
        assert_eq!((totals.received, totals.unread), (100, 0));
        assert_eq!(
            totals.to_string(),
            "45 packets captured\n100 packets received by filter\n5 packets dropped by kernel\n\
             900 packets not accepted by the filter\n50 packets left out by --sample"
        );
    }

    #[test]
    fn verdicts_are_named_and_the_most_frequent_comes_first() {
        let mut verdicts = Verdicts::default();
        assert_eq!(verdicts.to_string(), "none");
        for verdict in [2, 1, 2, 4, 3, 0, 2, 1, 7, u64::MAX] {
            verdicts.count(verdict);
        }
        assert_eq!(verdicts.to_string(), "3 pass, 2 drop, 2 unknown, 1 aborted, 1 tx, 1 redirect");
    }

    #[test]
    fn the_words_are_tcpdumps() {
        let totals = Totals { captured: 1, seen: 2, received: 2, ..Totals::default() };
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

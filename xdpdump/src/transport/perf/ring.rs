//! One CPU's ring: opened, read in batches, given back to the kernel as it is read.

use std::{
    io,
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use xdpdump_ebpf::flags;

use super::{
    memory::RingMemory,
    pulse::Pulse,
    walk::{self, Record},
};
use crate::{
    order::Stream,
    transport::{
        Counts, Receiver,
        event::{self, Event, Parsed, Split},
    },
};

/// Number of bytes that are read before they are given back to the kernel: small enough that the kernel does not run out of
/// room, large enough that the two CPUs do not compete for the cache line of the tail.
const GIVE_BACK_BYTES: u64 = 64 << 10;

/// The ring of one CPU.
pub struct Ring {
    cpu: u32,
    event: OwnedFd,
    pulse: Pulse,
    memory: RingMemory,
    /// Position up to which everything has been read.
    tail: u64,
    /// [`Counts`] of everything read.
    counts: Counts,
    losses: Losses,
    /// Number of lost events that the ring has reported since the last event.
    unreported: u64,
    /// Holds a frame that wrapped around at the ring's end, in one piece.
    scratch: Vec<u8>,
}

/// For each source, the number of frames that a CPU's programs had lost as of the last event.
#[derive(Clone, Debug, Default)]
pub struct Losses(Vec<u64>);

impl Losses {
    /// The number of frames of `source` (less than `sources`) lost since the last call, given the total `lost` so far. A
    /// program that was interrupted by another one may report a smaller total than that one did.
    fn since_last(&mut self, source: u32, lost: u64) -> u64 {
        let source = source as usize;
        if self.0.len() <= source {
            self.0.resize(source + 1, 0);
        }
        let Some(known) = self.0.get_mut(source) else { return 0 };
        let new = lost.saturating_sub(*known);
        *known += new;
        new
    }
}

/// The size of the largest ring of at most `bytes` that the kernel accepts: a power of two of pages, at least 128 KiB so
/// that the largest event fits.
pub fn data_size(bytes: usize) -> usize {
    let bytes = bytes.max(128 << 10);
    1 << bytes.ilog2()
}

impl Ring {
    /// The ring of `event`, which is of `cpu`, with `data_len` bytes, a result of [`data_size`].
    ///
    /// # Errors
    /// What the kernel says; see [`RingMemory::new`].
    pub fn new(event: OwnedFd, cpu: u32, data_len: usize) -> io::Result<Self> {
        let memory = RingMemory::new(&event, data_len)?;
        Ok(Self {
            cpu,
            pulse: Pulse::new(&event)?,
            event,
            memory,
            tail: 0,
            counts: Counts::default(),
            losses: Losses::default(),
            unreported: 0,
            scratch: Vec::new(),
        })
    }

    /// The CPU it belongs to.
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// Counts of what was read from the ring so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Continues from the losses of an earlier ring of the same CPU, because the programs' totals go on when a ring is
    /// replaced.
    #[must_use]
    pub fn resume(self, losses: Losses) -> Self {
        Self { losses, ..self }
    }

    /// The losses as of the last event.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Whether there are events to read.
    pub fn has_events(&self) -> bool {
        self.memory.head() != self.tail
    }

    /// Whether the perf event still runs, so that frames of its CPU get into the ring.
    pub fn is_running(&mut self) -> bool {
        self.pulse.is_running(&self.event)
    }

    /// Everything that the kernel has written so far. Events that are not taken out of the batch come again with the next
    /// one.
    pub fn batch(&mut self) -> Batch<'_> {
        let Self { cpu, event: _, pulse: _, memory, tail, counts, losses, unreported, scratch } = self;
        let memory = &*memory;
        let head = memory.head();
        if head.wrapping_sub(*tail) > memory.data_len() as u64 {
            // A ring cannot hold more than its length, so this head is damaged.
            counts.damaged += 1;
            *tail = head;
        }
        // SAFETY: the kernel writes from `head` on and, as long as the tail stays, not over what lies between; the
        // batch moves the tail only past what it has let go of.
        let (first, second) = unsafe { memory.bytes(*tail, head) };
        Batch {
            cpu: *cpu,
            memory,
            head,
            given_back: *tail,
            tail,
            rest: Split::new(first, second),
            pending: None,
            counts,
            losses,
            unreported,
            scratch,
        }
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// What a ring contained when the batch was made.
pub struct Batch<'r> {
    cpu: u32,
    memory: &'r RingMemory,
    head: u64,
    given_back: u64,
    tail: &'r mut u64,
    rest: Split<'r>,
    /// The next sample, already removed from `rest`.
    pending: Option<(u64, Split<'r>)>,
    counts: &'r mut Counts,
    losses: &'r mut Losses,
    unreported: &'r mut u64,
    scratch: &'r mut Vec<u8>,
}

impl Batch<'_> {
    /// Finds the next sample, unless one is pending.
    #[inline]
    fn advance(&mut self) {
        while self.pending.is_none() {
            match walk::next(&mut self.rest) {
                Some(Ok(Record::Sample { time, body })) => self.pending = Some((time, body)),
                Some(Ok(Record::Lost(lost))) => {
                    self.counts.lost = self.counts.lost.saturating_add(lost);
                    *self.unreported = self.unreported.saturating_add(lost);
                }
                Some(Ok(Record::Unknown)) => self.counts.damaged += 1,
                Some(Err(walk::Damaged)) => {
                    self.counts.damaged += 1;
                    self.rest = Split::default();
                }
                None => return,
            }
            if self.pending.is_none() {
                self.release();
            }
        }
    }

    /// Marks everything removed from `rest` as read, and gives it back to the kernel from time to time.
    fn release(&mut self) {
        *self.tail = self.head.wrapping_sub(self.rest.len() as u64);
        if self.tail.wrapping_sub(self.given_back) >= GIVE_BACK_BYTES {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        self.given_back = *self.tail;
        self.memory.set_tail(*self.tail);
    }
}

impl Stream for Batch<'_> {
    #[inline]
    fn next_time(&mut self) -> Option<u64> {
        self.advance();
        self.pending.map(|(time, _)| time)
    }
}

impl Batch<'_> {
    /// Hands the events that are no later than `until` to `receiver`, until it breaks.
    pub fn drain_until<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End> {
        while self.next_time().is_some_and(|time| time <= until) {
            let Some((time, body)) = self.pending.take() else { break };
            let mut flow = ControlFlow::Continue(());
            let event = event::parse(body, self.scratch);
            if let Some(Parsed { header, adapter, frame }) =
                event.filter(|event| event.header.source < receiver.sources())
            {
                // A program without counters does not number frames; then the ring's own count of losses is used.
                let lost = if header.sequence == 0 {
                    std::mem::take(self.unreported)
                } else {
                    self.losses.since_last(header.source, header.lost)
                };
                flow = receiver.event(&Event {
                    time,
                    cpu: self.cpu,
                    source: header.source,
                    sequence: header.sequence,
                    lost,
                    queue: (header.flags & flags::QUEUE != 0).then_some(header.queue),
                    verdict: (header.flags & flags::VERDICT != 0).then_some(header.verdict.into()),
                    adapter,
                    frame_len: header.frame_len,
                    frame,
                });
            } else {
                self.counts.damaged += 1;
            }
            self.release();
            flow?;
        }
        ControlFlow::Continue(())
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_once_for_each_source() {
        let mut losses = Losses::default();
        assert_eq!([losses.since_last(1, 5), losses.since_last(0, 2), losses.since_last(1, 7)], [5, 2, 2]);
        assert_eq!([losses.since_last(1, 6), losses.since_last(1, 8)], [0, 1]);
    }

    #[test]
    fn a_ring_is_a_power_of_two_and_holds_the_largest_event() {
        assert_eq!(data_size(0), 128 << 10);
        assert_eq!(data_size((8 << 20) + 1), 8 << 20);
        assert_eq!(data_size((8 << 20) - 1), 4 << 20);
    }
}

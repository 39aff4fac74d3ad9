//! One CPU's ring and its doorbell.

use std::{
    io,
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use super::{
    block::{self, Outline},
    memory::RingMemory,
};
use crate::{
    order::Stream,
    sys::bpf,
    transport::{
        Counts, Receiver,
        perf::{self, Pulse},
    },
};

/// Most bytes to hand on at once, and to keep from the program meanwhile.
const RUN_BYTES: usize = 512 << 10;

/// The doorbell's own ring: it holds nothing, but must not be full. A page, because it counts as locked memory.
const DOORBELL_BYTES: usize = 4 << 10;

/// The ring of one CPU.
pub struct Ring {
    cpu: u32,
    memory: RingMemory,
    tail: u64,
    counts: Counts,
    /// None while its CPU is offline.
    doorbell: Option<Doorbell>,
}

/// What a program wakes the reader with.
struct Doorbell {
    event: OwnedFd,
    memory: perf::RingMemory,
    pulse: Pulse,
}

impl Ring {
    /// Maps the ring of `cpu` in `map`. It has no doorbell yet.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(map: BorrowedFd<'_>, cpu: u32, ring_len: usize) -> io::Result<Self> {
        let memory = RingMemory::map(map, cpu, ring_len)?;
        Ok(Self { cpu, memory, tail: 0, counts: Counts::default(), doorbell: None })
    }

    /// Whether it has a doorbell that can still ring.
    pub fn has_doorbell(&mut self) -> bool {
        self.doorbell.as_mut().is_some_and(|doorbell| doorbell.pulse.is_running(&doorbell.event))
    }

    /// Makes `event`, which is of the ring's CPU, its doorbell and puts that into the perf event array `events`: the event of a
    /// CPU that was offline does not ring any more.
    ///
    /// # Errors
    /// What the kernel says: `ENODEV` when the CPU is offline.
    pub fn renew_doorbell(&mut self, event: OwnedFd, events: &impl AsFd) -> io::Result<()> {
        self.doorbell = None;
        let memory = perf::RingMemory::new(&event, DOORBELL_BYTES)?;
        let pulse = Pulse::new(&event)?;
        bpf::set_ring(events.as_fd(), self.cpu, event.as_fd())?;
        self.doorbell = Some(Doorbell { event, memory, pulse });
        Ok(())
    }

    /// The doorbell's descriptor, which can be read when it rang.
    pub fn doorbell(&self) -> Option<BorrowedFd<'_>> {
        self.doorbell.as_ref().map(|doorbell| doorbell.event.as_fd())
    }

    /// The CPU it belongs to.
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// What was read from it so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Has the doorbell rung when so many bytes are waiting, or the ring a quarter full if that is less. Returns whether they
    /// are there already.
    pub fn ring_doorbell_at(&mut self, bytes: u64) -> bool {
        if let Some(Doorbell { memory, .. }) = &self.doorbell {
            memory.set_tail(memory.head());
        }
        self.memory.control().wake_at(self.tail.wrapping_add(bytes.min(self.memory.ring_len() as u64 / 4)))
    }

    /// Everything the program has written by now.
    pub fn batch(&mut self) -> Batch<'_> {
        let head = self.memory.control().head();
        Batch { ring: self, head }
    }
}

/// What a ring held at one moment.
pub struct Batch<'r> {
    ring: &'r mut Ring,
    head: u64,
}

impl Batch<'_> {
    /// The bytes from the next record on, and in how many of them a record may begin.
    fn records(&mut self) -> (&mut [u8], usize) {
        // SAFETY: the head is the ring's, and the tail moves only in `release`, which borrows all of `self`.
        unsafe { self.ring.memory.records(self.ring.tail, self.head) }
    }

    /// Gives `len` bytes of records back to the program.
    fn release(&mut self, len: usize) {
        self.ring.tail = self.ring.tail.wrapping_add(len as u64);
        self.ring.memory.control().give_back(self.ring.tail);
    }

    /// Gives up on bytes that are no records.
    fn skip_damage(&mut self) {
        self.ring.counts.damaged += 1;
        self.ring.tail = self.head;
        self.ring.memory.control().give_back(self.head);
    }

    /// Hands on a run of blocks; returns its bytes, 0 when there is no record up to `until`.
    fn drain_blocks<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End, usize> {
        let sources = receiver.sources();
        let (bytes, lap) = self.records();
        let mut len = 0;
        while len < lap.min(RUN_BYTES) {
            let record = &mut bytes[len..];
            let next = block::peek(record).filter(|next| next.time <= until && next.source < sources);
            let Some(next) = next else { break };
            block::stamp(record, receiver.stamp(next.source, next.time));
            len += next.len;
        }
        let flow = if len == 0 { ControlFlow::Continue(()) } else { receiver.blocks(&bytes[..len]) };
        self.release(len);
        flow?;
        ControlFlow::Continue(len)
    }

    /// Hands on the events of a run; returns its bytes, 0 when there is no record up to `until`.
    fn drain_events<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End, usize> {
        let cpu = self.ring.cpu;
        let sources = receiver.sources();
        let (bytes, lap) = self.records();
        let mut len = 0;
        let mut damaged = 0;
        let mut flow = ControlFlow::Continue(());
        while len < lap.min(RUN_BYTES) && flow.is_continue() {
            let record = &bytes[len..];
            let next = block::peek(record).filter(|next| next.time <= until && next.source < sources);
            let Some(next) = next else { break };
            len += next.len;
            match block::event(&record[..next.len], cpu) {
                Some(event) => flow = receiver.event(&event),
                None => damaged += 1,
            }
        }
        self.ring.counts.damaged += damaged;
        self.release(len);
        flow?;
        ControlFlow::Continue(len)
    }

    /// Hands the records that are no later than `until` to `receiver`, until it breaks: as blocks if it wants them.
    pub fn drain_until<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End> {
        while self.next_time().is_some_and(|time| time <= until) {
            let len = if receiver.wants_blocks() {
                self.drain_blocks(until, receiver)?
            } else {
                self.drain_events(until, receiver)?
            };
            if len == 0 {
                // The next record is one, but of no source that there is.
                self.skip_damage();
            }
        }
        ControlFlow::Continue(())
    }
}

impl Stream for Batch<'_> {
    fn next_time(&mut self) -> Option<u64> {
        if self.ring.tail == self.head {
            return None;
        }
        let (bytes, _) = self.records();
        let next = block::peek(bytes);
        if next.is_none() {
            self.skip_damage();
        }
        next.map(|Outline { time, .. }| time)
    }
}

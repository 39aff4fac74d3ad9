//! One CPU's ring and its doorbell.

use std::{
    io,
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use xdpdump_ebpf::Counters;

use super::{block, memory::Memory};
use crate::{
    order::{Receiver, Source},
    transport::{
        Counts,
        perf::{self, Pulse, Wakeup},
    },
};

/// Most bytes to hand over at once, and to keep from the program meanwhile.
const RUN_BYTES: usize = 512 << 10;

/// The doorbell's own ring: it holds nothing, but must not be full. A page, because it counts as locked memory.
const DOORBELL_BYTES: usize = 4 << 10;

/// The ring of one CPU.
pub struct Ring {
    cpu: u32,
    memory: Memory,
    tail: u64,
    counts: Counts,
    doorbell: OwnedFd,
    pulse: Pulse,
    doorbell_memory: perf::Mapping,
}

impl Ring {
    /// Maps the ring of `cpu` in `map`, and makes a doorbell for it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(map: BorrowedFd<'_>, cpu: u32, ring_len: usize) -> io::Result<Self> {
        let memory = Memory::map(map, cpu, ring_len)?;
        let doorbell = perf::open_event(cpu, Wakeup::EveryFrame)?;
        let doorbell_memory = perf::Mapping::new(&doorbell, DOORBELL_BYTES)?;
        let pulse = Pulse::new(&doorbell)?;
        Ok(Self { cpu, memory, tail: 0, counts: Counts::default(), doorbell, pulse, doorbell_memory })
    }

    /// Whether its doorbell can still ring.
    pub fn has_doorbell(&mut self) -> bool {
        self.pulse.of(&self.doorbell)
    }

    /// A new doorbell for a CPU that was offline: its event did not survive.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn renew_doorbell(&mut self) -> io::Result<()> {
        self.doorbell = perf::open_event(self.cpu, Wakeup::EveryFrame)?;
        self.pulse = Pulse::new(&self.doorbell)?;
        self.doorbell_memory = perf::Mapping::new(&self.doorbell, DOORBELL_BYTES)?;
        Ok(())
    }

    /// The CPU it belongs to.
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// What was read from it so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What the program counted.
    pub fn counters(&self) -> Counters {
        self.memory.counters()
    }

    /// Has the doorbell rung when so many bytes are waiting, or the ring a quarter full if that is less. Returns whether they
    /// are there already.
    pub fn ring_doorbell_at(&mut self, bytes: u64) -> bool {
        self.doorbell_memory.set_tail(self.doorbell_memory.head());
        self.memory.wake_at(self.tail.wrapping_add(bytes.min(self.memory.ring_len() as u64 / 4)))
    }

    /// Everything the program has written by now.
    pub fn batch(&mut self) -> Batch<'_> {
        let head = self.memory.head();
        Batch { ring: self, head }
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.doorbell.as_fd()
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
        // SAFETY: the head is the ring's, and the tail moves only in `let_go`, which borrows all of `self`.
        unsafe { self.ring.memory.records(self.ring.tail, self.head) }
    }

    /// Gives `len` bytes of records back to the program.
    fn let_go(&mut self, len: usize) {
        self.ring.tail = self.ring.tail.wrapping_add(len as u64);
        self.ring.memory.set_tail(self.ring.tail);
    }

    /// Gives up on bytes that are no records.
    fn skip_damage(&mut self) {
        self.ring.counts.damaged += 1;
        self.ring.tail = self.head;
        self.ring.memory.set_tail(self.head);
    }

    /// Hands over a run of blocks; returns its bytes, 0 when there is no record up to `until`.
    fn hand_over_blocks<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End, usize> {
        let (bytes, lap) = self.records();
        let mut len = 0;
        let mut count = 0;
        while len < lap.min(RUN_BYTES) {
            let record = &mut bytes[len..];
            let Some((time, record_len)) = block::peek(record).filter(|(time, _)| *time <= until) else {
                break;
            };
            block::stamp(record, receiver.stamp(time));
            len += record_len;
            count += 1;
        }
        let flow = if len == 0 { ControlFlow::Continue(()) } else { receiver.blocks(&bytes[..len]) };
        self.ring.counts.read += count;
        self.let_go(len);
        flow?;
        ControlFlow::Continue(len)
    }

    /// Hands over the events of a run; returns its bytes, 0 when there is no record up to `until`.
    fn hand_over_events<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End, usize> {
        let cpu = self.ring.cpu;
        let (bytes, lap) = self.records();
        let mut len = 0;
        let mut counts = Counts::default();
        let mut flow = ControlFlow::Continue(());
        while len < lap.min(RUN_BYTES) && flow.is_continue() {
            let record = &bytes[len..];
            let Some((_, record_len)) = block::peek(record).filter(|(time, _)| *time <= until) else { break };
            len += record_len;
            match block::event(&record[..record_len], cpu) {
                Some(event) => {
                    counts.read += 1;
                    flow = receiver.event(&event);
                }
                None => counts.damaged += 1,
            }
        }
        self.ring.counts = self.ring.counts + counts;
        self.let_go(len);
        flow?;
        ControlFlow::Continue(len)
    }
}

impl Source for Batch<'_> {
    fn next_time(&mut self) -> Option<u64> {
        if self.ring.tail == self.head {
            return None;
        }
        let (bytes, _) = self.records();
        let next = block::peek(bytes);
        if next.is_none() {
            self.skip_damage();
        }
        next.map(|(time, _)| time)
    }

    fn hand_over<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End> {
        while self.next_time().is_some_and(|time| time <= until) {
            let len = if receiver.wants_blocks() {
                self.hand_over_blocks(until, receiver)?
            } else {
                self.hand_over_events(until, receiver)?
            };
            if len == 0 {
                break;
            }
        }
        ControlFlow::Continue(())
    }
}

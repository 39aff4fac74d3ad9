//! One CPU's ring and its doorbell.

use std::{
    io,
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use xdpdump_ebpf::ring::{LARGE, SMALL, WALL};

use super::{
    block::{self, Outline},
    memory::{Change, Lengths, RingMemory},
    stamping::Stamps,
};
use crate::{
    order::Stream,
    sys::bpf,
    transport::{
        Counts, Receiver,
        event::Event,
        perf::{self, Pulse},
    },
};

/// Largest number of bytes to hand on at once; the program cannot reuse them until the receiver returns.
const RUN_BYTES: usize = 512 << 10;

/// Size of the doorbell's own perf ring. Nobody reads its contents, but it must not be full. One page, because it counts as
/// locked memory.
const DOORBELL_BYTES: usize = 4 << 10;

/// What became of a request to ring the doorbell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// So much is waiting already.
    Due,
    /// It is the same as the request before.
    AsBefore,
    /// The program may not have seen it while it wrote its last record: look once more before sleeping for long.
    Anew,
}

/// The ring of one CPU, or both of them one after the other.
pub struct Ring {
    cpu: u32,
    memory: RingMemory,
    /// The ring that is read.
    current: usize,
    /// Position in each ring.
    at: [u64; 2],
    /// Position in both rings together.
    tail: u64,
    /// Position of the last change of the ring that was followed.
    followed: u64,
    /// The most bytes that may wait before the doorbell rings.
    doorbell_at: u64,
    /// The head when [`Ring::lasts`] was called last.
    head: u64,
    /// The head at which the program was asked to ring the doorbell.
    wake_at: u64,
    /// What time stamps mean.
    stamps: Stamps,
    /// The head when [`Ring::note_head`] was called.
    noted: u64,
    /// A head that was read, and when: `CLOCK_MONOTONIC` nanoseconds.
    seen: (u64, u64),
    /// Number of records that were taken; `None` after damage.
    taken: Option<u64>,
    counts: Counts,
    /// `None` while the CPU is offline.
    doorbell: Option<Doorbell>,
}

/// The perf event through which the program wakes the reader.
struct Doorbell {
    event: OwnedFd,
    memory: perf::RingMemory,
    pulse: Pulse,
}

impl Ring {
    /// Maps the ring of `cpu` in `map`, without a doorbell.
    ///
    /// # Errors
    /// The error of the system call.
    pub fn open(map: BorrowedFd<'_>, cpu: u32, lengths: Lengths) -> io::Result<Self> {
        let memory = RingMemory::map(map, cpu, lengths)?;
        Ok(Self::new(cpu, memory))
    }

    /// The ring of `cpu` in this memory, without a doorbell.
    pub fn new(cpu: u32, memory: RingMemory) -> Self {
        let (small, large) = (memory.ring_len(SMALL) as u64, memory.ring_len(LARGE) as u64);
        Self {
            cpu,
            doorbell_at: if small < large { small / 2 } else { large / 4 },
            memory,
            current: SMALL,
            at: [0; 2],
            tail: 0,
            followed: 0,
            head: 0,
            wake_at: 0,
            stamps: Stamps::default(),
            noted: 0,
            seen: (0, 0),
            taken: Some(0),
            counts: Counts::default(),
            doorbell: None,
        }
    }

    /// Whether the ring has a doorbell that still works.
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

    /// The doorbell's descriptor, which is readable after it has rung.
    pub fn doorbell(&self) -> Option<BorrowedFd<'_>> {
        self.doorbell.as_ref().map(|doorbell| doorbell.event.as_fd())
    }

    /// The CPU it belongs to.
    pub fn cpu(&self) -> u32 {
        self.cpu
    }

    /// Counts of what was read from the ring so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Asks the program to ring the doorbell when `bytes` are waiting, or at the latest when the small ring is half full, or a quarter
    /// of the only one.
    pub fn ring_doorbell_at(&mut self, bytes: u64) -> Asked {
        if let Some(Doorbell { memory, .. }) = &self.doorbell {
            memory.set_tail(memory.head());
        }
        let wake_at = self.tail.wrapping_add(bytes.min(self.doorbell_at));
        let before = std::mem::replace(&mut self.wake_at, wake_at);
        if self.memory.control(SMALL).wake_at(wake_at) {
            Asked::Due
        } else if wake_at == before {
            Asked::AsBefore
        } else {
            Asked::Anew
        }
    }

    /// See [`ReaderSide::has_shown_all`](super::protocol::ReaderSide::has_shown_all).
    pub fn has_shown_all(&self) -> bool {
        self.memory.control(SMALL).has_shown_all()
    }

    /// Its memory, for what the program does in tests.
    #[cfg(test)]
    pub fn memory(&self) -> &RingMemory {
        &self.memory
    }

    /// Has programs give records wall-clock time from now on.
    pub fn set_stamps(&mut self, stamps: Stamps) {
        self.stamps = stamps;
        self.memory.set_offset(stamps.offset);
    }

    /// Has programs leave the time as it is from now on.
    pub fn end_stamps(&self) {
        self.memory.set_offset(0);
    }

    /// Notes how far the program has come.
    pub fn note_head(&mut self) {
        self.noted = self.memory.control(SMALL).head();
    }

    /// Whether everything was read that the program had written when [`Ring::note_head`] was called.
    pub fn is_past_note(&self) -> bool {
        self.tail >= self.noted
    }

    /// Whether nothing waits in it.
    pub fn is_empty(&self) -> bool {
        self.memory.control(SMALL).head() == self.tail
    }

    /// A position that the head had reached at least `age` nanoseconds before `now`: the last one that is known, which may have
    /// been read already.
    pub fn head_of_age(&mut self, age: u64, now: u64) -> u64 {
        let (head, at) = self.seen;
        if now.saturating_sub(at) < age {
            return self.tail;
        }
        self.seen = (self.memory.control(SMALL).head(), now);
        head
    }

    /// Everything the program has written by now.
    pub fn batch(&mut self) -> Batch<'_> {
        let head = self.memory.control(SMALL).head();
        self.follow_change(head);
        Batch { ring: self, head }
    }

    /// The next change of the ring, if records after it are before the position `head`.
    fn change_before(&self, head: u64) -> Option<Change> {
        let change = self.memory.change();
        let is_next = change.position != self.followed && (self.tail..head).contains(&change.position);
        is_next.then_some(change)
    }

    /// Goes on in the other ring, if the program has done so at this position and shown a record there.
    fn follow_change(&mut self, head: u64) {
        if let Some(change) = self.change_before(head).filter(|change| change.position == self.tail) {
            self.current ^= 1;
            self.followed = change.position;
            self.memory.set_followed(change);
        }
    }

    /// The length of a run of whole records that ends no later than the position `limit`, and the number of all records up to its
    /// end, if a mark or a change of the ring shows that.
    fn run(&self, limit: u64) -> Option<(usize, u64)> {
        let change = self.change_before(limit);
        let end = change.map_or(limit, |change| change.position);
        let (at, waiting) = (self.at[self.current], end.checked_sub(self.tail)?);
        let mark = self.memory.last_mark(self.current, at, at.wrapping_add(waiting), RUN_BYTES);
        let of_mark = mark.map(|mark| (mark.position.wrapping_sub(at) as usize, mark.emitted));
        let is_near = waiting <= RUN_BYTES as u64 && !self.memory.has_lap_within(self.current, at, waiting);
        let of_change =
            change.filter(|_| is_near && waiting > 0).map(|change| (waiting as usize, change.emitted));
        of_change.or(of_mark)
    }

    /// Whether a ring that has no other beside it may be full soon.
    fn is_pressed(&self, head: u64) -> bool {
        self.memory.ring_len(SMALL) == self.memory.ring_len(LARGE)
            && head.wrapping_sub(self.tail) >= self.doorbell_at
    }

    /// Counts records that were taken.
    fn count(&mut self, records: u64) {
        self.taken = self.taken.map(|taken| taken.wrapping_add(records));
    }

    /// How long an empty ring would last if it were filled as it was in `elapsed`, between the last call and this one.
    pub fn lasts(&mut self, elapsed: Duration) -> Duration {
        let head = self.memory.control(SMALL).head();
        let written = head.wrapping_sub(std::mem::replace(&mut self.head, head));
        let nanos = (elapsed.as_nanos() * self.memory.ring_len(LARGE) as u128).checked_div(written.into());
        nanos.and_then(|nanos| u64::try_from(nanos).ok()).map_or(Duration::MAX, Duration::from_nanos)
    }
}

/// What a ring contained when the batch was made.
pub struct Batch<'r> {
    ring: &'r mut Ring,
    head: u64,
}

impl Batch<'_> {
    /// The position up to which records are in the ring that is read.
    fn run_end(&self) -> u64 {
        self.ring.change_before(self.head).map_or(self.head, |change| change.position)
    }

    /// The bytes from the next record on, and the number of those in which a record may begin.
    fn records(&mut self) -> (&mut [u8], usize) {
        let waiting = self.run_end().wrapping_sub(self.ring.tail);
        let at = self.ring.at[self.ring.current];
        // SAFETY: head and change are the ring's, and the tail moves only in `release`, which borrows all of `self`.
        unsafe { self.ring.memory.records(self.ring.current, at, waiting) }
    }

    /// Gives `len` bytes of records back to the program.
    fn release(&mut self, len: usize) {
        let ring = &mut *self.ring;
        ring.tail = ring.tail.wrapping_add(len as u64);
        ring.at[ring.current] = ring.at[ring.current].wrapping_add(len as u64);
        ring.memory.control(ring.current).give_back(ring.at[ring.current]);
        ring.follow_change(self.head);
    }

    /// Skips all bytes of the batch, because they are not valid records.
    fn skip_damage(&mut self) {
        self.ring.counts.damaged += 1;
        self.ring.taken = None;
        while self.ring.tail != self.head {
            self.release(self.run_end().wrapping_sub(self.ring.tail) as usize);
        }
    }

    /// Hands on a run of blocks and returns its length in bytes: 0 when there is no record up to the time `until`.
    fn drain_blocks<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End, usize> {
        let (sources, stamps) = (receiver.sources(), self.ring.stamps);
        let (bytes, lap) = self.records();
        let (mut len, mut count) = (0, 0);
        while len < lap.min(RUN_BYTES) {
            let record = &mut bytes[len..];
            let Some(next) = block::peek(record).filter(|next| next.source < sources) else { break };
            let time = stamps.monotonic(next.time);
            if time > until {
                break;
            }
            block::stamp(record, next.time, receiver.stamp(next.source, time));
            len += next.len;
            count += 1;
        }
        let flow = if len == 0 { ControlFlow::Continue(()) } else { receiver.blocks(&bytes[..len]) };
        self.ring.count(count);
        self.release(len);
        flow?;
        ControlFlow::Continue(len)
    }

    /// Hands on a run of events and returns its length in bytes: 0 when there is no record up to the time `until`.
    fn drain_events<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End, usize> {
        let (cpu, stamps) = (self.ring.cpu, self.ring.stamps);
        let sources = receiver.sources();
        let (bytes, lap) = self.records();
        let (mut len, mut count) = (0, 0);
        let mut damaged = 0;
        let mut flow = ControlFlow::Continue(());
        while len < lap.min(RUN_BYTES) && flow.is_continue() {
            let record = &bytes[len..];
            let Some(next) = block::peek(record).filter(|next| next.source < sources) else { break };
            let time = stamps.monotonic(next.time);
            if time > until {
                break;
            }
            len += next.len;
            count += 1;
            match block::event(&record[..next.len], cpu) {
                Some(event) => flow = receiver.event(&Event { time, ..event }),
                None => damaged += 1,
            }
        }
        self.ring.counts.damaged += damaged;
        self.ring.count(count);
        self.release(len);
        flow?;
        ControlFlow::Continue(len)
    }

    /// Hands on, unread, what was written before the position `limit`: as far as a mark shows where a record begins and how many
    /// records are before it. Returns whether the rest is to wait until it can be handed on in the same way.
    ///
    /// The programs give records their time, no other CPU wrote anything of that age, and all records are of source 0.
    pub fn drain_unread<R: Receiver>(&mut self, limit: u64, receiver: &mut R) -> ControlFlow<R::End, bool> {
        let mut any = false;
        while let Some(taken) = self.ring.taken {
            let Some((len, emitted)) = self.ring.run(limit.min(self.head)) else {
                let may_wait = any || self.ring.run(self.head).is_some();
                return ControlFlow::Continue(may_wait && !self.ring.is_pressed(self.head));
            };
            let stamps = self.ring.stamps;
            let (bytes, _) = self.records();
            let run = bytes.get(..len).and_then(|run| Some((run, block::peek(run)?, block::last(run)?)));
            let is_stamped = |first: Outline, last: Outline| first.time.min(last.time) >= WALL;
            let Some((run, first, last)) = run.filter(|(_, first, last)| is_stamped(*first, *last)) else {
                break;
            };
            let times = stamps.monotonic(first.time)..=stamps.monotonic(last.time);
            let flow = receiver.unread(run, emitted.wrapping_sub(taken), times);
            self.ring.taken = Some(emitted);
            self.release(len);
            any = true;
            flow?;
        }
        ControlFlow::Continue(false)
    }

    /// Hands the records that are no later than `until` to `receiver`, as blocks if it wants blocks, until it breaks.
    pub fn drain_until<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End> {
        while self.next_time().is_some_and(|time| time <= until) {
            let len = if receiver.wants_blocks() {
                self.drain_blocks(until, receiver)?
            } else {
                self.drain_events(until, receiver)?
            };
            if len == 0 {
                // The next record names a source that does not exist.
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
        next.map(|Outline { time, .. }| self.ring.stamps.monotonic(time))
    }
}

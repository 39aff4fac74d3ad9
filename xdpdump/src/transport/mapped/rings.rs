//! The mapped rings of all CPUs.

use std::{
    ops::{ControlFlow, RangeInclusive},
    os::fd::{BorrowedFd, OwnedFd},
    time::Duration,
};

use super::{
    memory::Lengths,
    ring::{Asked, Batch, Ring},
    stamping::Stamping,
};
use crate::{
    clock::monotonic,
    cpus,
    order::Merge,
    sys::perf_event::{self, Wakeup},
    transport::{Counts, Error, REORDER_WINDOW, Receiver},
};

/// How long to sleep while frames arrive. Ringing the doorbell costs an interrupt, so it is used only for the first frame
/// after a pause and for a ring that fills up sooner than this.
const PACE: Duration = Duration::from_millis(2);

/// The reorder window if no program is within a record: longer than a store takes to become visible to another CPU.
const SHORT_WINDOW: Duration = Duration::from_micros(20);
const SHORT_WINDOW_NANOS: u64 = SHORT_WINDOW.as_nanos() as u64;

/// How long to sleep while a ring fills up with frames that are still inside the reorder window.
const HURRY: Duration = Duration::from_micros(100);

/// How long to sleep after a new request to ring the doorbell, see [`ReaderSide::wake_at`](super::protocol::ReaderSide::wake_at).
const SECOND_LOOK: Duration = Duration::from_millis(1);

/// The rings of all CPUs that have memory in the map, online or not: a CPU that comes online writes to its ring at once.
pub struct Rings {
    /// The perf event array that holds the programs' doorbells.
    events: OwnedFd,
    each: Vec<Ring>,
    merge: Merge,
    stamping: Stamping,
    immediate: bool,
    /// When the rings were read last, `CLOCK_MONOTONIC` nanoseconds.
    last_read: u64,
    /// A ring fills up so fast that sleeping would lose events.
    hasty: bool,
}

/// Longest ring of a CPU, in bytes: the verifier allows only offsets below 512 MiB into a map's value (`BPF_MAX_VAR_OFF`,
/// include/linux/bpf_verifier.h), and records may lie behind the ring's end.
pub const MAX_RING_LEN: usize = 256 << 20;

/// Length of the small ring if the size of the caches is not known, and its limits: smaller ones are full too soon, and larger ones
/// are in no cache.
const USUAL_CACHE: usize = 2 << 20;
const SMALL_RINGS: RangeInclusive<usize> = 1 << 20..=4 << 20;

impl Lengths {
    /// The rings of a CPU in about `bytes`: the large ring is the largest of at most that, at least large enough for some records
    /// of maximum length. The small one, of the size of the CPU's own cache, needs memory in addition, as do control page and
    /// slack; there is none if the large one is not many times as long.
    pub fn within(bytes: usize) -> Self {
        let large = 1 << bytes.clamp(512 << 10, MAX_RING_LEN).ilog2();
        let cache = cpus::cache().unwrap_or(USUAL_CACHE).clamp(*SMALL_RINGS.start(), *SMALL_RINGS.end());
        let small = 1 << cache.ilog2();
        Self { small: if small <= large / 4 { small } else { 0 }, large }
    }
}

impl Rings {
    /// Maps the rings of the first `cpus` CPUs from the array `rings`, and puts doorbells for those that are online into the
    /// perf event array `events`.
    ///
    /// # Errors
    /// When the kernel refuses to map a ring or to open a doorbell.
    pub fn open(
        rings: BorrowedFd<'_>,
        events: BorrowedFd<'_>,
        cpus: u32,
        lengths: Lengths,
        immediate: bool,
    ) -> Result<Self, Error> {
        let open = |cpu| {
            Ring::open(rings, cpu, lengths).map_err(|source| Error::Ring {
                cpu,
                kib: lengths.value_len() >> 10,
                source,
            })
        };
        let each = (0..cpus).map(open).collect::<Result<_, _>>()?;
        let events = events.try_clone_to_owned().map_err(Error::Descriptor)?;
        let mut rings = Self {
            events,
            each,
            merge: Merge::default(),
            stamping: Stamping::default(),
            immediate,
            last_read: 0,
            hasty: false,
        };
        rings.follow_cpus()?;
        Ok(rings)
    }

    /// See [`transport::Rings::read`](crate::transport::Rings::read).
    pub fn read<R: Receiver>(&mut self, to_the_end: bool, receiver: &mut R) -> ControlFlow<R::End, bool> {
        let now = monotonic();
        self.note_pace(now);
        let wants_blocks = receiver.wants_blocks();
        let offset = if wants_blocks { receiver.offset(now) } else { None };
        self.stamping.follow(offset, now, &mut self.each);
        if wants_blocks && !to_the_end && receiver.sources() == 1 && self.read_unread(now, receiver)? {
            // What is left is too young, or less than a section.
            return ControlFlow::Continue(true);
        }
        // Read the time before the rings: then every event older than the limit is already in its ring.
        let limit = if to_the_end || self.each.len() == 1 { u64::MAX } else { self.limit(now) };
        let mut batches: Vec<Batch<'_>> = self.each.iter_mut().map(Ring::batch).collect();
        self.merge.run(&mut batches, limit, |batch, until| batch.drain_until(until, receiver))
    }

    /// Hands on unread what was written by the only CPU that is busy. Returns whether there was anything.
    fn read_unread<R: Receiver>(&mut self, now: u64, receiver: &mut R) -> ControlFlow<R::End, bool> {
        if self.immediate || !matches!(self.stamping, Stamping::ByPrograms(_)) {
            return ControlFlow::Continue(false);
        }
        let mut busy = None;
        for (index, ring) in self.each.iter().enumerate() {
            if !ring.is_empty() && busy.replace(index).is_some() {
                return ControlFlow::Continue(false);
            }
        }
        let Some((before, [ring, behind @ ..])) = busy.map(|busy| self.each.split_at_mut(busy)) else {
            return ControlFlow::Continue(false);
        };
        let limit = ring.head_of_age(SHORT_WINDOW_NANOS, now);
        // Looked at after the head was: a CPU that is in no program now, and has written nothing, has nothing of that age.
        let mut others = before.iter().chain(behind.iter());
        if others.any(|other| !other.has_shown_all() || !other.is_empty()) {
            return ControlFlow::Continue(false);
        }
        ring.batch().drain_unread(limit, receiver)
    }

    /// Events up to this time may be handed on at `now`, because no event of another CPU can precede them any more.
    fn limit(&self, now: u64) -> u64 {
        let window = if self.each.iter().all(Ring::has_shown_all) { SHORT_WINDOW } else { REORDER_WINDOW };
        now.saturating_sub(window.as_nanos() as u64)
    }

    /// Notes whether a ring may overflow while the reader sleeps.
    fn note_pace(&mut self, now: u64) {
        let elapsed = Duration::from_nanos(now.saturating_sub(std::mem::replace(&mut self.last_read, now)));
        self.hasty = false;
        for ring in &mut self.each {
            self.hasty |= ring.lasts(elapsed) <= PACE;
        }
    }

    /// See [`transport::Rings::prepare_sleep`](crate::transport::Rings::prepare_sleep).
    pub fn prepare_sleep(&mut self, quiet: bool, events_left: bool) -> Option<Duration> {
        // Events that are too young are no reason to wake up early, but a ring that fills up is.
        let patient = events_left || !quiet && !self.immediate;
        let bytes = if patient { u64::MAX } else { 1 };
        let (mut is_due, mut anew) = (false, false);
        // Set every doorbell, even when a ring already has events.
        for ring in &mut self.each {
            match ring.ring_doorbell_at(bytes) {
                Asked::Due => is_due = true,
                Asked::Anew => anew = true,
                Asked::AsBefore => {}
            }
        }
        if self.hasty {
            return None;
        }
        match (events_left, is_due) {
            (true, false) => Some(REORDER_WINDOW),
            (true, true) => Some(HURRY),
            (false, false) if patient => Some(PACE),
            (false, false) => Some(if anew { SECOND_LOOK } else { Duration::MAX }),
            (false, true) => None,
        }
    }

    /// See [`transport::Rings::follow_cpus`](crate::transport::Rings::follow_cpus): here a CPU that comes online needs a
    /// doorbell. The kernel says which CPUs are online, by the doorbells that it gives: `/sys` may not tell the truth. Frames of CPUs that have no memory in the map are counted as lost.
    ///
    /// # Errors
    /// When the kernel gives no doorbell for a CPU.
    pub fn follow_cpus(&mut self) -> Result<(), Error> {
        let mut absent = None;
        for ring in &mut self.each {
            if ring.has_doorbell() {
                continue;
            }
            let cpu = ring.cpu();
            let event = perf_event::open(cpu, Wakeup::EveryFrame);
            let renewed = event.map_err(|source| Error::perf_event(cpu, source)).and_then(|event| {
                let renewed = ring.renew_doorbell(event, &self.events);
                renewed.map_err(|source| Error::Doorbell { cpu, source })
            });
            match renewed {
                Err(error) if error.is_absent() => absent = Some(error),
                result => result?,
            }
        }
        match absent {
            Some(error) if self.descriptors().next().is_none() => Err(error),
            _ => Ok(()),
        }
    }

    /// What was read from all rings.
    pub fn counts(&self) -> Counts {
        self.each.iter().fold(Counts::default(), |sum, ring| sum + ring.counts())
    }

    /// The descriptors to poll.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.each.iter().filter_map(Ring::doorbell)
    }
}

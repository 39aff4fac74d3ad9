//! How frames get from the kernel program to user space: the rings of all CPUs of one probe.

pub mod event;
pub mod mapped;
pub mod perf;

use std::{
    io,
    ops::{Add, ControlFlow},
    os::fd::BorrowedFd,
    time::Duration,
};

use crate::{
    clock::monotonic,
    packet::Timestamp,
    privilege::{Call, Obstacle},
    transport::event::Event,
};

/// How long a CPU may take from stamping an event to showing it. Events younger than this wait for the next round, so
/// that one that another CPU is still writing can come before them.
pub const REORDER_WINDOW: Duration = Duration::from_millis(1);

/// Up to when events may be handed on now, in `CLOCK_MONOTONIC` nanoseconds: all of them, or those that no CPU can come before
/// any more.
fn limit(all: bool) -> u64 {
    if all { u64::MAX } else { monotonic().saturating_sub(REORDER_WINDOW.as_nanos() as u64) }
}

/// A kind of rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingKind {
    /// Perf rings: every kernel, and a NIC.
    Perf,
    /// Memory that the program writes in place: Linux 5.18.
    Mapped,
}

/// What takes events out of rings, in the order of their time.
pub trait Receiver {
    /// Why it takes no more.
    type End;

    /// How many sources there are. An event of one beyond them is not handed on: the ring is damaged.
    fn sources(&self) -> u32;

    /// Takes one event.
    fn event(&mut self, event: &Event<'_>) -> ControlFlow<Self::End>;

    /// Whether a ring that has events as Enhanced Packet Blocks should hand on those, by [`Receiver::stamp`] and
    /// [`Receiver::blocks`].
    fn wants_blocks(&self) -> bool;

    /// Takes note of an event of `source` at this `CLOCK_MONOTONIC` time, and says the wall-clock time its block is to have.
    fn stamp(&mut self, source: u32, time: u64) -> Timestamp;

    /// Takes whole blocks, of events that were stamped.
    fn blocks(&mut self, blocks: &[u8]) -> ControlFlow<Self::End>;
}

/// Why there are no rings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CPUs.
    #[error("cannot tell which CPUs are online")]
    Cpus(#[source] io::Error),
    /// The map that rings are put into.
    #[error("no file descriptor is left")]
    Descriptor(#[source] io::Error),
    /// The kernel does not let this process.
    #[error("{verb} open the perf event of a ring{0}", verb = .0.verb())]
    Permission(Obstacle),
    /// A CPU's perf event.
    #[error("cannot open a perf event of CPU {cpu}")]
    PerfEvent {
        /// The CPU.
        cpu: u32,
        /// What the kernel said.
        source: io::Error,
    },
    /// A CPU's wake-up.
    #[error("cannot be woken up by CPU {cpu}{}", advice(source))]
    Doorbell {
        /// The CPU.
        cpu: u32,
        /// What the kernel said.
        source: io::Error,
    },
    /// A CPU's ring.
    #[error("cannot get a ring of {kib} KiB for CPU {cpu}{}", advice(source))]
    Ring {
        /// The CPU.
        cpu: u32,
        /// The ring's size.
        kib: usize,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Error {
    /// A perf event that the kernel did not open.
    fn perf_event(cpu: u32, source: io::Error) -> Self {
        match Obstacle::behind(&source, Call::PerfEventOpen) {
            Some(obstacle) => Self::Permission(obstacle),
            None => Self::PerfEvent { cpu, source },
        }
    }

    /// Whether there is no such CPU now, whatever `/sys` says: it is offline (`ENODEV`) or does not exist (`EINVAL`).
    fn is_absent(&self) -> bool {
        match self {
            Self::PerfEvent { source, .. } => {
                matches!(source.raw_os_error(), Some(libc::ENODEV | libc::EINVAL))
            }
            Self::Ring { source, .. } | Self::Doorbell { source, .. } => {
                source.raw_os_error() == Some(libc::ENODEV)
            }
            _ => false,
        }
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        // `perf_mmap`, kernel/events/core.c (v6.18).
        Some(libc::EPERM) => {
            ", more than this user may lock (`ulimit -l`): give the program the capability cap_ipc_lock, or ask for less with -B"
        }
        Some(libc::ENOMEM) => ": ask for less with -B",
        _ => "",
    }
}

/// The rings of all CPUs, of one kind.
pub enum Rings {
    /// Perf rings.
    Perf(perf::Rings),
    /// Mapped memory.
    Mapped(mapped::Rings),
}

impl Rings {
    /// Hands what the rings hold to `receiver`, in the order of time, until it breaks. Without `to_the_end`, the events
    /// of the last moment stay; the result says whether any did.
    pub fn read<R: Receiver>(&mut self, to_the_end: bool, receiver: &mut R) -> ControlFlow<R::End, bool> {
        match self {
            Self::Perf(rings) => rings.read(to_the_end, receiver),
            Self::Mapped(rings) => rings.read(to_the_end, receiver),
        }
    }

    /// Prepares to sleep until something is to be read: for how long at most, or `None` when there is something already.
    /// `quiet` when the last round found nothing, `events_left` when it left some that were too young: nothing will announce
    /// that they are old enough.
    pub fn prepare_sleep(&mut self, quiet: bool, events_left: bool) -> Option<Duration> {
        match self {
            Self::Perf(_) if events_left => Some(REORDER_WINDOW),
            Self::Perf(rings) => Some(rings.longest_sleep()),
            Self::Mapped(rings) => rings.prepare_sleep(quiet, events_left),
        }
    }

    /// Makes rings, or what wakes the reader, for CPUs that came online, and takes those of CPUs that went offline away, after
    /// they were read to the end.
    ///
    /// # Errors
    /// When the kernel gives none for a new CPU.
    pub fn follow_cpus(&mut self) -> Result<(), Error> {
        match self {
            Self::Perf(rings) => rings.follow_cpus(),
            Self::Mapped(rings) => rings.follow_cpus(),
        }
    }

    /// What the rings say of what was read from them.
    pub fn counts(&self) -> Counts {
        match self {
            Self::Perf(rings) => rings.counts(),
            Self::Mapped(rings) => rings.counts(),
        }
    }

    /// The descriptors to poll.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::Perf(rings) => rings.descriptors().collect(),
            Self::Mapped(rings) => rings.descriptors().collect(),
        }
    }
}

/// What rings say of themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events the kernel says it had no room for. It says so only with the next event that fits, so the program's
    /// own counters are better where it has some.
    pub lost: u64,
    /// Times that a ring's bytes made no sense.
    pub damaged: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { lost: self.lost + other.lost, damaged: self.damaged + other.damaged }
    }
}

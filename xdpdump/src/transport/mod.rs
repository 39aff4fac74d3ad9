//! Brings frames from the kernel program to user space, through the rings of all CPUs of one probe.

pub mod event;
pub mod mapped;
pub mod perf;

use std::{
    io,
    ops::{Add, ControlFlow, RangeInclusive},
    os::fd::BorrowedFd,
    time::Duration,
};

use crate::{
    clock::monotonic,
    packet::Timestamp,
    privilege::{Call, Obstacle},
    transport::event::Event,
};

/// The longest time that a CPU may take from stamping an event to showing it in its ring. Younger events wait for the
/// next round, so that an event which another CPU is still writing can come before them.
pub const REORDER_WINDOW: Duration = Duration::from_millis(1);

/// Events up to this time may be handed on now, in `CLOCK_MONOTONIC` nanoseconds: all events, or only those that no
/// event of another CPU can precede any more.
fn limit(all: bool) -> u64 {
    if all { u64::MAX } else { monotonic().saturating_sub(REORDER_WINDOW.as_nanos() as u64) }
}

/// A kind of rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingKind {
    /// Perf rings; they work with every kernel, and with a program on a NIC.
    Perf,
    /// Memory that the program writes and user space maps; requires Linux 5.18.
    Mapped,
}

/// Receives the events of rings, ordered by time.
pub trait Receiver {
    /// Why it stops receiving.
    type End;

    /// Number of sources. An event with a greater source number is not handed on, because its ring must be damaged.
    fn sources(&self) -> u32;

    /// Receives one event.
    fn event(&mut self, event: &Event<'_>) -> ControlFlow<Self::End>;

    /// Whether it wants whole Enhanced Packet Blocks, from rings that contain them: through [`Receiver::stamp`] and
    /// [`Receiver::blocks`].
    fn wants_blocks(&self) -> bool;

    /// Announces an event of `source` at this `CLOCK_MONOTONIC` time; returns the wall-clock time for its block.
    fn stamp(&mut self, source: u32, time: u64) -> Timestamp;

    /// Receives whole blocks, for events that were announced to [`Receiver::stamp`].
    fn blocks(&mut self, blocks: &[u8]) -> ControlFlow<Self::End>;

    /// Wall-clock time minus `CLOCK_MONOTONIC` in nanoseconds, if that is the same for all events from `now` on, as far as is
    /// known: then the programs can give blocks their time.
    fn offset(&self, _now: u64) -> Option<u64> {
        None
    }

    /// Receives a run of `count` blocks that nobody has looked at, of source 0, with their wall-clock times. `times` are the
    /// `CLOCK_MONOTONIC` times of the first and the last.
    fn unread(&mut self, blocks: &[u8], _count: u64, _times: RangeInclusive<u64>) -> ControlFlow<Self::End> {
        self.blocks(blocks)
    }
}

/// Why there are no rings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The online CPUs cannot be found out.
    #[error("cannot find out which CPUs are online")]
    Cpus(#[source] io::Error),
    /// The map that rings are put into.
    #[error("no file descriptor is left")]
    Descriptor(#[source] io::Error),
    /// The kernel does not allow this process to open a perf event.
    #[error("{verb} open the perf event of a ring{0}", verb = .0.verb())]
    Permission(Obstacle),
    /// The perf event of a CPU cannot be opened.
    #[error("cannot open a perf event of CPU {cpu}")]
    PerfEvent {
        /// The CPU.
        cpu: u32,
        /// The error of the system call.
        source: io::Error,
    },
    /// The doorbell of a CPU cannot be set up.
    #[error("cannot set up the wake-up by CPU {cpu}{}", advice(source))]
    Doorbell {
        /// The CPU.
        cpu: u32,
        /// The error of the system call.
        source: io::Error,
    },
    /// The ring of a CPU cannot be mapped.
    #[error("cannot get a ring of {kib} KiB for CPU {cpu}{}", advice(source))]
    Ring {
        /// The CPU.
        cpu: u32,
        /// Size of the ring in KiB.
        kib: usize,
        /// The error of the system call.
        source: io::Error,
    },
}

impl Error {
    /// The error for a perf event that the kernel did not open.
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
            ", which is more than this user may lock (`ulimit -l`): give the program the capability cap_ipc_lock, or ask for less with -B"
        }
        Some(libc::ENOMEM) => ": ask for less with -B",
        _ => "",
    }
}

/// The rings of all CPUs, of one kind.
pub enum Rings {
    /// Perf rings.
    Perf(perf::Rings),
    /// Mapped rings.
    Mapped(mapped::Rings),
}

impl Rings {
    /// Hands the events of the rings to `receiver`, ordered by time, until it breaks. Unless `to_the_end` is set,
    /// events in the reorder window stay in the rings; the result says whether there were any.
    pub fn read<R: Receiver>(&mut self, to_the_end: bool, receiver: &mut R) -> ControlFlow<R::End, bool> {
        match self {
            Self::Perf(rings) => rings.read(to_the_end, receiver),
            Self::Mapped(rings) => rings.read(to_the_end, receiver),
        }
    }

    /// Prepares to sleep until there are events: returns the longest time to sleep, or `None` if there are events
    /// already. `quiet` says that the last round found nothing; `events_left` says that it left events in the reorder
    /// window, which no wake-up announces again.
    pub fn prepare_sleep(&mut self, quiet: bool, events_left: bool) -> Option<Duration> {
        match self {
            Self::Perf(_) if events_left => Some(REORDER_WINDOW),
            Self::Perf(rings) => Some(rings.longest_sleep()),
            Self::Mapped(rings) => rings.prepare_sleep(quiet, events_left),
        }
    }

    /// Creates rings, or doorbells, for CPUs that came online. Removes those of CPUs that went offline, after reading
    /// them to the end.
    ///
    /// # Errors
    /// When the kernel refuses a ring or a doorbell for a new CPU.
    pub fn follow_cpus(&mut self) -> Result<(), Error> {
        match self {
            Self::Perf(rings) => rings.follow_cpus(),
            Self::Mapped(rings) => rings.follow_cpus(),
        }
    }

    /// The counts that the rings themselves keep.
    pub fn counts(&self) -> Counts {
        match self {
            Self::Perf(rings) => rings.counts(),
            Self::Mapped(rings) => rings.counts(),
        }
    }

    /// The descriptors to poll for wake-ups.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::Perf(rings) => rings.descriptors().collect(),
            Self::Mapped(rings) => rings.descriptors().collect(),
        }
    }
}

/// What is known from the rings alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events for which the kernel had no room. The kernel reports them only with the next event that fits, so if the
    /// program has counters, they are more exact.
    pub lost: u64,
    /// Number of times that the contents of a ring were invalid.
    pub damaged: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { lost: self.lost + other.lost, damaged: self.damaged + other.damaged }
    }
}

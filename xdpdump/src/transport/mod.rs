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

use xdpdump_ebpf::Counters;

use crate::{
    order::Receiver,
    probe::{self, Probe},
};

/// How long a CPU may take from stamping an event to showing it. Events younger than this wait for the next round, so
/// that one that another CPU is still writing can come before them.
pub const HORIZON: Duration = Duration::from_millis(1);

/// A way from the kernel to user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Perf rings: every kernel, and a NIC.
    Perf,
    /// Memory that the program writes in place: Linux 5.18.
    Mapped,
}

/// Why there are no rings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CPUs.
    #[error("cannot tell which CPUs are online")]
    Cpus(#[source] io::Error),
    /// The memory of the mapped rings.
    #[error(transparent)]
    Probe(#[from] probe::Error),
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
    /// Makes nothing of a CPU that went offline again: it is looked for again.
    fn unless_offline(self) -> Result<(), Self> {
        match self {
            Self::Ring { source, .. } if source.raw_os_error() == Some(libc::ENODEV) => Ok(()),
            error => Err(error),
        }
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            ": run as root, or give the program the capabilities cap_perfmon and, for larger rings than \
             `ulimit -l` allows, cap_ipc_lock; -B asks for smaller ones"
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
    /// that they came of age.
    pub fn prepare_sleep(&mut self, quiet: bool, events_left: bool) -> Option<Duration> {
        match self {
            Self::Perf(_) if events_left => Some(HORIZON),
            Self::Perf(rings) => Some(rings.longest_sleep()),
            Self::Mapped(rings) => rings.prepare_sleep(quiet, events_left),
        }
    }

    /// Opens rings for CPUs that came online, and closes those of CPUs that went offline, after they were read to the
    /// end.
    ///
    /// # Errors
    /// When the kernel gives no ring for a new CPU.
    pub fn follow_cpus(&mut self, probe: &Probe) -> Result<(), Error> {
        match self {
            Self::Perf(rings) => rings.follow_cpus(probe),
            Self::Mapped(rings) => rings.follow_cpus(probe),
        }
    }

    /// What was read from all rings.
    pub fn counts(&self) -> Counts {
        match self {
            Self::Perf(rings) => rings.counts(),
            Self::Mapped(rings) => rings.counts(),
        }
    }

    /// What the program counted, all CPUs together; `None` for one that does not count, on a NIC.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn counters(&self, probe: &Probe) -> Result<Option<Counters>, probe::Error> {
        match self {
            Self::Perf(_) => probe.counters(),
            Self::Mapped(rings) => Ok(Some(rings.counters())),
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

/// What was read from rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events read.
    pub read: u64,
    /// Events the kernel says it had no room for. It says so only with the next event that fits, so the program's
    /// own counters are better where it has some.
    pub lost: u64,
    /// Times that the ring's bytes made no sense.
    pub damaged: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            read: self.read + other.read,
            lost: self.lost + other.lost,
            damaged: self.damaged + other.damaged,
        }
    }
}

//! The kernel programs: loaded, attached to an interface, and gone when the process is. The only module that knows aya.
//!
//! That is aya-obj, aya's ELF layer. The loader on top of it, aya 0.14, reads and parses all of the kernel's BTF first, which
//! no program here needs: 35 ms and as many megabytes, more than everything else at the start together.

mod attach;
mod bpf;
mod error;
mod object;
mod occupant;
mod permission;
mod programs;

use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

pub use attach::Attached;
pub use error::Error;
use object::Image;
pub use occupant::{Holder, Process};
pub use permission::Obstacle;
pub use programs::name as program_name;
use xdpdump_ebpf::Counters;

use crate::{cpus, sys::kernel};

/// The programs and maps in the kernel, attached or not.
///
/// Dropping it detaches, and so does the end of the process, however it comes: the kernel closes the link.
pub struct Probe {
    image: Image,
    memory: Option<RingMemory>,
    link: Option<OwnedFd>,
    /// Whether the attached program keeps [`Counters`].
    counts: bool,
    program_id: Option<u32>,
}

/// The memory that the program writes records to, when it is not to use perf rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingMemory {
    /// CPUs with a ring: those with a smaller index.
    pub cpus: u32,
    /// Bytes of each ring, a power of two.
    pub ring_len: usize,
    /// Bytes of each map value: ring, control page and slack, in whole pages.
    pub value_len: usize,
}

const _: () = assert!(size_of::<Counters>() == 3 * size_of::<u64>());

impl Probe {
    /// Loads the maps, with `snap_len` as the most bytes to capture of a frame, and `memory` for a program that uses that
    /// instead of perf rings. Programs are loaded when they are attached.
    ///
    /// # Errors
    /// When the process may not, or the kernel cannot.
    pub fn load(snap_len: u32, memory: Option<RingMemory>) -> Result<Self, Error> {
        if kernel::version().is_none_or(|version| version < (5, 11)) {
            bpf::lift_memory_limit();
        }
        let image = Image::load(snap_len, memory)?;
        Ok(Self { image, memory, link: None, counts: true, program_id: None })
    }

    /// The map with the memory of the rings, a value for each CPU.
    ///
    /// # Errors
    /// When the embedded object has none.
    pub fn rings(&self) -> Result<BorrowedFd<'_>, Error> {
        self.image.map("RINGS")
    }

    /// How many CPUs have memory for a ring.
    pub fn ring_count(&self) -> u32 {
        self.memory.map_or(0, |memory| memory.cpus)
    }

    /// Connects the ring of `cpu`: events of that CPU go there from now on.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set_ring(&self, cpu: u32, ring: BorrowedFd<'_>) -> io::Result<()> {
        bpf::set_ring(self.events()?, cpu, ring)
    }

    /// Disconnects the ring of `cpu`; events of that CPU are counted as lost from now on.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn unset_ring(&self, cpu: u32) -> io::Result<()> {
        bpf::unset_ring(self.events()?, cpu)
    }

    /// What the attached program counted that writes to perf rings, all CPUs together; `None` for one that does not count,
    /// on a NIC.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn counters(&self) -> Result<Option<Counters>, Error> {
        if !self.counts {
            return Ok(None);
        }
        let cpus = cpus::possible().map_err(Error::Cpus)?.len();
        // SAFETY: the kernel side declares the map with these three numbers (asserted above), and the kernel lists all the
        // CPUs it can have.
        let per_cpu = unsafe { bpf::per_cpu_values(self.image.map("COUNTERS")?, cpus) };
        let per_cpu = per_cpu.map_err(Error::Counters)?;
        Ok(Some(per_cpu.iter().fold(Counters::default(), |sum, [seen, emitted, failed]| Counters {
            seen: sum.seen + seen,
            emitted: sum.emitted + emitted,
            failed: sum.failed + failed,
        })))
    }

    /// The attached program's id, as `bpftool prog` shows it.
    pub fn program_id(&self) -> Option<u32> {
        self.program_id
    }

    /// Takes the program off the interface.
    pub fn detach(&mut self) {
        self.link = None;
    }

    fn events(&self) -> io::Result<BorrowedFd<'_>> {
        self.image.map("EVENTS").map_err(io::Error::other)
    }
}

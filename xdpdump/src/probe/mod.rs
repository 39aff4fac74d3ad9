//! The kernel programs: loaded, attached to an interface, and gone when the process is. The only module that talks to
//! aya.

mod attach;
mod bpf;
mod error;
mod object;
mod offload;
mod programs;

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

pub use attach::Attached;
use aya::{
    Ebpf, EbpfLoader,
    maps::{Map, MapData, PerCpuArray},
    programs::Xdp,
};
pub use error::Error;
pub use programs::name as program_name;
use xdpdump_ebpf::Counters;

/// The programs and maps in the kernel, attached or not.
///
/// Dropping it detaches, and so does the end of the process, however it comes: the kernel closes the link.
pub struct Probe {
    ebpf: Ebpf,
    events: MapData,
    counters: PerCpuArray<MapData, KernelCounters>,
    rings: MapData,
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

/// [`Counters`] as a map value.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct KernelCounters(Counters);

// SAFETY: three u64 and no padding; every bit pattern is a value.
unsafe impl aya::Pod for KernelCounters {}

impl Probe {
    /// Loads the maps, with `snap_len` as the most bytes to capture of a frame, and `memory` for a program that uses that
    /// instead of perf rings. Programs are loaded when they are attached.
    ///
    /// # Errors
    /// When the process may not, or the kernel cannot.
    pub fn load(snap_len: u32, memory: Option<RingMemory>) -> Result<Self, Error> {
        if error::kernel_older_than(5, 11) {
            bpf::lift_memory_limit();
        }
        let mut loader = EbpfLoader::new();
        loader.override_global("SNAP_LEN", &snap_len, true);
        let mask = memory.map_or(0, |memory| (memory.ring_len - 1) as u32);
        let mut ebpf = match memory {
            Some(memory) => loader
                .override_global("RING_MASK", &mask, true)
                .map_max_entries("RINGS", memory.cpus)
                .load(&object::with_value_len("RINGS", memory.value_len)?),
            None => loader.load(object::OBJECT),
        }
        .map_err(Error::load)?;
        let mut take = |name| ebpf.take_map(name).ok_or(Error::Object(name));
        let (Map::PerfEventArray(events), Map::Array(rings)) = (take("EVENTS")?, take("RINGS")?) else {
            return Err(Error::Object("map of the right kind"));
        };
        let counters = PerCpuArray::try_from(take("COUNTERS")?).map_err(|_| Error::Object("COUNTERS"))?;
        Ok(Self { ebpf, events, counters, rings, memory, link: None, counts: true, program_id: None })
    }

    /// The map with the memory of the rings, a value for each CPU.
    pub fn rings(&self) -> BorrowedFd<'_> {
        self.rings.fd().as_fd()
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
        bpf::set_ring(self.events.fd().as_fd(), cpu, ring)
    }

    /// Disconnects the ring of `cpu`; events of that CPU are counted as lost from now on.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn unset_ring(&self, cpu: u32) -> io::Result<()> {
        bpf::unset_ring(self.events.fd().as_fd(), cpu)
    }

    /// What the attached program counted that writes to perf rings, all CPUs together; `None` for one that does not count, on a NIC.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn counters(&self) -> Result<Option<Counters>, Error> {
        if !self.counts {
            return Ok(None);
        }
        let per_cpu = self.counters.get(&0, 0).map_err(|error| Error::Counters(error.into()))?;
        Ok(Some(per_cpu.iter().fold(Counters::default(), |sum, KernelCounters(cpu)| Counters {
            seen: sum.seen + cpu.seen,
            emitted: sum.emitted + cpu.emitted,
            failed: sum.failed + cpu.failed,
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

    fn program(&mut self, name: &'static str) -> Result<&mut Xdp, Error> {
        self.ebpf.program_mut(name).and_then(|program| program.try_into().ok()).ok_or(Error::Object(name))
    }
}

//! The kernel programs: loaded, attached to an interface, and gone when the process is. The only module that talks to
//! aya.

mod attach;
mod bpf;
mod error;
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
use xdpdump_ebpf::{Counters, MAX_CAPTURE_LEN};

/// The compiled kernel programs; `cargo xtask build-ebpf` makes them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("XDPDUMP_EBPF_OBJECT"));

/// The programs and maps in the kernel, attached or not.
///
/// Dropping it detaches, and so does the end of the process, however it comes: the kernel closes the link.
pub struct Probe {
    ebpf: Ebpf,
    events: MapData,
    counters: PerCpuArray<MapData, KernelCounters>,
    link: Option<OwnedFd>,
    /// Whether the attached program keeps [`Counters`].
    counts: bool,
    program_id: Option<u32>,
}

/// [`Counters`] as a map value.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct KernelCounters(Counters);

// SAFETY: three u64 and no padding; every bit pattern is a value.
unsafe impl aya::Pod for KernelCounters {}

impl Probe {
    /// Loads the maps, with `snap_len` as the most bytes to capture of a frame. Programs are loaded when they are
    /// attached.
    ///
    /// # Errors
    /// When the process may not, or the kernel cannot.
    pub fn load(snap_len: u32) -> Result<Self, Error> {
        let snap_len = snap_len.min(MAX_CAPTURE_LEN);
        let mut ebpf = EbpfLoader::new()
            .override_global("SNAP_LEN", &snap_len, true)
            .load(OBJECT)
            .map_err(Error::load)?;
        let Some(Map::PerfEventArray(events)) = ebpf.take_map("EVENTS") else {
            return Err(Error::Object("EVENTS"));
        };
        let counters = ebpf.take_map("COUNTERS").ok_or(Error::Object("COUNTERS"))?;
        let counters = PerCpuArray::try_from(counters).map_err(|_| Error::Object("COUNTERS"))?;
        Ok(Self { ebpf, events, counters, link: None, counts: true, program_id: None })
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

    /// What the attached program counted, all CPUs together; `None` for one that does not count, on a NIC.
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

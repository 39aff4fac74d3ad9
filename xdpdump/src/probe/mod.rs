//! Loads the kernel programs, attaches them to interfaces and exchanges them; they are gone when the process ends. This is
//! the only module that uses aya.
//!
//! aya 0.14 is used for maps, for programs of other processes, and to learn the kernel's version. These are done without
//! it, in [`sys::bpf`](crate::sys::bpf):
//! * Loading: aya's loader first parses all of the kernel's BTF, which no program here needs; that takes 35 ms and 35 MB,
//!   more than everything else at the start together. It also has no `prog_ifindex` (for a program on a NIC).
//! * Attaching: if `BPF_LINK_CREATE` is refused with `EINVAL`, aya attaches through netlink, and such a program stays
//!   attached after `kill -9`.
//! * The perf event array: aya sizes it by the number of possible CPUs in `/sys`, which is too small if the CPU numbers
//!   have gaps, and cannot add a ring that it did not open itself.
//! * Freezing a map, without which the verifier does not treat its values as constants.
//! * fentry and fexit on other BPF programs: aya supports kernel functions only.

mod attach;
mod egress;
mod error;
mod kernel;
mod object;
mod occupant;
mod splice;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use attach::{Attached, Place};
use aya::programs::loaded_programs;
use egress::EgressFilter;
pub use error::Error;
use object::{Constants, Image, Linked, SourceCounters};
pub use occupant::{Holder, Process};
use splice::Functions;
use xdpdump_ebpf::Counters;

use crate::{
    filter::ebpf::{Hook, Target},
    packet::{Direction, LinkType},
    selection::Selection,
    sys::bpf,
};

/// The programs and maps in the kernel, attached or not.
///
/// Dropping it detaches all programs. So does the end of the process, however it ends: the kernel closes the links.
pub struct Probe {
    image: Image,
    /// Whether programs write to mapped rings instead of perf rings.
    mapped: bool,
    /// One attachment for each source, ordered by source number.
    attachments: Vec<Attachment>,
}

/// The sizes of the memory that programs write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLayout {
    /// Number of CPUs with a ring: those with a smaller index.
    pub cpus: u32,
    /// Bytes of each ring, a power of two; 0 for programs that write to perf rings.
    pub ring_len: usize,
    /// Bytes of each map value: control page and, for mapped rings, ring and slack, in whole pages.
    pub value_len: usize,
}

impl RingLayout {
    fn ring_mask(self) -> u32 {
        self.ring_len.saturating_sub(1) as u32
    }
}

/// What a program should capture.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The snap length in bytes.
    pub snap_len: u32,
    /// Which frames to select, and how much of each.
    pub selection: &'a Selection,
}

impl Task<'_> {
    fn constants(self, source: u32) -> Constants {
        let one_in = self.selection.one_in.map_or(1, std::num::NonZeroU32::get);
        Constants { source, snap_len: self.snap_len, one_in }
    }
}

/// A program on an interface.
struct Attachment {
    program: Program,
    id: Option<u32>,
    counters: SourceCounters,
    hold: Option<Hold>,
}

/// What keeps a program attached; dropping it detaches the program.
enum Hold {
    /// A link, which the kernel closes when the process ends.
    Link(OwnedFd),
    /// A filter of a queueing discipline.
    Filter(EgressFilter),
}

/// One of the compiled programs.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    place: ProgramPlace,
    /// Whether it accepts frames in several buffers.
    multi_buffer: bool,
    /// The interface whose NIC runs it, or 0 if the host's CPU does.
    ifindex: u32,
    /// Whether it keeps counters; the program for a NIC does not.
    counts: bool,
}

/// The hook that a program is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ProgramPlace {
    Ingress,
    Egress {
        /// The link type of the frames, which can only have VLAN tags in Ethernet.
        link_type: LinkType,
    },
}

impl Probe {
    /// Creates the maps that all programs share. Programs are loaded when they are attached.
    ///
    /// # Errors
    /// When the process lacks permissions, or the kernel lacks a feature or memory.
    pub fn load(layout: RingLayout) -> Result<Self, Error> {
        kernel::lift_memory_limit();
        let image = Image::load(layout)?;
        Ok(Self { image, mapped: layout.ring_len != 0, attachments: Vec::new() })
    }

    /// The perf event array through which programs hand over events or ring doorbells.
    pub fn events(&self) -> BorrowedFd<'_> {
        self.image.events()
    }

    /// The array map with the memory of the mapped rings: one value for each CPU.
    pub fn rings(&self) -> BorrowedFd<'_> {
        self.image.rings()
    }

    /// Atomically replaces the program of a source by one with another task: every frame runs through the old or the new
    /// program, and the source's counters continue.
    ///
    /// # Errors
    /// When there is no such source, or the kernel refuses; then the old program stays attached.
    pub fn exchange(&mut self, source: u32, task: Task<'_>) -> Result<(), Error> {
        let attachment = self.attachments.get_mut(source as usize).ok_or(Error::NoSource(source))?;
        let hold = attachment.hold.as_mut().ok_or(Error::NoSource(source))?;
        let program = &attachment.program;
        let functions = Functions::generate(task, program)?;
        let linked =
            self.image.program(program.name, task.constants(source), &functions, &attachment.counters)?;
        let program = program.load(&linked).map_err(|(error, log)| Error::program(&error, &log))?;
        match hold {
            Hold::Link(link) => bpf::exchange_program(link.as_fd(), program.as_fd()),
            Hold::Filter(filter) => filter.exchange(program.as_fd()),
        }
        .map_err(Error::Exchange)?;
        attachment.id = bpf::program_id(program.as_fd()).ok();
        Ok(())
    }

    /// The counters of a source, summed over all CPUs; `None` for a program on a NIC, which does not count.
    ///
    /// # Errors
    /// [`Error::Counters`] with the error of the system call, and [`Error::NoSource`].
    pub fn counters(&self, source: u32) -> Result<Option<Counters>, Error> {
        let attachment = self.attachments.get(source as usize).ok_or(Error::NoSource(source))?;
        attachment.program.counts.then(|| attachment.counters.sum()).transpose()
    }

    /// The id of a source's XDP program, as `bpftool prog` shows it.
    pub fn xdp_program_id(&self, source: u32) -> Option<u32> {
        let attachment = self.attachments.get(source as usize)?;
        attachment.id.filter(|_| attachment.program.place == ProgramPlace::Ingress)
    }

    /// Detaches the program of a source. Its counters can still be read.
    pub fn release(&mut self, source: u32) {
        if let Some(attachment) = self.attachments.get_mut(source as usize) {
            attachment.hold = None;
        }
    }

    /// Detaches all programs. Their counters can still be read.
    pub fn detach(&mut self) {
        for attachment in &mut self.attachments {
            attachment.hold = None;
        }
    }
}

impl Program {
    /// What the program offers a filter. The verdict is known, because an XDP program always gives the same one itself.
    fn target(&self) -> Target {
        let (hook, direction) = match self.place {
            ProgramPlace::Ingress => (Hook::Xdp, Direction::Inbound),
            ProgramPlace::Egress { .. } => (Hook::Tc { tagged: false }, Direction::Outbound),
        };
        Target {
            hook,
            multi_buffer: self.multi_buffer,
            offloaded: !self.counts,
            verdict: self.place == ProgramPlace::Ingress,
            direction,
        }
    }

    /// The same for frames whose VLAN tag is not among their bytes; `None` if there are no such frames.
    fn target_for_tagged(&self) -> Option<Target> {
        let has_tags = self.place == ProgramPlace::Egress { link_type: LinkType::ETHERNET };
        has_tags.then(|| Target { hook: Hook::Tc { tagged: true }, ..self.target() })
    }

    fn load(&self, Linked { instructions, .. }: &Linked) -> Result<OwnedFd, (std::io::Error, String)> {
        let &Self { name, place, multi_buffer, ifindex, .. } = self;
        let (kind, multi_buffer) = match place {
            ProgramPlace::Ingress => (bpf::Kind::Xdp, multi_buffer),
            // Every tc program accepts them, without a flag.
            ProgramPlace::Egress { .. } => (bpf::Kind::Tc, false),
        };
        bpf::load_program(&bpf::Program { kind, name, instructions, multi_buffer, ifindex })
    }
}

/// What the program for received frames in several buffers, which a capture tries first, offers a filter.
pub fn target() -> Target {
    Program { name: "", place: ProgramPlace::Ingress, multi_buffer: true, ifindex: 0, counts: true }.target()
}

/// The name of the loaded program with this id, as its author gave it (at most 15 bytes).
pub fn program_name(id: u32) -> Option<String> {
    let program = loaded_programs().flatten().find(|program| program.id() == id)?;
    let name = String::from_utf8_lossy(program.name()).into_owned();
    (!name.is_empty()).then_some(name)
}

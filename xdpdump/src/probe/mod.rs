//! The kernel programs: loaded, attached to interfaces, exchanged, and gone when the process is. The only module that knows
//! aya.
//!
//! aya 0.14 has the maps, the programs of others, and what the kernel is. Done without it, in [`sys::bpf`](crate::sys::bpf):
//! * Loading: its loader reads and parses all of the kernel's BTF first, which no program here needs: 35 ms and as many
//!   megabytes, more than everything else at the start together. It knows no `prog_ifindex` (a NIC's program) either.
//! * Attaching: where `BPF_LINK_CREATE` is refused with `EINVAL`, it attaches through netlink, which outlives `kill -9`.
//! * The perf event array: it takes the number of possible CPUs from `/sys` for the largest index, which is too small where
//!   the numbers have gaps, and cannot put a ring in that it did not open.
//! * Freezing a map, without which its values are no constants to the verifier.
//! * fentry and fexit of other BPF programs: it knows those of kernel functions only.

mod attach;
mod error;
mod kernel;
mod object;
mod occupant;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use attach::Attached;
use aya::programs::loaded_programs;
pub use error::Error;
pub use object::Constants;
use object::{Image, Linked, SourceCounters};
pub use occupant::{Holder, Process};
use xdpdump_ebpf::Counters;

use crate::sys::bpf;

/// The programs and maps in the kernel, attached or not.
///
/// Dropping it detaches all programs, and so does the end of the process, however it comes: the kernel closes the links.
pub struct Probe {
    image: Image,
    /// Whether programs write to mapped rings.
    mapped: bool,
    /// One for each source, in their order.
    attachments: Vec<Attachment>,
}

/// The memory that programs write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLayout {
    /// CPUs with a ring: those with a smaller index.
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

/// A program on an interface.
struct Attachment {
    program: Program,
    id: Option<u32>,
    counters: SourceCounters,
    link: Option<OwnedFd>,
}

/// One of the programs that were compiled.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    /// Whether it takes frames in several buffers.
    multi_buffer: bool,
    /// The interface whose NIC is to run it, 0 for none.
    ifindex: u32,
    /// Whether it keeps counters; a NIC's does not.
    counts: bool,
}

impl Probe {
    /// Creates the maps that all programs share. Programs are loaded when they are attached.
    ///
    /// # Errors
    /// When the process may not, or the kernel cannot.
    pub fn load(layout: RingLayout) -> Result<Self, Error> {
        kernel::lift_memory_limit();
        let image = Image::load(layout)?;
        Ok(Self { image, mapped: layout.ring_len != 0, attachments: Vec::new() })
    }

    /// The perf event array that programs hand events to, or ring doorbells through.
    pub fn events(&self) -> BorrowedFd<'_> {
        self.image.events()
    }

    /// The array with the memory of the mapped rings, a value for each CPU.
    pub fn rings(&self) -> BorrowedFd<'_> {
        self.image.rings()
    }

    /// Puts a program with other constants in the place of the one that a source has, in one step: every frame meets the one
    /// or the other, and the source's counters go on.
    ///
    /// # Errors
    /// When there is no such source, or the kernel does not let us; the program stays as it was.
    pub fn exchange(&mut self, source: u32, snap_len: u32) -> Result<(), Error> {
        let attachment = self.attachments.get_mut(source as usize).ok_or(Error::NoSource(source))?;
        let link = attachment.link.as_ref().ok_or(Error::NoSource(source))?;
        let constants = Constants { source, snap_len };
        let linked = self.image.program(attachment.program.name, constants, &attachment.counters)?;
        let program =
            attachment.program.load(&linked).map_err(|(error, log)| Error::program(&error, &log))?;
        bpf::exchange_program(link.as_fd(), program.as_fd()).map_err(Error::Exchange)?;
        attachment.id = bpf::program_id(program.as_fd()).ok();
        Ok(())
    }

    /// What the programs of a source counted, all CPUs together; `None` for one that does not count, on a NIC.
    ///
    /// # Errors
    /// What the kernel says, and [`Error::NoSource`].
    pub fn counters(&self, source: u32) -> Result<Option<Counters>, Error> {
        let attachment = self.attachments.get(source as usize).ok_or(Error::NoSource(source))?;
        attachment.program.counts.then(|| attachment.counters.sum()).transpose()
    }

    /// The id of the program that a source has, as `bpftool prog` shows it.
    pub fn program_id(&self, source: u32) -> Option<u32> {
        self.attachments.get(source as usize)?.id
    }

    /// Takes all programs off their interfaces. Their counters can still be read.
    pub fn detach(&mut self) {
        for attachment in &mut self.attachments {
            attachment.link = None;
        }
    }
}

impl Program {
    fn load(self, Linked { instructions, .. }: &Linked) -> Result<OwnedFd, (std::io::Error, String)> {
        let Self { name, multi_buffer, ifindex, .. } = self;
        bpf::load_program(&bpf::Program { name, instructions, multi_buffer, ifindex })
    }
}

/// The name of the loaded program with this id, as its author gave it (at most 15 bytes).
pub fn program_name(id: u32) -> Option<String> {
    let program = loaded_programs().flatten().find(|program| program.id() == id)?;
    let name = String::from_utf8_lossy(program.name()).into_owned();
    (!name.is_empty()).then_some(name)
}

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
//! * fentry and fexit on other BPF programs (`tap.rs`): aya supports kernel functions only.

mod attach;
mod btf;
mod egress;
mod error;
pub mod features;
mod kernel;
mod object;
mod observed;
mod occupant;
mod splice;
mod tap;

use std::{
    cell::OnceCell,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

pub use attach::{Attached, Place, check_driver_tells};
use aya::programs::loaded_programs;
use btf::Btf;
pub use error::Error;
use object::{Constants, Image, Linked, SourceCounters};
pub use observed::{Named, Observed, Unobservable};
pub use occupant::{Holder, Process};
use splice::Functions;
pub use tap::{Point, check_beside};
use xdpdump_ebpf::{
    Counters,
    ring::{Control, SLACK, section_shift},
};

use crate::{
    filter::ebpf::{Hook, Target},
    interface::{Link, XdpMode, clsact},
    packet::{Detail, Direction, LinkType},
    selection::Selection,
    sys::bpf::{self, tracing},
};

/// How long a CPU may still be inside a program after it was detached.
const STILL_RUNNING: Duration = Duration::from_secs(1);

/// The programs and maps in the kernel, attached or not.
///
/// Dropping it detaches all programs. So does the end of the process, however it ends: the kernel closes the links.
pub struct Probe {
    image: Image,
    /// Whether programs write to mapped rings instead of perf rings.
    mapped: bool,
    /// One attachment for each source, ordered by source number.
    attachments: Vec<Attachment>,
    /// The kernel functions that return metadata; looked up once.
    metadata: OnceCell<Metadata>,
}

/// The sizes of the memory that programs write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLayout {
    /// Number of CPUs with a ring: those with a smaller index.
    pub cpus: u32,
    /// Bytes of the small ring, a power of two; 0 if there is only one.
    pub small_len: usize,
    /// Bytes of the large ring, or the only one, a power of two; 0 for programs that write to perf rings.
    pub ring_len: usize,
    /// Bytes of each map value: control page and, for mapped rings, rings and slack, in whole pages.
    pub value_len: usize,
}

impl RingLayout {
    /// For programs that write to perf rings.
    pub fn without_rings(cpus: u32) -> Self {
        Self { cpus, small_len: 0, ring_len: 0, value_len: size_of::<Control>() }
    }

    fn small_mask(self) -> u32 {
        let len = if self.small_len == 0 { self.ring_len } else { self.small_len };
        len.saturating_sub(1) as u32
    }

    fn large_mask(self) -> u32 {
        self.ring_len.saturating_sub(1) as u32
    }

    fn large_at(self) -> u32 {
        if self.small_len == 0 { 0 } else { (self.small_len + SLACK) as u32 }
    }

    fn section_shift(self) -> u32 {
        section_shift(self.ring_len.max(1))
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
    counters: Counting,
    hold: Option<Hold>,
    /// The program, if it runs beside another one.
    tap: Option<OwnedFd>,
    /// The other one, if a dispatcher calls it, whose id `id` is then.
    slot: Option<u32>,
    /// Frames for which the kernel did not call a program that runs beside another one.
    missed: u64,
    /// When it was given up.
    released: Option<Instant>,
}

/// The counters of an attachment.
enum Counting {
    /// In the map of its program.
    Map(SourceCounters),
    /// As they were when no CPU ran the program any more.
    Done(Counters),
}

impl Counting {
    fn sum(&self) -> Result<Counters, Error> {
        match self {
            Self::Map(map) => map.sum(),
            Self::Done(counters) => Ok(*counters),
        }
    }
}

impl Attachment {
    fn new(program: Program, id: Option<u32>, counters: SourceCounters, hold: Hold) -> Self {
        Self {
            program,
            id,
            counters: Counting::Map(counters),
            hold: Some(hold),
            tap: None,
            slot: None,
            missed: 0,
            released: None,
        }
    }

    /// How many times the kernel did not call a program beside another one, because an interrupt came while the same program
    /// was running.
    fn missed(&self) -> u64 {
        let info = self.tap.as_ref().and_then(|tap| tracing::program_info(tap.as_fd()).ok());
        info.map_or(self.missed, |info| info.missed)
    }
}

/// What keeps a program attached; dropping it detaches the program.
enum Hold {
    /// A link, which the kernel closes when the process ends.
    Link(OwnedFd),
    /// A filter of a queueing discipline.
    Filter(clsact::Filter),
}

/// One of the compiled programs.
#[derive(Clone, Copy)]
struct Program {
    name: &'static str,
    place: ProgramPlace,
    /// Whether it accepts frames in several buffers.
    multi_buffer: bool,
    /// The interface that it is loaded for, because its NIC or its driver has to support it; otherwise 0.
    ifindex: u32,
    /// Whether it keeps counters; the program for a NIC does not.
    counts: bool,
    /// What it asks the driver about each frame. A program that asks is for the driver of one interface, whose index is
    /// `ifindex`.
    metadata: Metadata,
}

/// The BTF ids of kernel functions that return metadata of a received frame (net/core/xdp.c, v6.18); `None` for one that
/// the kernel does not have, or that is not called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Metadata {
    /// The VLAN tag that the NIC took off (Linux 6.8).
    tag: Option<u32>,
    /// The NIC's time stamp (Linux 6.3).
    time: Option<u32>,
    /// The NIC's hash (Linux 6.3).
    hash: Option<u32>,
}

impl Metadata {
    /// The names of these functions.
    const FUNCTIONS: [&str; 3] =
        ["bpf_xdp_metadata_rx_vlan_tag", "bpf_xdp_metadata_rx_timestamp", "bpf_xdp_metadata_rx_hash"];

    fn is_asked(self) -> bool {
        self != Self::default()
    }

    /// Those that the kernel has.
    fn of_kernel() -> Self {
        let Ok(bytes) = tracing::kernel_btf() else { return Self::default() };
        let [tag, time, hash] = Btf::function_ids(&bytes, Self::FUNCTIONS);
        Self { tag, time, hash }
    }
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
        kernel::raise_descriptor_limit();
        let image = Image::load(layout)?;
        Ok(Self { image, mapped: layout.ring_len != 0, attachments: Vec::new(), metadata: OnceCell::new() })
    }

    /// Chooses which options the records of mapped rings have, for programs that are attached from now on.
    pub fn set_detail(&mut self, detail: Detail) {
        self.image.set_detail(detail);
    }

    /// Whether programs write to mapped rings, which those beside other programs do not.
    pub fn has_mapped_rings(&self) -> bool {
        self.mapped
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
        let Counting::Map(counters) = &attachment.counters else { return Err(Error::NoSource(source)) };
        let linked = self.image.program(program.name, task.constants(source), &functions, counters)?;
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
        if !attachment.program.counts {
            return Ok(None);
        }
        let mut counters = attachment.counters.sum()?;
        let missed = attachment.missed();
        counters.seen += missed;
        counters.failed += missed;
        Ok(Some(counters))
    }

    /// The id of the XDP program that has to be on the interface for this source, as `bpftool prog` shows it: its own, or the
    /// one that it observes.
    pub fn xdp_program_id(&self, source: u32) -> Option<u32> {
        let attachment = self.attachments.get(source as usize)?;
        attachment.id.filter(|_| attachment.program.place == ProgramPlace::Ingress)
    }

    /// The sources beside programs that a dispatcher called and does not call any more, so that they get no frames. The kernel
    /// announces no such change.
    pub fn sources_of_left_slots(&self) -> Vec<u32> {
        let is_left = |attachment: &Attachment| {
            let slot = attachment.id.zip(attachment.slot).filter(|_| attachment.hold.is_some());
            slot.is_some_and(|(dispatcher, program)| !observed::is_in_slot_of(dispatcher, program))
        };
        (0..)
            .zip(&self.attachments)
            .filter(|(_, attachment)| is_left(attachment))
            .map(|(source, _)| source)
            .collect()
    }

    /// Detaches the program of a source. Its counters can still be read.
    pub fn release(&mut self, source: u32) {
        if let Some(attachment) = self.attachments.get_mut(source as usize) {
            attachment.hold = None;
            attachment.missed = attachment.missed();
            attachment.tap = None;
            attachment.released = Some(Instant::now());
        }
    }

    /// Closes the counters of sources that were released a while ago, and keeps what they say: a capture of all interfaces
    /// would otherwise run out of file descriptors where interfaces come and go.
    ///
    /// # Errors
    /// As [`Probe::counters`].
    pub fn close_released(&mut self) -> Result<(), Error> {
        for attachment in &mut self.attachments {
            if attachment.released.is_some_and(|released| released.elapsed() >= STILL_RUNNING) {
                attachment.counters = Counting::Done(attachment.counters.sum()?);
                attachment.released = None;
            }
        }
        Ok(())
    }

    /// Detaches all programs. Their counters can still be read.
    pub fn detach(&mut self) {
        for attachment in &mut self.attachments {
            attachment.hold = None;
        }
    }
}

impl Program {
    /// A program for received frames that asks for nothing else.
    fn received(name: &'static str, multi_buffer: bool) -> Self {
        Self {
            name,
            place: ProgramPlace::Ingress,
            multi_buffer,
            ifindex: 0,
            counts: true,
            metadata: Metadata::default(),
        }
    }

    /// What the program offers a filter. The verdict is known, because an XDP program always gives the same one itself.
    fn target(&self) -> Target {
        let (hook, direction) = match self.place {
            ProgramPlace::Ingress => (Hook::Xdp, Direction::Inbound),
            ProgramPlace::Egress { .. } => (Hook::Tc, Direction::Outbound),
        };
        Target {
            hook,
            tagged: false,
            multi_buffer: self.multi_buffer,
            offloaded: !self.counts,
            verdict: self.place == ProgramPlace::Ingress,
            direction,
        }
    }

    /// The same for frames whose VLAN tag is not among their bytes; `None` if there are no such frames.
    fn target_for_tagged(&self) -> Option<Target> {
        let has_tags = match self.place {
            ProgramPlace::Ingress => self.metadata.tag.is_some(),
            ProgramPlace::Egress { link_type } => link_type == LinkType::ETHERNET,
        };
        has_tags.then(|| Target { tagged: true, ..self.target() })
    }

    fn load(&self, Linked { instructions, .. }: &Linked) -> Result<OwnedFd, (std::io::Error, String)> {
        let &Self { name, place, multi_buffer, ifindex, .. } = self;
        let (kind, multi_buffer) = match place {
            ProgramPlace::Ingress => (bpf::Kind::Xdp, multi_buffer),
            // Every tc program accepts them, without a flag.
            ProgramPlace::Egress { .. } => (bpf::Kind::Tc, false),
        };
        let in_driver = self.metadata.is_asked();
        bpf::load_program(&bpf::Program { kind, name, instructions, multi_buffer, ifindex, in_driver })
    }
}

/// Checks that this process may use a map whose descriptor is open. Kernels before 5.19 ask for CAP_BPF even for that, if
/// `kernel.unprivileged_bpf_disabled` is set (`__sys_bpf`, kernel/bpf/syscall.c, v5.18).
///
/// # Errors
/// The error of the system call.
pub fn check_map(map: BorrowedFd<'_>) -> std::io::Result<()> {
    bpf::map_id(map).map(drop)
}

/// What the program for received frames in several buffers, which a capture tries first, offers a filter.
pub fn target() -> Target {
    Program::received("", true).target()
}

/// The name of the loaded program with this id: as its author gave it, or the first 15 bytes of it if the program does not
/// tell more.
pub fn program_name(id: u32) -> Option<String> {
    if let Some(program) = observed::named(id) {
        return Some(program.name);
    }
    let program = loaded_programs().flatten().find(|program| program.id() == id)?;
    let name = String::from_utf8_lossy(program.name()).into_owned();
    (!name.is_empty()).then_some(name)
}

/// The programs that a dispatcher of libxdp calls, in this order; none if the program with this id is no dispatcher.
pub fn programs_in(id: u32) -> Vec<Named> {
    observed::in_slots_of(id)
}

/// Whether maps and programs count against the limit of locked memory: before Linux 5.11. This goes by the version, because such
/// a limit may be what makes a trial fail.
pub fn counts_locked_memory() -> bool {
    kernel::is_before(5, 11)
}

/// Whether the kernel may lack what it knows only since this version: for what cannot be tried.
pub fn is_before(major: u8, minor: u8) -> bool {
    kernel::is_before(major, minor)
}

/// The programs that are attached to an interface through tcx, with their names where the kernel tells them: those for what it
/// receives, or for what it sends.
///
/// # Errors
/// What the kernel says: `EINVAL` before Linux 6.6, `EPERM` without `CAP_NET_ADMIN`.
pub fn tcx_programs(link: &Link, direction: Direction) -> std::io::Result<Vec<Named>> {
    let ids = bpf::tcx_programs(link.index, direction == Direction::Outbound)?;
    let named = |id| Named { id, name: program_name(id).unwrap_or_default() };
    Ok(ids.into_iter().map(named).collect())
}

/// The id of the program on an interface that a capture in this mode, or in any, runs beside.
pub fn beside(link: &Link, mode: Option<XdpMode>) -> Option<u32> {
    observed::on(link, mode).map(|program| program.program_id)
}

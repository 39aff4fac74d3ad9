//! Chooses program and mode for an interface, attaches, and explains refusals.

use std::{fmt, io, os::fd::AsFd};

use aya_obj::generated::{XDP_FLAGS_DRV_MODE, XDP_FLAGS_HW_MODE, XDP_FLAGS_SKB_MODE};

use super::{
    Attachment, Error, Functions, Hold, Metadata, Probe, Program, SourceCounters, Task, error::INTERRUPTED,
    kernel,
};
use crate::{
    interface::{Link, Metadata as Wanted, VlanTags, XdpMode},
    packet::Direction,
    selection::Selection,
    sys::bpf,
};

/// The place in the kernel where a program sees frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// XDP: received frames.
    Xdp(XdpMode),
    /// tcx (Linux 6.6): frames that are sent.
    Tcx,
    /// A filter of the queueing discipline clsact: frames that are sent.
    Clsact,
}

impl Place {
    /// The direction of the frames.
    pub fn direction(self) -> Direction {
        match self {
            Self::Xdp(_) => Direction::Inbound,
            Self::Tcx | Self::Clsact => Direction::Outbound,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xdp(mode) => write!(f, "{mode} mode"),
            Self::Tcx => f.write_str("tcx"),
            Self::Clsact => f.write_str("clsact"),
        }
    }
}

/// How a program was attached.
#[derive(Clone, Debug)]
pub struct Attached {
    /// Where it runs.
    pub place: Place,
    /// Whether it sees frames that lie in several buffers.
    pub multi_buffer: bool,
    /// Where the VLAN tags of the frames are; [`VlanTags::OnRequest`] if the program asks for them.
    pub vlan_tags: VlanTags,
    /// Why native mode was refused, if generic mode is used instead without having been asked for.
    pub native_refused: Option<String>,
    /// The part of the selection that the program does not do; whoever reads its frames must do it.
    pub left: Selection,
    /// Why this part is left.
    pub left_because: Option<String>,
}

impl Attached {
    pub(super) fn new(place: Place, multi_buffer: bool) -> Self {
        Self {
            place,
            multi_buffer,
            vlan_tags: VlanTags::InFrame,
            native_refused: None,
            left: Selection::default(),
            left_because: None,
        }
    }
}

impl Probe {
    /// Attaches a program to `link`, as the next source. If `mode` is given, only that mode is tried; otherwise native
    /// mode, and generic mode if the driver has no native mode or refuses it because of its present settings. If the
    /// kernel refuses the program because of the task's selection, a program that captures every frame whole is
    /// attached, and the selection is left to user space.
    ///
    /// # Errors
    /// When another program is attached, the mode is refused, the kernel is too old, or the filter is too large.
    pub fn attach(&mut self, link: &Link, mode: Option<XdpMode>, task: Task<'_>) -> Result<Attached, Error> {
        self.or_without_selection(task, |probe, task| probe.attach_for(link, mode, task))
    }

    /// Attaches by `attach`, without the task's selection if that is what the kernel refuses.
    pub(super) fn or_without_selection(
        &mut self,
        task: Task<'_>,
        attach: impl Fn(&mut Self, Task<'_>) -> Result<Attached, Error>,
    ) -> Result<Attached, Error> {
        match attach(self, task) {
            Err(reason) if reason.may_be_the_filters() && !task.selection.is_everything() => {
                let everything = Task { snap_len: u32::MAX, selection: &Selection::default() };
                let attached = attach(self, everything)?;
                let left_because = Some(match reason {
                    Error::Load(_) => "the kernel does not verify a program with this selection".to_owned(),
                    reason => reason.to_string(),
                });
                Ok(Attached { left: task.selection.clone(), left_because, ..attached })
            }
            result => result,
        }
    }

    /// Exchanges the selection of a source, and returns the part that is left to user space: all of it if the kernel refuses a
    /// program with this selection, as in [`Probe::attach`].
    ///
    /// # Errors
    /// As [`Probe::exchange`].
    pub fn select(&mut self, source: u32, task: Task<'_>) -> Result<Selection, Error> {
        let attachment = self.attachments.get(source as usize).ok_or(Error::NoSource(source))?;
        if !attachment.program.counts {
            // The program for a NIC only filters.
            let Selection { filter, one_in, headers } = task.selection.clone();
            let selection = Selection { filter, ..Selection::default() };
            self.exchange(source, Task { selection: &selection, ..task })?;
            return Ok(Selection { filter: None, one_in, headers });
        }
        match self.exchange(source, task) {
            Err(reason) if reason.may_be_the_filters() && !task.selection.is_everything() => {
                let everything = Task { snap_len: u32::MAX, selection: &Selection::default() };
                self.exchange(source, everything)?;
                Ok(task.selection.clone())
            }
            exchanged => exchanged.map(|()| Selection::default()),
        }
    }

    /// Attaches a program in the driver that hands over, with each frame, what the adapter says about it; otherwise like
    /// [`Probe::attach`]. Only through perf rings.
    ///
    /// # Errors
    /// Also when the kernel has no functions for what is wanted.
    pub fn attach_asking(&mut self, link: &Link, wanted: Wanted, task: Task<'_>) -> Result<Attached, Error> {
        self.or_without_selection(task, |probe, task| {
            let request = Request { link, task, wanted };
            probe
                .attach_in(request, XdpMode::Native)
                .map_err(|refusal| refusal.explain(link, XdpMode::Native))
        })
    }

    fn attach_for(&mut self, link: &Link, mode: Option<XdpMode>, task: Task<'_>) -> Result<Attached, Error> {
        let request = Request { link, task, wanted: Wanted::default() };
        match mode {
            Some(XdpMode::Offload) => self.attach_nic_program(link, XdpMode::Offload, task),
            Some(mode) => self.attach_in(request, mode).map_err(|refusal| refusal.explain(link, mode)),
            None => match self.attach_in(request, XdpMode::Native) {
                Err(Refusal::Attach(error)) if is_of_native_mode_only(&error) => self
                    .attach_in(request, XdpMode::Skb)
                    .map(|attached| Attached { native_refused: Some(error.to_string()), ..attached })
                    .map_err(|refusal| refusal.explain(link, XdpMode::Skb)),
                result => result.map_err(|refusal| refusal.explain(link, XdpMode::Native)),
            },
        }
    }

    pub(super) fn next_source(&self) -> u32 {
        self.attachments.len() as u32
    }

    /// Attaches the first program that kernel and driver accept.
    fn attach_in(&mut self, request: Request<'_>, mode: XdpMode) -> Result<Attached, Refusal> {
        let vlan_tags = request.link.vlan_tags();
        let (best, others) = self.programs(request, mode, vlan_tags)?;
        let mut refusal = match self.attach_one(request, mode, vlan_tags, best) {
            Attempt::Next(refusal) => refusal,
            Attempt::Done(result) => return result,
        };
        for program in others {
            match self.attach_one(request, mode, vlan_tags, program) {
                Attempt::Next(next) => refusal = next,
                Attempt::Done(result) => return result,
            }
        }
        Err(refusal)
    }

    /// The programs to try: the best one, then the others. One for frames in several buffers comes before one for those in one
    /// buffer, and one that asks for VLAN tags before one that does not.
    fn programs(
        &self,
        request: Request<'_>,
        mode: XdpMode,
        vlan_tags: VlanTags,
    ) -> Result<(Program, Vec<Program>), Error> {
        let Request { link, wanted, .. } = request;
        let (for_several_buffers, for_one) = match (self.mapped, wanted == Wanted::default()) {
            (_, false) => ("xdpdump_nic_f", "xdpdump_nic"),
            (true, true) => ("xdpdump_ring_f", "xdpdump_ring"),
            (false, true) => ("xdpdump_frags", "xdpdump"),
        };
        let (several, one) =
            (Program::received(for_several_buffers, true), Program::received(for_one, false));
        if mode == XdpMode::Skb {
            // The kernel gives it every frame in one buffer. For the other program it makes a new sk_buff of each frame
            // (`skb_pp_cow_data`, net/core/skbuff.c, v6.18), and then what a tc program redirects to an interface's ingress is
            // lost, as seen on 6.18 (tests/kernel_redirect.rs).
            return Ok((one, Vec::new()));
        }
        let asks_for_tags = vlan_tags == VlanTags::OnRequest && mode == XdpMode::Native;
        if !asks_for_tags && wanted == Wanted::default() {
            return Ok((several, vec![one]));
        }
        let kernel = self.metadata.get_or_init(Metadata::of_kernel);
        let metadata = Metadata {
            tag: kernel.tag.filter(|_| asks_for_tags),
            time: kernel.time.filter(|_| wanted.time),
            hash: kernel.hash.filter(|_| wanted.hash),
        };
        if (wanted.time, wanted.hash) != (metadata.time.is_some(), metadata.hash.is_some()) {
            return Err(Error::NoMetadataFunctions(link.display_name()));
        }
        let asking = |program| Program { ifindex: link.index, metadata, ..program };
        Ok(if wanted != Wanted::default() {
            (asking(several), vec![asking(one)])
        } else if metadata.tag.is_some() {
            (asking(several), vec![several, one])
        } else {
            (several, vec![one])
        })
    }

    fn attach_one(
        &mut self,
        request: Request<'_>,
        mode: XdpMode,
        vlan_tags: VlanTags,
        program: Program,
    ) -> Attempt {
        let counters = match self.image.counters() {
            Ok(counters) => counters,
            Err(error) => return Attempt::Done(Err(error.into())),
        };
        let has_tags = program.metadata.tag.is_some();
        let is_optional = program.metadata.is_asked() && request.wanted == Wanted::default();
        match self.load_and_attach(request, program, counters, mode) {
            Ok(()) => {
                let vlan_tags = match vlan_tags.unless_asked() {
                    _ if has_tags => vlan_tags,
                    // The stack has taken the tag off when a port hands the frame to it (`__netif_receive_skb_core`,
                    // net/core/dev.c, v6.18).
                    _ if mode == XdpMode::Skb && request.link.has_ports() => VlanTags::TakenOff,
                    vlan_tags => vlan_tags,
                };
                let is_whole = program.multi_buffer || mode == XdpMode::Skb;
                let attached = Attached::new(Place::Xdp(mode), is_whole);
                Attempt::Done(Ok(Attached { vlan_tags, ..attached }))
            }
            Err(Refusal::Attach(error)) if is_final(&error) => Attempt::Done(Err(Refusal::Attach(error))),
            // If the filter is refused, then not a program that would miss frames of several buffers, but none with this filter.
            Err(Refusal::Load(error, log))
                if error.raw_os_error() == Some(INTERRUPTED)
                    || program.multi_buffer && !is_optional && self.can_load(program) =>
            {
                Attempt::Done(Err(Refusal::Load(error, log)))
            }
            Err(refusal) => Attempt::Next(refusal),
        }
    }

    /// Whether the kernel takes this program when it selects nothing.
    fn can_load(&self, program: Program) -> bool {
        let task = Task { snap_len: u32::MAX, selection: &Selection::default() };
        let linked = self.image.counters().and_then(|counters| {
            self.image.program(program.name, task.constants(0), &Functions::default(), &counters)
        });
        linked.is_ok_and(|linked| program.load(&linked).is_ok())
    }

    fn load_and_attach(
        &mut self,
        request: Request<'_>,
        program: Program,
        counters: SourceCounters,
        mode: XdpMode,
    ) -> Result<(), Refusal> {
        let functions = Functions::generate(request.task, &program)?;
        let constants = request.task.constants(self.next_source());
        let linked = self.image.program(program.name, constants, &functions, &counters)?;
        let loaded = program.load(&linked).map_err(|(error, log)| Refusal::Load(error, log))?;
        let xdp_link =
            bpf::attach_xdp(loaded.as_fd(), request.link.index, flags(mode)).map_err(Refusal::Attach)?;
        let id = bpf::program_id(loaded.as_fd()).ok();
        self.attachments.push(Attachment::new(program, id, counters, Hold::Link(xdp_link)));
        Ok(())
    }

    /// Attaches the program for a NIC: to the NIC itself or, for tests without such a NIC, in the driver. Its perf event
    /// array is the host's: offloaded programs may use such a map (`bpf_map_offload_neutral`, include/linux/bpf.h, v6.18).
    ///
    /// It has no constants, so its events always name source 0, and it must be the only source. It runs the filter of
    /// the selection; the rest of the selection is left to user space.
    ///
    /// # Errors
    /// As [`Probe::attach`], and when the NIC runs no programs.
    pub fn attach_nic_program(
        &mut self,
        link: &Link,
        mode: XdpMode,
        task: Task<'_>,
    ) -> Result<Attached, Error> {
        if self.next_source() != 0 {
            return Err(Error::NotAlone(link.display_name()));
        }
        let ifindex = if mode == XdpMode::Offload { link.index } else { 0 };
        let program =
            Program { name: "xdpdump_offload", ifindex, counts: false, ..Program::received("", false) };
        let Selection { filter, one_in, headers } = task.selection.clone();
        let left = Selection { filter: None, one_in, headers };
        let left_because = (!left.is_everything()).then(|| "a program on the NIC can only filter".to_owned());
        let selection = Selection { filter, ..Selection::default() };
        let task = Task { selection: &selection, ..task };
        let request = Request { link, task, wanted: Wanted::default() };
        let counters = self.image.counters()?;
        match self.load_and_attach(request, program, counters, mode) {
            Ok(()) => Ok(Attached { left, left_because, ..Attached::new(Place::Xdp(mode), false) }),
            Err(Refusal::Load(error, log)) => {
                Err(Error::permission(&error).unwrap_or_else(|| match error.raw_os_error() {
                    Some(libc::ENODEV) => Error::Gone(link.display_name()),
                    _ => Error::NoOffload {
                        interface: link.display_name(),
                        driver: driver_name(link),
                        log,
                        source: error,
                    },
                }))
            }
            Err(refusal) => Err(refusal.explain(link, mode)),
        }
    }
}

/// Checks that the driver of an interface tells XDP programs what is wanted.
///
/// # Errors
/// When it does not, or the kernel does not know that it does.
pub fn check_driver_tells(link: &Link, wanted: Wanted) -> Result<(), Error> {
    if wanted == Wanted::default() {
        return Ok(());
    }
    let known = link.metadata();
    let missing = match (wanted.time && !known.time, wanted.hash && !known.hash) {
        (true, _) => "time stamps",
        (_, true) => "hashes",
        _ => return Ok(()),
    };
    Err(Error::NoMetadata { interface: link.display_name(), what: missing })
}

/// The interface to attach to, the task of the program, and what it has to ask the driver.
#[derive(Clone, Copy)]
struct Request<'a> {
    link: &'a Link,
    task: Task<'a>,
    wanted: Wanted,
}

/// What became of an attempt with one program.
enum Attempt {
    Done(Result<Attached, Refusal>),
    /// The next program may be accepted.
    Next(Refusal),
}

/// Why one attempt failed.
enum Refusal {
    /// The program was not loaded; with the error and the verifier's log.
    Load(io::Error, String),
    /// The program was not attached.
    Attach(io::Error),
    Other(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Whether another program or mode would be refused for the same reason.
fn is_final(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EBUSY | libc::EEXIST | libc::EPERM | libc::ENODEV))
}

/// Whether the driver has no native mode, or cannot use it with its present settings (MTU, receive offloads, queues).
/// Generic mode does not depend on the driver.
fn is_of_native_mode_only(error: &io::Error) -> bool {
    !is_final(error)
}

impl Refusal {
    fn explain(self, link: &Link, mode: XdpMode) -> Error {
        let error = match self {
            Self::Other(error) => return error,
            Self::Load(error, log) => return Error::program(&error, &log),
            Self::Attach(error) => error,
        };
        if let Some(forbidden) = Error::permission(&error) {
            return forbidden;
        }
        let interface = link.display_name();
        match error.raw_os_error() {
            Some(libc::EBUSY | libc::EEXIST) => match occupant(link) {
                Some((id, its)) => Error::occupied(link, id, its, None).asked_for(mode),
                None => Error::Attach { interface, mode, source: error },
            },
            Some(libc::ENODEV) => Error::Gone(interface),
            Some(libc::EINVAL) if kernel::is_before(5, 9) => Error::KernelTooOld,
            Some(libc::EOPNOTSUPP) => Error::ModeUnsupported { interface, mode, driver: driver_name(link) },
            _ => Error::Attach { interface, mode, source: error },
        }
    }
}

/// `XDP_FLAGS_*_MODE`, include/uapi/linux/if_link.h.
fn flags(mode: XdpMode) -> u32 {
    match mode {
        XdpMode::Skb => XDP_FLAGS_SKB_MODE,
        XdpMode::Native => XDP_FLAGS_DRV_MODE,
        XdpMode::Offload => XDP_FLAGS_HW_MODE,
    }
}

/// The name of the interface's driver, for messages.
fn driver_name(link: &Link) -> String {
    link.driver.as_ref().map_or_else(|| "unknown".to_owned(), |driver| driver.name.clone())
}

/// The program that is attached to the interface now.
fn occupant(link: &Link) -> Option<(u32, XdpMode)> {
    let link = Link::by_index(link.index).ok()?;
    link.xdp.first().map(|program| (program.program_id, program.mode))
}

//! Which program goes onto the interface in which mode, and what a refusal means.

use std::{io, os::fd::AsFd};

use aya_obj::generated::{XDP_FLAGS_DRV_MODE, XDP_FLAGS_HW_MODE, XDP_FLAGS_SKB_MODE};

use super::{Attachment, Constants, Error, Holder, Probe, Program, SourceCounters, kernel, program_name};
use crate::{
    interface::{Link, XdpMode},
    sys::bpf,
};

/// How a program was attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Where it runs.
    pub mode: XdpMode,
    /// Whether it sees frames that lie in several buffers.
    pub multi_buffer: bool,
    /// Why it is not native mode, when nobody asked for another.
    pub native_refused: Option<String>,
}

impl Probe {
    /// Attaches a program to `link`, as the next source: in `mode` and no other when one is given, else natively and, where the
    /// driver has no native mode or refuses it as it is set up, in generic mode. It captures at most `snap_len` bytes of each
    /// frame.
    ///
    /// # Errors
    /// When another program is attached, the mode is refused, or the kernel is too old.
    pub fn attach(&mut self, link: &Link, mode: Option<XdpMode>, snap_len: u32) -> Result<Attached, Error> {
        let request = Request { link, constants: Constants { source: self.next_source(), snap_len } };
        match mode {
            Some(XdpMode::Offload) => self.attach_nic_program(link, XdpMode::Offload),
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

    fn next_source(&self) -> u32 {
        self.attachments.len() as u32
    }

    /// With the program for frames in several buffers, or with the plain one when kernel or driver refuse that.
    fn attach_in(&mut self, request: Request<'_>, mode: XdpMode) -> Result<Attached, Refusal> {
        let (for_several_buffers, for_one) =
            if self.mapped { ("xdpdump_ring_f", "xdpdump_ring") } else { ("xdpdump_frags", "xdpdump") };
        let program = |name, multi_buffer| Program { name, multi_buffer, ifindex: 0, counts: true };
        let counters = self.image.counters()?;
        match self.load_and_attach(request, program(for_several_buffers, true), counters, mode) {
            Ok(()) => Ok(Attached { mode, multi_buffer: true, native_refused: None }),
            Err(Refusal::Attach(error)) if is_final(&error) => Err(Refusal::Attach(error)),
            Err(_) => {
                let counters = self.image.counters()?;
                self.load_and_attach(request, program(for_one, false), counters, mode)?;
                Ok(Attached { mode, multi_buffer: false, native_refused: None })
            }
        }
    }

    fn load_and_attach(
        &mut self,
        request: Request<'_>,
        program: Program,
        counters: SourceCounters,
        mode: XdpMode,
    ) -> Result<(), Refusal> {
        let linked = self.image.program(program.name, request.constants, &counters)?;
        let loaded = program.load(&linked).map_err(|(error, log)| Refusal::Load(error, log))?;
        let xdp_link =
            bpf::attach_xdp(loaded.as_fd(), request.link.index, flags(mode)).map_err(Refusal::Attach)?;
        let id = bpf::program_id(loaded.as_fd()).ok();
        self.attachments.push(Attachment { program, id, counters, link: Some(xdp_link) });
        Ok(())
    }

    /// Attaches the program for a NIC: to the NIC itself or, where it can be tried out without one, in the driver. Its perf
    /// event array is the host's: offloaded programs may use that (`bpf_map_offload_neutral`, include/linux/bpf.h, v6.18).
    ///
    /// It has no constants, so its events are always those of source 0, and it must be the only one.
    ///
    /// # Errors
    /// As [`Probe::attach`], and when the NIC runs no programs.
    pub fn attach_nic_program(&mut self, link: &Link, mode: XdpMode) -> Result<Attached, Error> {
        if self.next_source() != 0 {
            return Err(Error::NotAlone(link.display_name()));
        }
        let ifindex = if mode == XdpMode::Offload { link.index } else { 0 };
        let program = Program { name: "xdpdump_offload", multi_buffer: false, ifindex, counts: false };
        let request = Request { link, constants: Constants { source: 0, snap_len: u32::MAX } };
        let counters = self.image.counters()?;
        match self.load_and_attach(request, program, counters, mode) {
            Ok(()) => Ok(Attached { mode, multi_buffer: false, native_refused: None }),
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

/// What is to be attached to, and what the program is to know.
#[derive(Clone, Copy)]
struct Request<'a> {
    link: &'a Link,
    constants: Constants,
}

/// Why one attempt came to nothing.
enum Refusal {
    /// The program was not loaded; with what the verifier said.
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

/// Another program or mode would be refused just the same.
fn is_final(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EBUSY | libc::EEXIST | libc::EPERM | libc::ENODEV))
}

/// The driver has no native mode, or cannot have it now (MTU, receive offloads, queues); the network stack's generic mode
/// does not ask the driver.
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
                Some((id, mode)) => {
                    let name = program_name(id).unwrap_or_else(|| "its name cannot be read".to_owned());
                    let holder = Holder::find(id, link.index);
                    Error::Occupied { interface, id, name, mode, holder }
                }
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

/// The name of the interface's driver, for a sentence.
fn driver_name(link: &Link) -> String {
    link.driver.as_ref().map_or_else(|| "unknown".to_owned(), |driver| driver.name.clone())
}

/// The program that is attached to the interface by now.
fn occupant(link: &Link) -> Option<(u32, XdpMode)> {
    let link = Link::by_index(link.index).ok()?;
    link.xdp.first().map(|program| (program.program_id, program.mode))
}

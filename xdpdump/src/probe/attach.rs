//! Which program goes onto the interface in which mode, and what a refusal means.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use super::{
    Error, Holder, Probe,
    bpf::{self, Program},
    programs,
};
use crate::{
    interface::{Link, XdpMode},
    sys::kernel,
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
    /// Attaches to `link`: in `mode` and no other when one is given, else natively and, where the driver has no native
    /// mode or refuses it as it is set up, in generic mode.
    ///
    /// # Errors
    /// When another program is attached, the mode is refused, or the kernel is too old.
    pub fn attach(&mut self, link: &Link, mode: Option<XdpMode>) -> Result<Attached, Error> {
        match mode {
            Some(XdpMode::Offload) => self.attach_nic_program(link, XdpMode::Offload),
            Some(mode) => self.attach_in(link, mode).map_err(|refusal| refusal.explain(link, mode)),
            None => match self.attach_in(link, XdpMode::Native) {
                Err(Refusal::Attach(error)) if is_of_native_mode_only(&error) => self
                    .attach_in(link, XdpMode::Skb)
                    .map(|attached| Attached { native_refused: Some(error.to_string()), ..attached })
                    .map_err(|refusal| refusal.explain(link, XdpMode::Skb)),
                result => result.map_err(|refusal| refusal.explain(link, XdpMode::Native)),
            },
        }
    }

    /// With the program for frames in several buffers, or with the plain one when kernel or driver refuse that.
    fn attach_in(&mut self, link: &Link, mode: XdpMode) -> Result<Attached, Refusal> {
        let (for_several_buffers, for_one) = match self.memory {
            Some(_) => ("xdpdump_ring_f", "xdpdump_ring"),
            None => ("xdpdump_frags", "xdpdump"),
        };
        match self.load_and_attach(for_several_buffers, true, link, mode) {
            Ok(()) => Ok(Attached { mode, multi_buffer: true, native_refused: None }),
            Err(Refusal::Attach(error)) if is_final(&error) => Err(Refusal::Attach(error)),
            Err(_) => {
                self.load_and_attach(for_one, false, link, mode)?;
                Ok(Attached { mode, multi_buffer: false, native_refused: None })
            }
        }
    }

    fn load_and_attach(
        &mut self,
        name: &'static str,
        multi_buffer: bool,
        link: &Link,
        mode: XdpMode,
    ) -> Result<(), Refusal> {
        let instructions = self.image.program(name)?;
        let program = bpf::load_program(&Program { name, instructions, multi_buffer, ifindex: 0 })
            .map_err(|(error, log)| Error::program(&error, &log))?;
        self.hold(program.as_fd(), link, mode)
    }

    fn hold(&mut self, program: BorrowedFd<'_>, link: &Link, mode: XdpMode) -> Result<(), Refusal> {
        let xdp_link = bpf::attach_xdp(program, link.index, flags(mode)).map_err(Refusal::Attach)?;
        self.program_id = bpf::program_info(program).ok().map(|info| info.id);
        self.link = Some(xdp_link);
        Ok(())
    }

    /// Attaches the program for a NIC: to the NIC itself or, where it can be tried out without one, in the driver. Its perf
    /// event array is the host's: offloaded programs may use that (`bpf_map_offload_neutral`, include/linux/bpf.h, v6.18).
    ///
    /// # Errors
    /// As [`Probe::attach`], and when the NIC runs no programs.
    pub fn attach_nic_program(&mut self, link: &Link, mode: XdpMode) -> Result<Attached, Error> {
        let name = "xdpdump_offload";
        let instructions = self.image.program(name)?;
        let ifindex = if mode == XdpMode::Offload { link.index } else { 0 };
        let program = Program { name, instructions, multi_buffer: false, ifindex };
        let program = bpf::load_program(&program).map_err(|(source, log)| match source.raw_os_error() {
            Some(libc::EPERM) => Error::permission(),
            Some(libc::ENODEV) => Error::Gone(link.display_name()),
            _ => {
                let (interface, driver) = (link.display_name(), driver_name(link));
                Error::NoOffload { interface, driver, log, source }
            }
        })?;
        self.hold(program.as_fd(), link, mode).map_err(|refusal| refusal.explain(link, mode))?;
        self.counts = false;
        Ok(Attached { mode, multi_buffer: false, native_refused: None })
    }
}

/// Why one attempt came to nothing.
enum Refusal {
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
            Self::Attach(error) => error,
        };
        let interface = link.display_name();
        match error.raw_os_error() {
            Some(libc::EBUSY | libc::EEXIST) => match occupant(link) {
                Some((id, mode)) => {
                    let name = programs::name(id).unwrap_or_else(|| "its name cannot be read".to_owned());
                    let holder = Holder::find(id, link.index);
                    Error::Occupied { interface, id, name, mode, holder }
                }
                None => Error::Attach { interface, mode, source: error },
            },
            Some(libc::EPERM) => Error::permission(),
            Some(libc::ENODEV) => Error::Gone(interface),
            Some(libc::EINVAL) if kernel::version().is_some_and(|version| version < (5, 9)) => {
                Error::KernelTooOld
            }
            Some(libc::EOPNOTSUPP) => Error::ModeUnsupported { interface, mode, driver: driver_name(link) },
            _ => Error::Attach { interface, mode, source: error },
        }
    }
}

/// `XDP_FLAGS_*_MODE`, include/uapi/linux/if_link.h.
fn flags(mode: XdpMode) -> u32 {
    match mode {
        XdpMode::Skb => 1 << 1,
        XdpMode::Native => 1 << 2,
        XdpMode::Offload => 1 << 3,
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

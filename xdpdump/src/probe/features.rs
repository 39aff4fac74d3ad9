//! What the running kernel offers to captures, found by trying: programs are loaded, and none is attached.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use aya_obj::generated::bpf_insn;

use super::{Btf, Error, Functions, Metadata, Probe, Program, ProgramPlace, Task, kernel};
use crate::{
    packet::LinkType,
    privilege::{Call, Obstacle},
    selection::Selection,
    sys::bpf::{self, tracing},
};

/// The name of the programs that are loaded to try something.
const NAME: &str = "xdpdump_try";

/// A function of every kernel that has test runs of programs, which programs may run before (net/bpf/test_run.c, v5.5).
const TRACEABLE: &str = "bpf_fentry_test1";

/// A number that no interface has.
const NO_INTERFACE: u32 = 0;

/// A program of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// For received frames, in one buffer or in several.
    Received {
        /// Whether it sees frames in several buffers.
        several_buffers: bool,
    },
    /// For frames that are sent.
    Sent,
}

/// What the kernel's own type information tells.
#[derive(Debug)]
pub struct FromTypes {
    /// Whether XDP programs can ask a driver for VLAN tag, time stamp and hash of a frame.
    pub metadata: [bool; 3],
    /// Whether programs may run before and after others.
    pub beside: Result<(), Untraceable>,
}

/// Why programs may not run before and after others.
#[derive(Debug, thiserror::Error)]
pub enum Untraceable {
    /// The process may not load them.
    #[error("this process is {verb} load programs of that kind{0}", verb = .0.verb())]
    Forbidden(Obstacle),
    /// The kernel does not load them.
    #[error("the kernel refuses programs of that kind ({0})")]
    Refused(#[source] io::Error),
    /// The kernel has no function to try it with.
    #[error("this kernel has no function by which it could be tried")]
    NotTried,
}

/// `r0 = result; exit`
pub(super) fn returning(result: i32) -> [bpf_insn; 2] {
    let instruction = |code, imm| bpf_insn {
        code,
        _bitfield_align_1: [],
        _bitfield_1: bpf_insn::new_bitfield_1(0, 0),
        off: 0,
        imm,
    };
    [instruction(0xb7, result), instruction(0x95, 0)]
}

fn load(kind: bpf::Kind) -> Result<OwnedFd, Error> {
    let instructions = &returning(0);
    bpf::load_program(&bpf::Program {
        kind,
        name: NAME,
        instructions,
        multi_buffer: false,
        ifindex: 0,
        in_driver: false,
    })
    .map_err(|(error, log)| Error::program(&error, &log))
}

/// Loads the smallest XDP program; returns whether the kernel compiled it to instructions of the CPU.
///
/// # Errors
/// When the kernel refuses it.
pub fn load_smallest() -> Result<bool, Error> {
    kernel::lift_memory_limit();
    let program = load(bpf::Kind::Xdp)?;
    Ok(bpf::is_compiled(program.as_fd()).unwrap_or(true))
}

/// Whether the kernel attaches XDP programs so that they go away with the process (Linux 5.9).
///
/// # Errors
/// When the process may not ask.
pub fn has_xdp_links() -> Result<bool, Error> {
    bpf::has_xdp_links().map_err(|error| Error::program(&error, ""))
}

/// Whether the kernel attaches programs to what an interface sends through tcx (Linux 6.6), and not only through filters of
/// clsact.
///
/// # Errors
/// When the kernel refuses programs for tc, or the process may not ask.
pub fn has_tcx() -> Result<bool, Error> {
    let program = load(bpf::Kind::Tc)?;
    match bpf::attach_tcx_egress(program.as_fd(), NO_INTERFACE) {
        Ok(_) => Ok(true),
        // It looks for the interface only if it knows this way of attaching.
        Err(error) => match error.raw_os_error() {
            Some(libc::ENODEV) => Ok(true),
            Some(libc::EINVAL) => Ok(false),
            _ => Err(Error::program(&error, "")),
        },
    }
}

/// Looks into the kernel's type information, and tries whether programs may run before functions.
///
/// # Errors
/// When the kernel has no type information, or it cannot be read.
pub fn from_types() -> io::Result<FromTypes> {
    let bytes = tracing::kernel_btf()?;
    let [tag, time, hash, traceable] = Btf::function_ids(
        &bytes,
        [Metadata::FUNCTIONS[0], Metadata::FUNCTIONS[1], Metadata::FUNCTIONS[2], TRACEABLE],
    );
    let beside = match traceable {
        None => Err(Untraceable::NotTried),
        Some(function) => tracing::load_before_kernel_function(NAME, &returning(0), function)
            .map(drop)
            .map_err(|(error, _)| Untraceable::from(error)),
    };
    Ok(FromTypes { metadata: [tag, time, hash].map(|function| function.is_some()), beside })
}

impl From<io::Error> for Untraceable {
    fn from(error: io::Error) -> Self {
        match Obstacle::behind(&error, Call::Bpf) {
            Some(obstacle) => Self::Forbidden(obstacle),
            None => Self::Refused(error),
        }
    }
}

impl Probe {
    /// Loads a program of a capture through the rings of this probe, and attaches it to nothing.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub fn try_to_load(&self, candidate: Candidate) -> Result<(), Error> {
        let program = match (candidate, self.mapped) {
            (Candidate::Received { several_buffers: true }, true) => {
                Program::received("xdpdump_ring_f", true)
            }
            (Candidate::Received { several_buffers: true }, false) => {
                Program::received("xdpdump_frags", true)
            }
            (Candidate::Received { several_buffers: false }, true) => {
                Program::received("xdpdump_ring", false)
            }
            (Candidate::Received { several_buffers: false }, false) => Program::received("xdpdump", false),
            (Candidate::Sent, mapped) => {
                let place = ProgramPlace::Egress { link_type: LinkType::ETHERNET };
                let name = if mapped { "xdpdump_ring_out" } else { "xdpdump_out" };
                Program { place, ..Program::received(name, true) }
            }
        };
        let task = Task { snap_len: u32::MAX, selection: &Selection::default() };
        let counters = self.image.counters()?;
        let linked = self.image.program(program.name, task.constants(0), &Functions::default(), &counters)?;
        program.load(&linked).map(drop).map_err(|(error, log)| Error::program(&error, &log))
    }
}

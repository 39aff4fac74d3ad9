//! Why a program could not be attached, and what to do about it.

use std::io;

use aya::maps::MapError;

use super::{Holder, Unobservable, program_name};
use crate::{
    filter::ebpf::Refusal,
    interface::{self, Link, XdpMode},
    privilege::{Call, Obstacle},
};

/// Why capturing could not begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel does not let this process.
    #[error("{verb} load and attach an XDP program{0}", verb = .0.verb())]
    Permission(Obstacle),
    /// The kernel lacks a feature that every capture needs.
    #[error(
        "this kernel is too old: attaching XDP so that it goes away with the process takes Linux 5.9 or later"
    )]
    KernelTooOld,
    /// The interface was deleted meanwhile.
    #[error("the interface {0} is gone")]
    Gone(String),
    /// Another program is attached.
    #[error(
        "{interface} has an XDP program already: id {id} ({name}), {mode} mode; it was left alone{}{}. {}",
        asked.map_or_else(String::new, |asked| format!("; without {}, frames are captured beside it", letter(asked))),
        unobservable.as_ref().map_or_else(String::new, |reason| format!(". Nothing can be captured beside it: {reason}")),
        holder.remedy(interface, *mode)
    )]
    Occupied {
        /// The interface.
        interface: String,
        /// Its program's id.
        id: u32,
        /// Its program's name.
        name: String,
        /// The mode in which its program runs.
        mode: XdpMode,
        /// What keeps that program attached.
        holder: Holder,
        /// Why nothing can be captured beside it, if that was tried.
        unobservable: Option<Box<Unobservable>>,
        /// The mode that was asked for, if it is another one: otherwise a capture beside the program would have been tried.
        asked: Option<XdpMode>,
    },
    /// No program on the interface is called so.
    #[error("no XDP program on {interface} is called {wanted}, or has that id; {}", there_are(programs))]
    NoSuchProgram {
        /// The interface.
        interface: String,
        /// The name or id that was given.
        wanted: String,
        /// The programs that are there.
        programs: String,
    },
    /// Several programs on the interface are called so.
    #[error(
        "several XDP programs on {interface} are called {wanted}: {programs}; name one by its id, as in --program {example}"
    )]
    SeveralPrograms {
        /// The interface.
        interface: String,
        /// The name that was given.
        wanted: String,
        /// The programs that are called so.
        programs: String,
        /// The id of the first of them.
        example: u32,
    },
    /// The driver has no such mode.
    #[error(
        "{interface} has no {mode} XDP (driver {driver}){}",
        if *mode == XdpMode::Skb { "" } else { "; generic mode works on every driver: use -S" }
    )]
    ModeUnsupported {
        /// The interface.
        interface: String,
        /// The mode asked for.
        mode: XdpMode,
        /// The interface's driver.
        driver: String,
    },
    /// The driver refused the mode.
    #[error(
        "{interface} refused a program in {mode} mode{}",
        if *mode == XdpMode::Skb { "" } else {
            "; its MTU, receive offloads (LRO, GRO-HW) or number of queues may be in the way, generic mode (-S) does not depend on them"
        }
    )]
    Attach {
        /// The interface.
        interface: String,
        /// The mode asked for.
        mode: XdpMode,
        /// The error of the system call.
        source: io::Error,
    },
    /// The driver does not tell what was asked for.
    #[error(
        "the driver of {interface} does not tell an XDP program the adapter's {what}, or the kernel does not know that it does (Linux 6.7)"
    )]
    NoMetadata {
        /// The interface.
        interface: String,
        /// What was asked for.
        what: &'static str,
    },
    /// The functions by which a program asks the driver are not found.
    #[error(
        "cannot ask the driver of {0}: the kernel has no such functions, or its BTF (/sys/kernel/btf/vmlinux) cannot be read"
    )]
    NoMetadataFunctions(String),
    /// The NIC, its driver or the kernel refused a program for the NIC.
    #[error(
        "{interface} (driver {driver}) does not run XDP programs on the NIC{}; use -N or -S",
        details(log)
    )]
    NoOffload {
        /// The interface.
        interface: String,
        /// Its driver.
        driver: String,
        /// The log of the kernel's and the driver's verifiers.
        log: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// The kernel has no memory for the maps.
    #[error("the kernel has no memory for the rings: ask for less with -B")]
    Memory(#[source] io::Error),
    /// The kernel refused a program or a map.
    #[error("the kernel refused the capture program")]
    Load(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No program can be attached to what the interface sends.
    #[error("cannot capture what {interface} sends ({source}); -Q in captures only what it receives")]
    Egress {
        /// The interface.
        interface: String,
        /// The error of the system call.
        source: io::Error,
    },
    /// The link type of the interface is not known.
    #[error(transparent)]
    Interface(#[from] interface::Error),
    /// A signal came while the kernel verified a program.
    #[error("interrupted while the kernel verified the capture program")]
    Interrupted,
    /// The kernel cannot run the filter.
    #[error(transparent)]
    Filter(Refusal),
    /// The embedded object does not match this code.
    #[error("the embedded eBPF object has no {0}: rebuild it with `cargo xtask build-ebpf`")]
    Object(&'static str),
    /// The counters could not be read.
    #[error("cannot read the capture program's counters")]
    Counters(#[source] MapError),
    /// The program was not exchanged for another.
    #[error("the kernel refused to exchange the capture program; the old one stays attached")]
    Exchange(#[source] io::Error),
    /// No program is attached for this source.
    #[error("no program is attached for source {0}")]
    NoSource(u32),
    /// Another source was to be attached beside a program on a NIC, whose events do not name their source.
    #[error("the program runs on the NIC of {0} (-H), so {0} has to be the only interface of the capture")]
    NotAlone(String),
}

/// The option that asks for a mode.
fn letter(mode: XdpMode) -> &'static str {
    match mode {
        XdpMode::Native => "-N",
        XdpMode::Skb => "-S",
        XdpMode::Offload => "-H",
    }
}

fn there_are(programs: &str) -> String {
    if programs.is_empty() {
        "the kernel does not tell which programs are there".to_owned()
    } else {
        format!("there are {programs}")
    }
}

impl Error {
    /// The error for an interface with the program `id`, beside which nothing can be captured, for this reason if it was tried.
    pub(super) fn occupied(link: &Link, id: u32, mode: XdpMode, reason: Option<Unobservable>) -> Self {
        let name = program_name(id).unwrap_or_else(|| "its name cannot be read".to_owned());
        let holder = Holder::find(id, link.index);
        let unobservable = reason.map(Box::new);
        Self::Occupied { interface: link.display_name(), id, name, mode, holder, unobservable, asked: None }
    }

    /// The same, if this mode was asked for.
    pub(super) fn asked_for(self, wanted: XdpMode) -> Self {
        match self {
            Self::Occupied { interface, id, name, mode, holder, unobservable, .. } => {
                let asked = Some(wanted).filter(|asked| *asked != mode);
                Self::Occupied { interface, id, name, mode, holder, unobservable, asked }
            }
            other => other,
        }
    }

    /// Whether a program without a filter may succeed where this error came. A filter that is too large is not replaced: the
    /// user can shorten it.
    pub(super) fn may_be_the_filters(&self) -> bool {
        match self {
            Self::Filter(refusal) => *refusal != Refusal::TooLarge,
            Self::Load(_) | Self::NoOffload { .. } => true,
            _ => false,
        }
    }

    /// Whether a program may well be attached to another interface.
    pub fn is_of_one_interface(&self) -> bool {
        matches!(
            self,
            Self::Gone(_)
                | Self::Occupied { .. }
                | Self::ModeUnsupported { .. }
                | Self::Attach { .. }
                | Self::Egress { .. }
                | Self::Interface(_)
                | Self::NoOffload { .. }
                | Self::NotAlone(_)
                | Self::NoMetadata { .. }
                | Self::NoSuchProgram { .. }
                | Self::SeveralPrograms { .. }
        )
    }

    /// Whether the reason is an XDP program of somebody else on the interface.
    pub fn is_of_a_program(&self) -> bool {
        matches!(self, Self::Occupied { .. } | Self::NoSuchProgram { .. } | Self::SeveralPrograms { .. })
    }

    /// The error for an object that is not as expected.
    pub(super) fn object(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Load(Box::new(error))
    }

    /// The error of bpf(2) that means that this process may not call it, if it is one.
    pub(super) fn permission(error: &io::Error) -> Option<Self> {
        Obstacle::behind(error, Call::Bpf).map(Self::Permission)
    }

    /// The error for a map that the kernel did not create.
    pub(super) fn map(error: io::Error) -> Self {
        Self::permission(&error).unwrap_or_else(|| match error.raw_os_error() {
            Some(libc::ENOMEM) => Self::Memory(error),
            _ => Self::Load(Box::new(error)),
        })
    }

    /// The error for a map that the kernel did not create, from aya's error.
    pub(super) fn aya_map(error: MapError) -> Self {
        match error {
            MapError::CreateError { io_error, .. } => Self::map(io_error),
            error => Self::object(error),
        }
    }

    /// The error for counters that could not be read.
    pub(super) fn counters(error: MapError) -> Self {
        Self::Counters(error)
    }

    /// The error for a program that the kernel did not load. `EACCES` comes from the verifier and does not mean that the
    /// process lacks permissions.
    pub(super) fn program(error: &io::Error, log: &str) -> Self {
        Self::permission(error).unwrap_or_else(|| match error.raw_os_error() {
            Some(INTERRUPTED) => Self::Interrupted,
            // Nothing is wrong with the program.
            Some(code @ libc::EMFILE) => Self::Load(Box::new(io::Error::from_raw_os_error(code))),
            _ => Self::Load(format!("{error}{}", details(log)).into()),
        })
    }
}

/// What loading a program fails with when a signal is pending (`do_check`, kernel/bpf/verifier.c, v6.18).
pub(super) const INTERRUPTED: i32 = libc::EAGAIN;

pub(super) fn details(log: &str) -> String {
    // The verifier's log ends with statistics.
    let statistics = ["processed ", "verification time", "stack depth"];
    let is_reason = |line: &&str| !line.is_empty() && !statistics.iter().any(|begin| line.starts_with(begin));
    log.lines().rfind(is_reason).map_or_else(String::new, |line| format!(" ({line})"))
}

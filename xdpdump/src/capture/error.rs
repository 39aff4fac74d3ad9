//! Why a capture did not begin, or ended before its time.

use std::io;

use crate::{clock, interface, output, packet::LinkType, probe, run_as, selection, transport};

/// What went wrong, as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The interface cannot be used.
    #[error(transparent)]
    Interface(#[from] interface::Error),
    /// The clocks cannot be read.
    #[error(transparent)]
    Clock(#[from] clock::Error),
    /// The interface does not have the link type that was asked for.
    #[error("{interface} has link type {has}, not {wanted}: leave -y out")]
    LinkType {
        /// Name of the interface.
        interface: String,
        /// The link type that was asked for.
        wanted: LinkType,
        /// The interface's link type.
        has: LinkType,
    },
    /// The process cannot become the user who is to own the output, or that user cannot open it.
    #[error(transparent)]
    RunAs(run_as::Error),
    /// There is an error in the filter, or it cannot be read.
    #[error(transparent)]
    Selection(#[from] selection::Error),
    /// The kernel program cannot be loaded or attached.
    #[error(transparent)]
    Probe(#[from] probe::Error),
    /// The file with metrics cannot be written.
    #[error("cannot write the statistics to {0}: name a file in a folder of your own with --stats-file")]
    Status(String, #[source] io::Error),
    /// The output cannot be opened or written.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// Mapped rings were asked for with a program on a NIC.
    #[error("a program on the NIC cannot write to mapped rings: leave --transport out")]
    RingOnNic,
    /// The kernel refused a map of mapped rings, or a program that writes to it.
    #[error("this kernel has no mapped rings, which require Linux 5.18 or later ({0})")]
    NoMappedRings(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Mapped rings were asked for beside another XDP program.
    #[error("a program beside another XDP program cannot write to mapped rings: leave --transport out")]
    RingBeside,
    /// The capture has mapped rings, and an interface came with an XDP program.
    #[error(
        "{0} runs the XDP program {1}: capturing beside it takes perf rings (--transport perf); it is captured when that program is gone"
    )]
    BesideNeedsPerf(String, String),
    /// The adapter was asked about frames beside a program of somebody else.
    #[error(
        "{0} runs the XDP program {1}, and beside it the adapter cannot be asked about frames: leave -j and --rx-hash out"
    )]
    AdapterBeside(String, String),
    /// The adapter's time stamps cannot be converted.
    #[error(
        "{0} has no clock that can be compared with the host's ({1}): -j adapter_unsynced takes its time stamps as they are"
    )]
    NoClock(String, io::Error),
    /// The adapter does not stamp all frames.
    #[error("cannot make {0} stamp all received frames ({1}): leave -j out for the host's time stamps")]
    Stamping(String, io::Error),
    /// The exit of a program was asked for, and none is there.
    #[error("{0} runs no XDP program, so there is no exit to capture at: leave --at out")]
    NoExit(String),
    /// A program was asked for, and none is there.
    #[error("{0} runs no XDP program: leave --program out")]
    NoProgram(String),
    /// The filter asks for a verdict at the entry of a program.
    #[error(
        "the filter asks for a verdict, which is not known before the XDP program {0} has decided: use --at exit"
    )]
    NoVerdictYet(String),
    /// The rings cannot be set up.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// There is no such program to capture for.
    #[error(
        "there is no program \"{0}\" to run after \"--\": name one, by its path if it is not where programs are looked for (PATH); a filter comes before \"--\""
    )]
    NoSuchCommand(String),
    /// The command cannot be started.
    #[error("cannot start {0}")]
    Command(String, #[source] io::Error),
    /// Waiting for events failed.
    #[error("cannot wait for packets")]
    Poll(#[source] io::Error),
    /// The filter makes no sense for the frames of this interface.
    #[error("{0}: {1}")]
    NotFor(String, String),
    /// The filter accepts none of the frames that are captured on this interface.
    #[error("no frame that is captured on {0} can match the filter: these are {1}")]
    MatchesNothing(String, String),
    /// With `-i any`, no interface is up, or none can be captured.
    #[error("no interface can be captured; -D lists those that are up")]
    NoInterface,
    /// The interface does not exist any more.
    #[error("the interface {0} is gone: it was deleted or moved to another network namespace")]
    Gone(String),
    /// The program is not attached any more.
    #[error("somebody detached the capture program from {0}")]
    Detached(String),
}

impl From<run_as::Error> for Error {
    fn from(error: run_as::Error) -> Self {
        match error {
            run_as::Error::Output(error) => Self::Output(error),
            error => Self::RunAs(error),
        }
    }
}

impl Error {
    /// Whether another interface may be captured in spite of this error.
    pub(super) fn is_of_one_interface(&self) -> bool {
        match self {
            Self::Interface(_)
            | Self::LinkType { .. }
            | Self::NotFor(..)
            | Self::MatchesNothing(..)
            | Self::BesideNeedsPerf(..)
            | Self::AdapterBeside(..)
            | Self::NoVerdictYet(_)
            | Self::NoClock(..)
            | Self::Stamping(..)
            | Self::NoExit(_)
            | Self::NoProgram(_) => true,
            Self::Probe(error) => error.is_of_one_interface(),
            _ => false,
        }
    }

    /// Whether the reason is an XDP program of somebody else on the interface.
    pub(super) fn is_of_a_program(&self) -> bool {
        match self {
            Self::BesideNeedsPerf(..) | Self::AdapterBeside(..) | Self::NoVerdictYet(_) => true,
            Self::Probe(error) => error.is_of_a_program(),
            _ => false,
        }
    }

    /// Turns the errors with which a kernel refuses mapped rings into [`Error::NoMappedRings`].
    pub(super) fn without_mapped_rings(self) -> Self {
        match self {
            Self::Probe(probe::Error::Load(reason)) => Self::NoMappedRings(reason),
            other => other,
        }
    }
}

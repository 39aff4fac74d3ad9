//! Why a capture did not begin, or ended before its time.

use std::io;

use crate::{clock, interface, output, packet::LinkType, probe, selection, transport};

/// What went wrong, as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The interface.
    #[error(transparent)]
    Interface(#[from] interface::Error),
    /// The clocks.
    #[error(transparent)]
    Clock(#[from] clock::Error),
    /// The interface's frames begin with another header than was asked for.
    #[error("{interface} has link type {has}, not {wanted}: leave -y out")]
    LinkType {
        /// Name of the interface.
        interface: String,
        /// What was asked for.
        wanted: LinkType,
        /// What it has.
        has: LinkType,
    },
    /// What was to be selected.
    #[error(transparent)]
    Selection(#[from] selection::Error),
    /// The kernel program.
    #[error(transparent)]
    Probe(#[from] probe::Error),
    /// The output.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// Mapped rings were asked for where there are none.
    #[error("a program on the NIC cannot write to mapped rings: leave --transport out")]
    RingOnNic,
    /// The kernel refused a map or a program that writes to it.
    #[error("this kernel has no mapped rings, they take Linux 5.18 or later ({0})")]
    NoMappedRings(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The rings.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// Waiting.
    #[error("cannot wait for packets")]
    Poll(#[source] io::Error),
    /// The interface went away.
    #[error("the interface {0} is gone: it was deleted or moved to another network namespace")]
    Gone(String),
    /// The program went away.
    #[error("somebody detached the capture program from {0}")]
    Detached(String),
}

impl Error {
    /// The error of an attempt to have mapped rings, with what is the kernel's fault named as such.
    pub(super) fn without_mapped_rings(self) -> Self {
        match self {
            Self::Probe(probe::Error::Load(reason)) => Self::NoMappedRings(reason),
            other => other,
        }
    }
}

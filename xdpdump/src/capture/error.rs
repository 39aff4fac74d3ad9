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
    NoMappedRings(Box<dyn std::error::Error + Send + Sync>),
    /// The rings.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// Waiting.
    #[error("cannot wait for packets")]
    Poll(#[source] io::Error),
    /// What was to be selected makes no sense for the frames of this interface.
    #[error("{0}: {1}")]
    NotFor(String, String),
    /// With `-i any`, there is nothing that could be captured.
    #[error("no interface is up that can be captured; xdpdump -D lists them")]
    NoInterface,
    /// The interface went away.
    #[error("the interface {0} is gone: it was deleted or moved to another network namespace")]
    Gone(String),
    /// The program went away.
    #[error("somebody detached the capture program from {0}")]
    Detached(String),
}

impl Error {
    /// Whether another interface may well be captured.
    pub(super) fn is_of_one_interface(&self) -> bool {
        match self {
            Self::Interface(_) | Self::NotFor(..) => true,
            Self::Probe(error) => error.is_of_one_interface(),
            _ => false,
        }
    }

    /// The error of an attempt to have mapped rings, with what is the kernel's fault named as such.
    pub(super) fn without_mapped_rings(self) -> Self {
        match self {
            Self::Probe(probe::Error::Load(reason)) => Self::NoMappedRings(reason),
            other => other,
        }
    }
}

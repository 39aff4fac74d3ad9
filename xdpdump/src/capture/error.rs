//! Why a capture did not begin, or ended before its time.

use std::io;

use crate::{interface, output, probe, transport};

/// What went wrong, as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The interface.
    #[error(transparent)]
    Interface(#[from] interface::Error),
    /// The kernel program.
    #[error(transparent)]
    Probe(#[from] probe::Error),
    /// The output.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// Mapped rings were asked for where there are none.
    #[error("a program on the NIC cannot write to mapped rings: leave --transport out")]
    RingOnNic,
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

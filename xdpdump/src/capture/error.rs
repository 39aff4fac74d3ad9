//! Why a capture did not begin, or ended before its time.

use std::io;

use crate::{interface, output, probe};

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
    /// A CPU's ring.
    #[error("cannot get a ring of {kib} KiB for CPU {cpu}{}", ring_advice(source))]
    Ring {
        /// The CPU.
        cpu: u32,
        /// The ring's size.
        kib: usize,
        /// What the kernel said.
        source: io::Error,
    },
    /// The CPUs.
    #[error("cannot tell which CPUs are online")]
    Cpus(#[source] io::Error),
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

fn ring_advice(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            ": run as root, or give the program the capabilities cap_perfmon and, for larger rings than \
             `ulimit -l` allows, cap_ipc_lock; -B asks for smaller ones"
        }
        Some(libc::ENOMEM) => ": ask for less with -B",
        _ => "",
    }
}

//! Where packets go. A sink does not know where they come from.

pub mod text;

use std::io;

use crate::packet::{Interface, InterfaceStatistics, Packet};

/// A destination of packets: a capture file, a pipe, text for a person.
///
/// Calls come in this order: every interface is announced before its first packet, `finish` is the last.
pub trait Sink {
    /// Announces an interface; the first has index 0, the next 1, and so on.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn interface(&mut self, interface: &Interface) -> Result<(), Error>;

    /// Takes one packet. Allocates nothing and makes no system call unless a buffer is full.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error>;

    /// Hands everything taken so far to the operating system.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn flush(&mut self) -> Result<(), Error>;

    /// Writes what belongs at the end, and flushes.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error>;
}

/// Why an output took no more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reader of a pipe went away: the normal end of `xdpdump -w - | head`.
    #[error("{0}: the reader closed the pipe")]
    Closed(String),
    /// The output could not be opened.
    #[error("cannot open {0} for writing")]
    Open(String, #[source] io::Error),
    /// Writing failed; what is on disk ends on a whole record.
    #[error("cannot write to {0}; the file was cut after the last whole packet")]
    Write(String, #[source] io::Error),
}

//! Where packets go. A sink does not know where they come from.

mod append;
mod fanout;
pub mod file;
mod format;
pub mod guardian;
pub mod pcap;
pub mod pcapng;
mod pipe;
pub mod record;
pub mod text;

use std::io;

pub use fanout::Fanout;
pub use format::{Format, Precision, open, open_guarded};
pub use pipe::Patient;

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

    /// Whether [`Sink::as_block_sink`] gives one.
    fn is_block_sink(&self) -> bool {
        false
    }

    /// The sink as one that takes packets in the form they have in a pcapng file, if it is one.
    fn as_block_sink(&mut self) -> Option<&mut dyn BlockSink> {
        None
    }

    /// Hands everything taken so far to the operating system.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn flush(&mut self) -> Result<(), Error>;

    /// Packets taken that a failed write kept out of the output.
    fn unwritten(&self) -> u64;

    /// Writes what belongs at the end, and flushes.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error>;
}

/// A destination of packets that are encoded already.
pub trait BlockSink {
    /// Takes whole Enhanced Packet Blocks of the interface announced first, in this machine's byte order and with times in
    /// nanoseconds.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn blocks(&mut self, blocks: &[u8]) -> Result<(), Error>;
}

/// Why an output took no more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reader of a pipe went away: the normal end of `xdpdump -w - | head`.
    #[error("{0}: the reader closed the pipe")]
    Closed(String),
    /// The output could not be opened.
    #[error("cannot open {0} for writing: {reason}", reason = reason(.1))]
    Open(String, io::Error),
    /// A capture file was to go to a terminal.
    #[error(
        "standard output is a terminal, and a capture file is not for reading: name a file with -w, or pipe it"
    )]
    Terminal,
    /// Writing failed; what is on disk ends on a whole record.
    #[error("cannot write to {0}: {reason}", reason = reason(.1))]
    Write(String, io::Error),
    /// Writing failed, and what was written of a last record could not be taken back.
    #[error("cannot write to {0}: {reason}; the file ends within a packet", reason = reason(.1))]
    Cut(String, io::Error),
    /// A classic pcap file was to hold the two link types given.
    #[error("{0}: a pcap file holds one link type, not {1} and {2}: write pcapng")]
    LinkTypes(String, u16, u16),
}

/// What went wrong and what to do about it.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => {
            "no space left on device: free some space or write elsewhere with -w".into()
        }
        io::ErrorKind::QuotaExceeded => {
            "disk quota exceeded: free some space or write elsewhere with -w".into()
        }
        io::ErrorKind::FileTooLarge => {
            "the file reached its size limit: raise it (`ulimit -f`) or write elsewhere with -w".into()
        }
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only: write elsewhere with -w".into(),
        io::ErrorKind::PermissionDenied => {
            "permission denied: write to a directory of your own with -w".into()
        }
        io::ErrorKind::NotFound => "no such directory: create it or write elsewhere with -w".into(),
        io::ErrorKind::IsADirectory => "it is a directory: name a file with -w".into(),
        _ => error.to_string(),
    }
}

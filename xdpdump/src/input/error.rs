//! Why a capture file could not be read to its end.

use std::io;

/// Why reading ended, as one sentence for the user. All packets before the fault have been delivered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be opened.
    #[error("cannot open {name}: {reason}", reason = reason(error))]
    Open {
        /// Name of the file in messages.
        name: String,
        /// The error of the system call.
        error: io::Error,
    },
    /// A directory has nothing to read.
    #[error("{name}: no capture files in this directory")]
    NoCaptures {
        /// Name of the directory in messages.
        name: String,
    },
    /// A stream is to be read twice.
    #[error("{name} can be read only once: leave one -r out")]
    Twice {
        /// Name of the stream in messages.
        name: String,
    },
    /// A read failed.
    #[error("cannot read {name}: {error}")]
    Read {
        /// Name of the file in messages.
        name: String,
        /// The error of the system call.
        error: io::Error,
    },
    /// The file is compressed, and cannot be decompressed to its end.
    #[error("{name}: {fault}")]
    Compressed {
        /// Name of the file in messages.
        name: String,
        /// What is wrong.
        fault: super::CompressionFault,
    },
    /// The file does not begin like a capture file.
    #[error("{name}: unknown file format: {hint}")]
    UnknownFormat {
        /// Name of the file in messages.
        name: String,
        /// What the file may be instead, and what to do.
        hint: &'static str,
    },
    /// The file ends before its first packet.
    #[error("{name}: truncated dump file; tried to read {wanted} {what} bytes, only got {got}")]
    TooShort {
        /// Name of the file in messages.
        name: String,
        /// What the missing bytes belong to.
        what: &'static str,
        /// Number of bytes expected.
        wanted: usize,
        /// Number of bytes found.
        got: usize,
    },
    /// The file ends within a packet or block, for example because its writer was killed. The message begins with tcpdump's
    /// words.
    #[error(
        "{name}: truncated dump file; tried to read {wanted} {what} bytes, only got {got} \
         (all before them was read{advice})",
        advice = if *repairable { "; `xdpdump repair FILE` cuts them off" } else { "" }
    )]
    Truncated {
        /// Name of the file in messages.
        name: String,
        /// What the missing bytes belong to.
        what: &'static str,
        /// Number of bytes expected.
        wanted: usize,
        /// Number of bytes found.
        got: usize,
        /// It is a file with a name, and not a stream.
        repairable: bool,
    },
    /// The file contains an impossible value.
    #[error("{name}: damaged dump file at byte {offset}: {fault}")]
    Damaged {
        /// Name of the file in messages.
        name: String,
        /// Byte offset of the damaged record.
        offset: u64,
        /// What is wrong with the record.
        fault: Fault,
    },
}

/// What went wrong, where the system's words say little.
fn reason(error: &io::Error) -> String {
    if error.raw_os_error() == Some(libc::EBADF) { "it is closed".to_owned() } else { error.to_string() }
}

/// What is wrong with a record or header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A classic pcap file of this version, major and minor.
    #[error("pcap version {0}.{1} is not supported")]
    PcapVersion(u16, u16),
    /// A pcapng section of this version, major and minor.
    #[error("pcapng version {0}.{1} is not supported")]
    PcapngVersion(u16, u16),
    /// A pcapng section with this in place of the number that tells its byte order.
    #[error("0x{0:08x} is not a byte-order magic")]
    ByteOrder(u32),
    /// A packet is said to have this many bytes, more than any capture tool writes.
    #[error("a packet of {0} bytes, more than {max}", max = super::MAX_RECORD)]
    PacketLength(u32),
    /// A pcapng block is said to have this many bytes, which is too few for any block or more than any capture tool writes.
    #[error("a block cannot have {0} bytes")]
    BlockLength(u32),
    /// A pcapng block gives its length twice, and its end gives another (second) than its beginning (first), in bytes.
    #[error("a block of {0} bytes ends with a length of {1}")]
    BlockEnd(u32, u32),
    /// A pcapng block of this type is too short for what it must hold.
    #[error("a block of type {0} is too short for its contents")]
    Contents(u32),
    /// A packet names the interface with this number, which was not described before.
    #[error("a packet of interface {0}, which is not described")]
    Interface(u32),
    /// More interfaces than are kept, so that no file can use up memory.
    #[error("more than {max} interfaces", max = super::pcapng::MAX_INTERFACES)]
    Interfaces,
    /// Longer descriptions of interfaces than are kept, so that no file can use up memory.
    #[error("more than {max} bytes of interface descriptions", max = super::pcapng::MAX_DESCRIPTIONS)]
    Descriptions,
}

//! Where packets go. A sink does not know where packets come from.

mod fanout;
mod format;
pub mod guardian;
pub mod json;
mod lines;
mod losses;
mod medium;
pub mod pcap;
pub mod pcapng;
pub mod record;
mod recorder;
pub mod records;
mod rotation;
mod target;
pub mod text;

use std::{
    io,
    ops::ControlFlow,
    os::fd::BorrowedFd,
    path::Path,
    time::{Duration, Instant},
};

pub use fanout::Fanout;
pub use format::{
    COMPRESSED, Copying, FileOptions, FileSink, Format, Precision, is_compressed, open, open_with,
};
pub use medium::{Change, Fault, LEVEL_FOR_CAPTURES, LEVEL_FOR_FILES, Medium, Readers, Stream, resolve};
pub use recorder::{Cause, Keep, Recorder, RecorderSink};
pub use rotation::{RotatingSink, Rotation, folder as folder_of_rotation};
pub use target::{Target, is_standard_output};

use crate::packet::{Block, Interface, InterfaceStatistics, LinkType, Packet, Time, Timestamp};

/// How long a packet waits in a buffer, at most, if somebody may look at it: half of what the tool promises for a pipe.
pub const PATIENCE: Duration = Duration::from_millis(50);

/// A destination of packets: a capture file, a pipe, text for a person.
///
/// Every interface is announced before its first packet; this may happen at any time. `finish` is the last call that writes.
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

    /// Takes a block of a pcapng file that is neither a packet nor the description of an interface, for sinks that copy such
    /// files. Interfaces and packets that follow the header of a section belong to it.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn block(&mut self, _block: &Block<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Whether [`Sink::as_block_sink`] returns `Some`.
    fn is_block_sink(&self) -> bool {
        false
    }

    /// This sink as one that takes encoded pcapng blocks, if it can.
    fn as_block_sink(&mut self) -> Option<&mut dyn BlockSink> {
        None
    }

    /// Hands everything taken so far to the operating system.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn flush(&mut self) -> Result<(), Error>;

    /// How long packets may stay in the sink before they have to be flushed.
    fn patience(&self) -> Duration {
        PATIENCE
    }

    /// Bytes of capture files that the sink accepted; 0 for text.
    fn accepted(&self) -> u64 {
        0
    }

    /// The file that is written now, if there are several one after the other, and the bytes that it accepted.
    fn current_file(&self) -> Option<(&Path, u64)> {
        None
    }

    /// Number of packets that the sink accepted and that are missing from the output because a write failed.
    fn unwritten(&self) -> u64;

    /// Writes the end of the output, including the totals of the interfaces (in any order), and flushes.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error>;

    /// Passes `each` the descriptors that report a hang-up (POLLHUP, POLLERR) when [`Sink::look_after`] should be called
    /// although nothing is written: those of pipes and sockets, whose reader may close its end, and of the guardian. They
    /// may change with every other call.
    fn watch(&self, _each: &mut dyn FnMut(BorrowedFd<'_>)) {}

    /// Checks whether the output is still intact. To be called when a descriptor of [`Sink::watch`] has hung up, and about
    /// once a second. `say` gets messages for the user.
    ///
    /// # Errors
    /// [`Error::Closed`] when the reader of a pipe has closed it, [`Error::Changed`] when another program changed the file.
    fn look_after(&mut self, _say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        Ok(())
    }

    /// From now on a call that waits for a slow reader stops waiting when `interrupt` becomes readable, and returns `Ok`.
    /// What could not be written stays in the sink, which keeps accepting packets into memory until [`Sink::flush`] tries
    /// again. So the caller has to handle what made `interrupt` readable, and then continue or finish.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    fn interrupted_by(&mut self, _interrupt: BorrowedFd<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Whether a call stopped waiting because of that since the last flush. Whoever hands packets on should then look at what made
    /// the descriptor readable, before more of them have to be kept.
    fn is_interrupted(&self) -> bool {
        false
    }

    /// From now on calls wait for a slow reader until `deadline`, and nothing interrupts them. What is not written by then
    /// is lost and counted ([`Sink::unwritten`]); that call, and every later one that has something to write, returns
    /// [`Error::TooLate`].
    fn end_by(&mut self, _deadline: Instant) {}

    /// Tells `say` what came up since [`Sink::look_after`]. To be called after [`Sink::finish`].
    fn tell(&mut self, _say: &mut dyn FnMut(&str)) {}

    /// When [`Sink::clock`] is to be called, if ever.
    fn due(&self) -> Option<Timestamp> {
        None
    }

    /// Does what is due at this time: all packets before it were handed over. Breaks with the reason, for the user, if everything
    /// that was wanted is written.
    ///
    /// # Errors
    /// When another output cannot be opened.
    fn clock(&mut self, _now: Timestamp) -> Result<ControlFlow<String>, Error> {
        Ok(ControlFlow::Continue(()))
    }

    /// Begins another file because of SIGHUP; `false` if that is not wanted.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn hang_up(&mut self, _now: Timestamp) -> Result<bool, Error> {
        Ok(false)
    }

    /// Writes what is kept in memory; `false` if nothing is.
    fn dump(&mut self, _now: Timestamp, _cause: Cause) -> bool {
        false
    }

    /// Whether [`Sink::totals`] should be called, as soon as that can be.
    fn wants_totals(&self) -> bool {
        false
    }

    /// Takes the totals of the interfaces so far, for a file that has ended before the capture.
    ///
    /// # Errors
    /// When they cannot be written.
    fn totals(&mut self, _totals: &[InterfaceStatistics]) -> Result<(), Error> {
        Ok(())
    }
}

/// A destination of packets that are already encoded.
pub trait BlockSink {
    /// Takes whole Enhanced Packet Blocks in this machine's byte order, with time stamps in nanoseconds. Their interfaces
    /// must have been announced.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn blocks(&mut self, blocks: &[u8]) -> Result<(), Error>;
}

/// Why an output could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reader closed the pipe: the normal end of `xdpdump -w - | head`.
    #[error("{0}: the reader closed the pipe")]
    Closed(String),
    /// The output could not be opened.
    #[error("cannot open {0} for writing: {reason}", reason = reason(.1))]
    Open(String, io::Error),
    /// The capture file would go to a terminal.
    #[error("{0} is a terminal, and a capture file is binary: name a file with -w, or write to a pipe")]
    Terminal(String),
    /// The capture file would go to the same place as standard error.
    #[error("{0} also gets the messages, which would damage a capture file: name another file with -w")]
    Messages(String),
    /// Another process holds a lock on the file.
    #[error("{0} is being written by another capture (it has a lock on it): name another file with -w")]
    Busy(String),
    /// At the end of the capture the reader of a pipe did not take the rest before the deadline.
    #[error("{0}: the reader did not take the rest in time")]
    TooLate(String),
    /// Another program changed the file.
    #[error("{0}: {1}")]
    Changed(String, Change),
    /// Writing failed; the file ends with a whole record.
    #[error("cannot write to {0}: {reason}", reason = reason(.1))]
    Write(String, io::Error),
    /// Writing failed, and the partial record at the end of the file could not be removed.
    #[error("cannot write to {0}: {reason}; the file ends within a packet (`xdpdump repair` cuts it off)", reason = reason(.1))]
    Cut(String, io::Error),
    /// Dumps are files.
    #[error("{0} is no name for files of what is kept: name a regular file with -w")]
    NoFiles(String),
    /// The machine has less memory, in MiB.
    #[error("the machine has {0} MiB of memory, less than --keep would take: keep less")]
    TooMuchToKeep(u64),
    /// Only regular files follow one another.
    #[error(
        "{0} cannot be followed by other files: name a regular file with -w, or leave -C, -G and what belongs to them out"
    )]
    NotRotated(String),
    /// Old files cannot be found.
    #[error(
        "{0} has conversions in the names of folders, where old files are not looked for: leave --max-total and --min-free out"
    )]
    Budget(String),
    /// There is no room, and no old file to delete.
    #[error("{0}")]
    OverBudget(String),
    /// There is no program to run on files.
    #[error(transparent)]
    Command(#[from] rotation::MissingCommand),
    /// The name of the file is no format.
    #[error(transparent)]
    Name(#[from] rotation::NameError),
    /// A classic pcap file would have to hold these two link types.
    #[error("{0}: a pcap file holds one link type, not {1} and {2}: write pcapng")]
    LinkTypes(String, LinkType, LinkType),
    /// A packet has a time that the file cannot hold, for this reason.
    #[error("{0}: a packet of the time {1} s cannot be written: {2}")]
    Time(String, Time, &'static str),
}

impl Error {
    /// Whether the command line asked for what cannot be, whatever happens.
    pub fn is_wrong_use(&self) -> bool {
        matches!(
            self,
            Self::NoFiles(_) | Self::NotRotated(_) | Self::Budget(_) | Self::Command(_) | Self::Name(_)
        )
    }
}

/// Prints `text`, such as a list of interfaces, on standard output.
///
/// # Errors
/// [`Error::Closed`] when its reader has closed it, [`Error::Open`] when it was closed when the program began,
/// [`Error::Write`].
pub fn print(text: &str) -> Result<(), Error> {
    print_by(text, None)
}

/// [`print`], which gives up at `deadline`.
fn print_by(text: &str, deadline: Option<Instant>) -> Result<(), Error> {
    let mut stdout = Stream::standard(1)?;
    if let Some(deadline) = deadline {
        stdout.end_by(deadline);
    }
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match stdout.write(rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(fault) => return Err(Error::from_fault(fault, Target::Descriptor(1).name())),
        }
    }
    Ok(())
}

impl Error {
    /// The error for `fault` of the output that messages call `name`.
    fn from_fault(fault: Fault, name: String) -> Self {
        match fault {
            Fault::Closed => Self::Closed(name),
            // `Interrupted` gets here only when text is printed without a capture, where nothing tries again.
            Fault::TooLate | Fault::Interrupted => Self::TooLate(name),
            Fault::Changed(change) => Self::Changed(name, change),
            Fault::Io(error) => Self::Write(name, error),
        }
    }
}

/// Prints the number of packets, for `--count`, and gives up at `deadline` if there is one.
///
/// # Errors
/// As [`print`], and [`Error::TooLate`].
pub fn print_count(packets: u64, deadline: Option<Instant>) -> Result<(), Error> {
    let text = if packets == 1 { "1 packet\n".to_owned() } else { format!("{packets} packets\n") };
    print_by(&text, deadline)
}

/// What went wrong and what the user can do about it.
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
        _ if error.raw_os_error() == Some(libc::EBADF) => "it is closed".into(),
        io::ErrorKind::IsADirectory => "it is a directory: name a file with -w".into(),
        _ => error.to_string(),
    }
}

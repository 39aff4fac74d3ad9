//! What the bytes of a capture file are written to: a regular file, or a stream such as a pipe.
//!
//! A medium handles bytes only; [`Output`](super::records::Output) knows records and packets.

mod compressed;
mod create;
mod regular;
mod stream;

use std::{
    fs::File,
    io::{self, Write},
    os::{fd::BorrowedFd, unix::fs::FileTypeExt as _},
    path::Path,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use crate::{
    output::{
        Error,
        guardian::{self, Guardian},
        target::Target,
    },
    sys::inherited,
};
use compressed::Compressed;
pub use compressed::{LEVEL_FOR_CAPTURES, LEVEL_FOR_FILES};
pub use create::{Readers, resolve};
use regular::Regular;
pub use stream::Stream;

/// A destination of a sequence of bytes.
pub trait Medium {
    /// Writes as many of `bytes` as the medium accepts at once, at least one, after everything written before.
    ///
    /// # Errors
    /// When no byte could be written.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault>;

    /// Tells the medium that the last `partial` bytes written are the beginning of a record, and everything before them is
    /// whole records.
    fn set_partial(&mut self, _partial: u64) {}

    /// Removes the last `count` bytes written, if the medium is one from which bytes can be removed.
    ///
    /// # Errors
    /// When removing them failed.
    fn take_back(&mut self, _count: u64) -> io::Result<()> {
        Ok(())
    }

    /// The number of bytes to hand over in one write, unless the first record has more.
    fn most(&self) -> usize {
        usize::MAX
    }

    /// As [`Sink::patience`](super::Sink::patience).
    fn patience(&self) -> Duration {
        super::PATIENCE
    }

    /// The number of bytes of the medium that are taken by the first so many bytes given to it; an estimate for those that it has
    /// not got yet.
    fn stored(&self, bytes: u64) -> u64 {
        bytes
    }

    /// Gives the medium another name, if it is a file that was opened by its name. Replaces a regular file of that name.
    ///
    /// # Errors
    /// The error of the system call; `ResourceBusy` when another capture writes to the file of that name.
    fn rename(&mut self, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Deletes the medium, if it is a file that was opened by its name.
    ///
    /// # Errors
    /// The error of the system call.
    fn remove(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Finishes the output after its last byte.
    ///
    /// # Errors
    /// When the file no longer holds what was written.
    fn finish(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// As [`Sink::watch`](super::Sink::watch).
    fn watch(&self, _each: &mut dyn FnMut(BorrowedFd<'_>)) {}

    /// As [`Sink::look_after`](super::Sink::look_after).
    ///
    /// # Errors
    /// When no more can be written, or the file no longer holds what was written.
    fn look_after(&mut self, _say: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        Ok(())
    }

    /// As [`Sink::interrupted_by`](super::Sink::interrupted_by).
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    fn interrupted_by(&mut self, _interrupt: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    /// As [`Sink::end_by`](super::Sink::end_by).
    fn end_by(&mut self, _deadline: Instant) {}
}

/// Any writer can be a medium for text: memory, for example.
impl<W: Write> Medium for W {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let count = Write::write(self, bytes)?;
        self.flush()?;
        Ok(count)
    }
}

/// Why a medium could not write.
#[derive(Debug)]
pub enum Fault {
    /// The wait for the reader was interrupted by the descriptor that was given for this purpose: try again later.
    Interrupted,
    /// The reader did not take the bytes before the deadline.
    TooLate,
    /// The reader has closed its end.
    Closed,
    /// The file no longer holds what was written.
    Changed(Change),
    /// An error of the operating system.
    Io(io::Error),
}

/// What another program did to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Change {
    /// It is shorter than what was written.
    #[error("another program shortened the file while it was being written: it may be damaged")]
    Shorter,
    /// It is longer than what was written.
    #[error("another program wrote to the file as well: it may be damaged")]
    Longer,
    /// It has no name any more: it was deleted.
    #[error("it was deleted while it was written: what was captured is in a file that has no name any more")]
    Deleted,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Io(error) }
    }
}

impl From<Errno> for Fault {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// Opens `target`, which messages call `name`, for a capture file. A regular file is created for these readers if it does not
/// exist; an existing one is emptied at the first write. `guardian`, if given, guards it. With a `level` of zstd, what is written is
/// compressed. For a named pipe this waits until somebody opens it for reading. `say` gets messages for the user.
///
/// # Errors
/// [`Error::Open`], [`Error::Terminal`], [`Error::Messages`] and [`Error::Busy`].
pub fn open(
    target: Target<'_>,
    name: &str,
    readers: Readers,
    level: Option<i32>,
    guardian: Option<&Guardian>,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Medium>, Error> {
    let refused = |error| Error::Open(name.to_owned(), error);
    if target.is_same_as(Target::Descriptor(2)) {
        return Err(Error::Messages(name.to_owned()));
    }
    let (file, path) = match target {
        Target::Descriptor(number) => (File::from(inherited::for_writing(number).map_err(refused)?), None),
        Target::Path(path) => (open_path(path, name, readers, say).map_err(refused)?, Some(path)),
    };
    if rustix::termios::isatty(&file) {
        return Err(Error::Terminal(name.to_owned()));
    }
    if !file.metadata().map_err(refused)?.is_file() {
        let stream = if path.is_some() { Stream::own(file) } else { Stream::inherited(file) };
        return compress(Box::new(stream.map_err(refused)?), level, false).map_err(refused);
    }
    let mut regular = match path {
        Some(path) => Regular::own(file, path),
        None => Regular::inherited(file),
    }
    .map_err(refused)?;
    if !regular.lock() {
        return Err(Error::Busy(name.to_owned()));
    }
    let end: &[u8] = if level.is_some() { &compressed::END } else { &[] };
    if let Some(Err(error)) = guardian.map(|guardian| regular.guard(guardian, end)) {
        say(&format!("{name}: {}", guardian::without(&error)));
    }
    compress(Box::new(regular), level, true).map_err(refused)
}

/// The medium itself, or one in front of it that compresses.
fn compress(medium: Box<dyn Medium>, level: Option<i32>, collects: bool) -> io::Result<Box<dyn Medium>> {
    match level {
        None => Ok(medium),
        Some(level) => Ok(Box::new(Compressed::new(medium, level, collects)?)),
    }
}

fn open_path(path: &Path, name: &str, readers: Readers, say: &mut dyn FnMut(&str)) -> io::Result<File> {
    let path = &resolve(path)?;
    if path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo()) {
        // With O_NONBLOCK, opening a pipe that nobody reads fails with ENXIO instead of waiting.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(pipe) => return Ok(pipe.into()),
            Err(Errno::NXIO) => say(&format!(
                "waiting for a reader of the named pipe {name}: start one (`wireshark -k -i {name}`), or give up with Ctrl-C"
            )),
            Err(error) => return Err(error.into()),
        }
    }
    create::open(path, readers)
}

//! What a capture file is written to: a regular file, or a stream of bytes such as a pipe.
//!
//! A medium knows bytes. What records they make up, and how many packets, is [`Output`](super::records::Output)'s.

mod regular;
mod stream;

use std::{
    fs::File,
    io::{self, Write},
    os::{
        fd::BorrowedFd,
        unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    },
    path::Path,
    time::Instant,
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
use regular::Regular;
pub use stream::Stream;

/// A destination of bytes, one behind the other.
pub trait Medium {
    /// Writes as many of `bytes` as it takes at once, at least one, behind everything written before.
    ///
    /// # Errors
    /// When it takes none.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault>;

    /// The last `partial` bytes written are the beginning of a record; what is before them is whole records.
    fn set_partial(&mut self, _partial: u64) {}

    /// Takes the last `count` bytes written back, where the medium is one that can do so.
    ///
    /// # Errors
    /// When it is, and that failed.
    fn take_back(&mut self, _count: u64) -> io::Result<()> {
        Ok(())
    }

    /// Does what is to be done behind the last byte.
    ///
    /// # Errors
    /// When what was written is not there any more.
    fn finish(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// As [`Sink::watch`](super::Sink::watch).
    fn watch(&self, _each: &mut dyn FnMut(BorrowedFd<'_>)) {}

    /// As [`Sink::look_after`](super::Sink::look_after).
    ///
    /// # Errors
    /// When it takes no more, or lost what was written.
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

/// Memory and the like, for text.
impl<W: Write> Medium for W {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let count = Write::write(self, bytes)?;
        self.flush()?;
        Ok(count)
    }
}

/// Why a medium takes nothing.
#[derive(Debug)]
pub enum Fault {
    /// It would have had to wait longer, and what is to interrupt that came: try again later.
    Interrupted,
    /// It would have had to wait beyond the deadline.
    TooLate,
    /// The reader is gone.
    Closed,
    /// The file is not what was written any more.
    Changed(Change),
    /// What the operating system says.
    Io(io::Error),
}

/// What somebody else did to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Change {
    /// It is shorter than what was written.
    #[error("another program cut it short while it was written, and it may not open")]
    Shorter,
    /// It is longer.
    #[error("another program wrote to it as well, and it may not open")]
    Longer,
    /// It has no name any more.
    #[error("it was deleted while it was written, and what was captured is lost")]
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

/// Opens `target`, which is called `name`, for a capture file. A regular file is created, readable for those whom the umask
/// lets, and has a guardian if there is one to ask; what an earlier one holds goes with the first write. A named pipe is
/// waited for until somebody reads it. `say` is told what a person should know.
///
/// # Errors
/// [`Error::Open`], [`Error::Terminal`], [`Error::Messages`] and [`Error::Busy`].
pub fn open(
    target: Target<'_>,
    name: &str,
    guardian: Option<&Guardian>,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Medium>, Error> {
    let refused = |error| Error::Open(name.to_owned(), error);
    if target.is_same_as(Target::Descriptor(2)) {
        return Err(Error::Messages(name.to_owned()));
    }
    let (file, path) = match target {
        Target::Descriptor(number) => (File::from(inherited::for_writing(number).map_err(refused)?), None),
        Target::Path(path) => (open_path(path, name, say).map_err(refused)?, Some(path)),
    };
    if rustix::termios::isatty(&file) {
        return Err(Error::Terminal(name.to_owned()));
    }
    if !file.metadata().map_err(refused)?.is_file() {
        let stream = if path.is_some() { Stream::own(file) } else { Stream::inherited(file) };
        return Ok(Box::new(stream.map_err(refused)?));
    }
    let mut regular = match path {
        Some(path) => Regular::own(file, path),
        None => Regular::inherited(file),
    }
    .map_err(refused)?;
    if !regular.lock() {
        return Err(Error::Busy(name.to_owned()));
    }
    if let Some(Err(error)) = guardian.map(|guardian| regular.guard(guardian)) {
        say(&format!("{name}: {}", guardian::without(&error)));
    }
    Ok(Box::new(regular))
}

fn open_path(path: &Path, name: &str, say: &mut dyn FnMut(&str)) -> io::Result<File> {
    if path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo()) {
        // Without blocking, a pipe that nobody reads is an error.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(pipe) => return Ok(pipe.into()),
            Err(Errno::NXIO) => say(&format!(
                "waiting for a reader of the named pipe {name}: start one (`wireshark -k -i {name}`), or give up with Ctrl-C"
            )),
            Err(error) => return Err(error.into()),
        }
    }
    File::options().write(true).create(true).truncate(false).mode(0o666).open(path)
}

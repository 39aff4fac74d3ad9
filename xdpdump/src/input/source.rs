//! A file or stream that is read.

use std::{
    fs::File,
    io::{self, Read, Seek as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::OpenOptionsExt as _,
    },
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{output::Target, sys::inherited};

/// An opened file, or a stream.
#[derive(Debug)]
pub struct Source {
    file: File,
    interrupt: Option<OwnedFd>,
    /// Whether reading waits for a stream.
    waits: bool,
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Source {
    /// [`open`](Self::open), but neither opening a named pipe nor reading from a stream waits:
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) is the answer.
    ///
    /// # Errors
    /// As for that.
    pub fn open_without_waiting(target: Target<'_>) -> io::Result<Self> {
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = match target {
            Target::Descriptor(number) => inherited::for_reading(number)?.into(),
            Target::Path(path) => File::options().read(true).custom_flags(flags).open(path)?,
        };
        let is_file = file.metadata()?.is_file();
        Ok(Self { file, interrupt: None, waits: is_file })
    }

    /// The same open file once more.
    ///
    /// # Errors
    /// When there is no descriptor for it.
    pub fn again(&self) -> io::Result<Self> {
        Ok(Self { file: self.file.try_clone()?, interrupt: None, waits: self.waits })
    }

    /// Goes back to the beginning.
    ///
    /// # Errors
    /// When it is a stream.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.file.rewind()
    }

    /// Opens the file, or the descriptor that the process was started with.
    ///
    /// # Errors
    /// When it cannot be opened, or was not opened for reading.
    pub fn open(target: Target<'_>) -> io::Result<Self> {
        let file = match target {
            Target::Descriptor(number) => inherited::for_reading(number)?.into(),
            Target::Path(path) => File::open(path)?,
        };
        Ok(Self { file, interrupt: None, waits: true })
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.is_file())
    }

    /// From now on reading fails when `interrupt` can be read, instead of waiting for a stream.
    pub fn interrupted_by(&mut self, interrupt: OwnedFd) {
        self.interrupt = Some(interrupt);
    }
}

impl Read for Source {
    /// Waits for what can be read. A regular file can always be read.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The flags of a stream that other processes share stay as they are.
        if !self.waits
            && poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&Timespec::default()))? == 0
        {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if let Some(interrupt) = &self.interrupt {
            let mut both = [PollFd::new(&self.file, PollFlags::IN), PollFd::new(interrupt, PollFlags::IN)];
            poll(&mut both, None)?;
            let [_, interrupt] = both;
            if !interrupt.revents().is_empty() {
                return Err(io::Error::other("a signal came"));
            }
        }
        self.file.read(buffer)
    }
}

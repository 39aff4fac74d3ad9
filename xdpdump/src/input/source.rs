//! A file or stream that is read.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
};

use rustix::event::{PollFd, PollFlags, poll};

use crate::{output::Target, sys::inherited};

/// An opened file, or a stream.
#[derive(Debug)]
pub struct Source {
    file: File,
    interrupt: Option<OwnedFd>,
}

impl Source {
    /// Opens the file, or the descriptor that the process was started with.
    ///
    /// # Errors
    /// When it cannot be opened, or was not opened for reading.
    pub fn open(target: Target<'_>) -> io::Result<Self> {
        let file = match target {
            Target::Descriptor(number) => inherited::for_reading(number)?.into(),
            Target::Path(path) => File::open(path)?,
        };
        Ok(Self { file, interrupt: None })
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

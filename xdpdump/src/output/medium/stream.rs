//! Pipes, sockets, terminals and devices as a medium.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd, RawFd},
        unix::fs::FileTypeExt as _,
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::{Fault, Medium};
use crate::{
    output::{Error, target},
    sys::{
        inherited,
        nonblocking::{self, Way},
    },
};

/// Capacity in bytes that is set on a pipe, so that writes wait less often for the reader.
const PIPE_SIZE: usize = 1 << 20;

/// An output from which bytes cannot be removed, and whose reader may be slow.
///
/// It never blocks in a write. It waits only in [`Stream::wait`], which can be interrupted and has a deadline. The flags of
/// an inherited open file description are shared with other processes, so they are not changed.
#[derive(Debug)]
pub struct Stream {
    file: File,
    way: Way,
    /// The stream has a reader, which may close its end.
    has_reader: bool,
    interrupt: Option<OwnedFd>,
    deadline: Option<Instant>,
}

impl Stream {
    /// Takes a stream that this process has opened itself.
    ///
    /// # Errors
    /// When the kernel does not tell the type of the file, or refuses to open or configure it.
    pub fn own(file: File) -> io::Result<Self> {
        let way = nonblocking::own(&file)?;
        Self::new(file, way)
    }

    /// Takes a stream that this process inherited.
    ///
    /// # Errors
    /// When the kernel does not tell the type of the file, or refuses to open or configure it.
    pub fn inherited(file: File) -> io::Result<Self> {
        let (file, way) = nonblocking::inherited(file)?;
        Self::new(file, way)
    }

    /// Standard output (1) or standard error (2), for text.
    ///
    /// # Errors
    /// [`Error::Open`] when it is closed, or cannot be written.
    pub fn standard(number: RawFd) -> Result<Self, Error> {
        let file = inherited::for_writing(number).map(File::from);
        file.and_then(Self::inherited).map_err(|error| Error::Open(target::name(number), error))
    }

    fn new(file: File, way: Way) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        if kind.is_fifo() {
            // If the kernel refuses, the pipe keeps its capacity, which is only slower.
            let _ = rustix::pipe::fcntl_setpipe_size(&file, PIPE_SIZE);
        }
        let has_reader = kind.is_fifo() || kind.is_socket();
        Ok(Self { file, way, has_reader, interrupt: None, deadline: None })
    }

    /// Waits until the stream is writable.
    fn wait(&self) -> Result<(), Fault> {
        let remaining = self.deadline.map(|at| at.saturating_duration_since(Instant::now()));
        if remaining == Some(Duration::ZERO) {
            return Err(Fault::TooLate);
        }
        let timeout = remaining.and_then(|remaining| Timespec::try_from(remaining).ok());
        let output = PollFd::new(&self.file, PollFlags::OUT);
        // Once there is a deadline the capture is ending, so nothing interrupts the wait any more.
        let interrupt = self.interrupt.as_ref().filter(|_| self.deadline.is_none());
        let woken = match interrupt {
            Some(interrupt) => {
                let mut both = [output, PollFd::new(interrupt, PollFlags::IN)];
                let woken = poll(&mut both, timeout.as_ref());
                let [_, interrupt] = both;
                if woken.is_ok() && !interrupt.revents().is_empty() {
                    return Err(Fault::Interrupted);
                }
                woken
            }
            None => poll(&mut [output], timeout.as_ref()),
        };
        match woken {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Medium for Stream {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        loop {
            match self.way.attempt(self.file.as_fd(), bytes) {
                Err(Errno::WOULDBLOCK) => self.wait()?,
                Err(Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        if self.has_reader {
            each(self.file.as_fd());
        }
    }

    fn look_after(&mut self, _: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        let mut output = [PollFd::new(&self.file, PollFlags::empty())];
        if self.has_reader && poll(&mut output, Some(&Timespec::default()))? > 0 {
            return Err(Fault::Closed);
        }
        Ok(())
    }

    fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> io::Result<()> {
        self.interrupt = Some(interrupt.try_clone_to_owned()?);
        Ok(())
    }

    fn end_by(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{PipeReader, Read as _, Write as _},
        os::unix::net::UnixStream,
    };

    use rustix::fs::{OFlags, fcntl_getfl};

    use super::*;
    use crate::sys::nonblocking::PIPE_PIECE;

    /// Writes into `stream` until it would have to wait; returns the number of bytes written.
    fn fill(stream: &mut Stream) -> usize {
        let (interrupt, mut signal) = UnixStream::pair().unwrap();
        signal.write_all(b"x").unwrap();
        stream.interrupted_by(interrupt.as_fd()).unwrap();
        let mut written = 0;
        loop {
            match stream.write(&[7; 10_000]) {
                Ok(count) => written += count,
                Err(Fault::Interrupted) => return written,
                Err(fault) => panic!("{fault:?}"),
            }
        }
    }

    fn pipe() -> (PipeReader, File) {
        let (reader, writer) = io::pipe().unwrap();
        (reader, OwnedFd::from(writer).into())
    }

    /// The open file description blocks and must stay so, because it is shared.
    #[test]
    fn writes_do_not_block_on_a_pipe_that_cannot_be_opened_again() {
        let (mut reader, file) = pipe();
        let others = file.try_clone().unwrap();
        let mut stream = Stream::new(file, Way::Pieces(PIPE_PIECE)).unwrap();
        let written = fill(&mut stream);
        assert!(written >= 16 * PIPE_PIECE, "{written}");
        assert!(!fcntl_getfl(&others).unwrap().contains(OFlags::NONBLOCK));
        drop((stream, others));
        let mut bytes = Vec::new();
        assert_eq!(reader.read_to_end(&mut bytes).unwrap(), written);
    }

    #[test]
    fn writes_do_not_block_on_a_pipe_that_was_opened_again() {
        let (reader, file) = pipe();
        let others = file.try_clone().unwrap();
        let mut stream = Stream::inherited(file).unwrap();
        assert_eq!(stream.way, Way::Plain);
        assert!(fill(&mut stream) > 0);
        assert!(!fcntl_getfl(&others).unwrap().contains(OFlags::NONBLOCK));
        stream.look_after(&mut |_| {}).unwrap();
        drop(reader);
        assert!(matches!(stream.look_after(&mut |_| {}), Err(Fault::Closed)));
        assert!(matches!(stream.write(b"x"), Err(Fault::Closed)));
    }

    #[test]
    fn writes_do_not_block_on_a_socket() {
        let (reader, socket) = UnixStream::pair().unwrap();
        let mut stream = Stream::inherited(File::from(OwnedFd::from(socket))).unwrap();
        assert!(fill(&mut stream) > 0);
        stream.look_after(&mut |_| {}).unwrap();
        stream.end_by(Instant::now());
        assert!(matches!(stream.write(b"x"), Err(Fault::TooLate)));
        drop(reader);
        assert!(matches!(stream.look_after(&mut |_| {}), Err(Fault::Closed)));
        assert!(matches!(stream.write(b"x"), Err(Fault::Closed)));
    }
}

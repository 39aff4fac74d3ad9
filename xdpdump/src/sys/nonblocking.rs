//! Writes that never wait, into descriptors whose flags must stay as they are.
//!
//! An inherited open file description is shared with other processes, which do not expect `O_NONBLOCK` in it.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsRawFd as _, BorrowedFd},
        unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    },
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
    net::SendFlags,
};

/// Bytes that a pipe accepts without blocking when poll(2) says that it is writable: `PIPE_BUF`, pipe(7).
pub const PIPE_PIECE: usize = 4096;
/// Bytes that a terminal accepts without blocking when it is writable: `WAKEUP_CHARS`, drivers/tty/n_tty.c (v6.18).
pub const TERMINAL_PIECE: usize = 256;

/// How to write without blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The description does not block, or never for long (a device or a file).
    Plain,
    /// A socket: each write says that it must not block.
    Socket,
    /// The description is shared and may block: write at most this many bytes, and only when poll(2) says that it is
    /// writable.
    Pieces(usize),
}

/// The way to write into a stream that this process has opened itself, and that nobody shares.
///
/// # Errors
/// When the kernel does not tell the type of the file, or refuses to configure it.
pub fn own(file: &File) -> io::Result<Way> {
    if file.metadata()?.file_type().is_fifo() {
        let flags = fcntl_getfl(file)?;
        fcntl_setfl(file, flags | OFlags::NONBLOCK)?;
    }
    Ok(Way::Plain)
}

/// The way to write into a stream that this process inherited. A pipe or terminal is opened again where that is possible, so
/// that this process has an open file description of its own, which does not block.
///
/// # Errors
/// When the kernel does not tell the type of the file.
pub fn inherited(file: File) -> io::Result<(File, Way)> {
    let kind = file.metadata()?.file_type();
    let piece = if kind.is_socket() {
        return Ok((file, Way::Socket));
    } else if kind.is_fifo() {
        PIPE_PIECE
    } else if rustix::termios::isatty(&file) {
        TERMINAL_PIECE
    } else {
        return Ok((file, Way::Plain));
    };
    match reopened(&file) {
        Ok(own) => Ok((own, Way::Plain)),
        // It belongs to another user, or there is no /proc.
        Err(_) => Ok((file, Way::Pieces(piece))),
    }
}

/// Opens the same pipe or terminal again.
fn reopened(file: &File) -> io::Result<File> {
    File::options()
        .write(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

impl Way {
    /// Tries to write once.
    ///
    /// # Errors
    /// `WOULDBLOCK` when there is no room, or what the kernel says.
    pub fn attempt(self, fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
        match self {
            Self::Plain => rustix::io::write(fd, bytes),
            Self::Socket => rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            Self::Pieces(piece) => {
                if poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], Some(&Timespec::default()))? == 0
                {
                    return Err(Errno::WOULDBLOCK);
                }
                rustix::io::write(fd, bytes.get(..piece).unwrap_or(bytes))
            }
        }
    }
}

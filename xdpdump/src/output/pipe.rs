//! What the standard library cannot do with a pipe.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, AsRawFd as _},
};

/// A writer that waits for room where a non-blocking one would fail. The other end of standard output may have made it
/// non-blocking for all its users.
#[derive(Debug)]
pub struct Patient<W>(pub W);

impl<W: Write + AsFd> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_writable(&self.0),
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        loop {
            match self.0.flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_writable(&self.0),
                result => return result,
            }
        }
    }
}

/// Makes room for `bytes` in a pipe (`F_SETPIPE_SZ`, fcntl(2)), as far as the system allows: writes then
/// wait less often for the reader.
pub fn enlarge(pipe: &File, bytes: usize) {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    // SAFETY: the descriptor is open for as long as `pipe` is borrowed, and this command takes an int, no pointer.
    // A refusal leaves the pipe as it was, which is slower and nothing worse.
    unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
}

/// Waits until a non-blocking descriptor takes bytes again, or a signal arrives.
fn wait_writable(file: &impl AsFd) {
    let mut poll = libc::pollfd { fd: file.as_fd().as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: `poll` is one initialised pollfd that lives through the call.
    unsafe { libc::poll(&raw mut poll, 1, -1) };
}

//! What the standard library cannot do with a pipe.

use std::{fs::File, os::fd::AsRawFd as _};

/// Makes room for `bytes` in a pipe (`F_SETPIPE_SZ`, fcntl(2)), as far as the system allows: writes then
/// wait less often for the reader.
pub fn enlarge(pipe: &File, bytes: usize) {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    // SAFETY: the descriptor is open for as long as `pipe` is borrowed, and this command takes an int, no pointer.
    // A refusal leaves the pipe as it was, which is slower and nothing worse.
    unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
}

/// Waits until a non-blocking descriptor takes bytes again, or a signal arrives.
pub fn wait_writable(file: &File) {
    let mut poll = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: `poll` is one initialised pollfd that lives through the call.
    unsafe { libc::poll(&raw mut poll, 1, -1) };
}

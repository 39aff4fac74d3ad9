//! What the standard library does not tell of a file.

use std::{fs::File, os::fd::AsRawFd as _};

/// Whether every write to `file` goes to its end (`O_APPEND`), as a shell's `>>` has it.
pub fn is_set(file: &File) -> bool {
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and this command takes no argument.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags != -1 && flags & libc::O_APPEND != 0
}

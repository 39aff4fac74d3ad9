//! Descriptors that this process was started with.

use std::{
    io,
    os::fd::{FromRawFd as _, OwnedFd, RawFd},
    sync::atomic::{AtomicU8, Ordering},
};

use rustix::io::Errno;

/// Bit N is set if descriptor N (0, 1 or 2) was closed when the program began.
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// Before `main`, the standard library opens `/dev/null` in place of a closed standard descriptor. After that it cannot be
/// distinguished from a `/dev/null` that was passed on purpose (daemons and Python also open it for reading and writing).
/// So this checks earlier: the C library calls the functions in `.init_array` before the program's entry function.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    for number in 0..3 {
        // SAFETY: the command takes no argument and changes nothing, whether or not the descriptor is open.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
            CLOSED.fetch_or(1 << number, Ordering::Relaxed);
        }
    }
}

/// A duplicate of the descriptor `number`, if this process inherited it.
///
/// # Errors
/// `EBADF` when it was not open when the process started.
pub fn descriptor(number: RawFd) -> io::Result<OwnedFd> {
    if (0..3).contains(&number) && CLOSED.load(Ordering::Relaxed) & 1 << number != 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: the command takes no argument and changes nothing, whether or not the descriptor is open.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    // Descriptors that this process opened itself have FD_CLOEXEC; descriptors that it inherited through execve(2) do not.
    if flags == -1 || flags & libc::FD_CLOEXEC != 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: the argument is a lower bound for the new number. The command does not change the descriptor itself.
    let duplicate = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if duplicate == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just created it, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(duplicate) })
}

/// Closes every descriptor from `first` on, which the process that started this one left open. Before Linux 5.9, which
/// added close_range(2), they stay open.
///
/// # Safety
/// Nothing in this process may own any of them.
pub unsafe fn close_all_from(first: u32) {
    // SAFETY: the caller guarantees that nothing owns them.
    unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use super::*;

    #[test]
    fn only_what_the_process_was_started_with() {
        assert!(descriptor(2).is_ok());
        let own = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(descriptor(own.as_raw_fd()).unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert_eq!(descriptor(-1).unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert_eq!(descriptor(1 << 20).unwrap_err().raw_os_error(), Some(libc::EBADF));
    }
}

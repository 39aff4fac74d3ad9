//! Descriptors that this process was started with.

use std::{
    io,
    os::fd::{FromRawFd as _, OwnedFd, RawFd},
    sync::atomic::{AtomicU8, Ordering},
};

use rustix::{
    fs::{OFlags, fcntl_getfl},
    io::Errno,
};

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

/// Keeps the descriptor `number` from the programs that this process executes.
///
/// # Errors
/// `EBADF` when it is not open.
pub fn close_on_exec(number: RawFd) -> io::Result<()> {
    // SAFETY: the argument is a flag. The command changes nothing else, whatever the descriptor refers to.
    match unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// [`descriptor`] for reading.
///
/// # Errors
/// As for that, and when it was opened for writing only.
pub fn for_reading(number: RawFd) -> io::Result<OwnedFd> {
    open_as(number, OFlags::WRONLY, "it was opened for writing only")
}

/// [`descriptor`] for writing.
///
/// # Errors
/// As for that, and when it was opened for reading only.
pub fn for_writing(number: RawFd) -> io::Result<OwnedFd> {
    open_as(number, OFlags::RDONLY, "it was opened for reading only")
}

/// A descriptor whose access mode is another one than `wrong`. With that the kernel says `EBADF` at the first use, as if it were
/// closed, or `EINVAL` (ftruncate(2)).
fn open_as(number: RawFd, wrong: OFlags, sentence: &'static str) -> io::Result<OwnedFd> {
    let descriptor = descriptor(number)?;
    let is_wrong = fcntl_getfl(&descriptor)? & OFlags::RWMODE == wrong;
    if is_wrong { Err(io::Error::other(sentence)) } else { Ok(descriptor) }
}

/// Closes every descriptor from `first` on: those that whoever started this process left open. A kernel without
/// close_range(2), before Linux 5.9, leaves them open.
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

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

/// A bit for each of the descriptors 0, 1 and 2 that was closed when the program began.
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// The standard library opens `/dev/null` in place of a standard descriptor that is closed, before `main`. Afterwards it
/// cannot be told from a `/dev/null` that somebody meant (a daemon's or Python's is open for reading and writing as well), so
/// this looks before that: the C library calls what is in `.init_array` before it calls the program's entry function.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    for number in 0..3 {
        // SAFETY: the command takes no argument and changes nothing, whether the descriptor is open or not.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
            CLOSED.fetch_or(1 << number, Ordering::Relaxed);
        }
    }
}

/// A duplicate of the descriptor `number`, if this process was started with it.
///
/// # Errors
/// `EBADF` when it was not open then.
pub fn descriptor(number: RawFd) -> io::Result<OwnedFd> {
    if (0..3).contains(&number) && CLOSED.load(Ordering::Relaxed) & 1 << number != 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: the command takes no argument and changes nothing, whether the descriptor is open or not.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    // What this process opened itself is closed on execve(2), and what came through execve(2) is not.
    if flags == -1 || flags & libc::FD_CLOEXEC != 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: the argument is a lower bound for the new number. The descriptor itself stays as it is.
    let duplicate = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if duplicate == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just opened it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(duplicate) })
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
/// Nothing in this process owns any of them.
pub unsafe fn close_all_from(first: u32) {
    // SAFETY: the caller says that they are nobody's.
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

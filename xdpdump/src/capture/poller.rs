//! Sleeps until something is to be done.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    time::Duration,
};

/// The descriptors of one sleep.
#[derive(Default)]
pub struct Poller(Vec<libc::pollfd>);

impl Poller {
    /// Wakes when `fd` can be read.
    pub fn readable(&mut self, fd: BorrowedFd<'_>) {
        self.0.push(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    }

    /// Wakes when the other end of the pipe `fd` is closed.
    pub fn closed(&mut self, fd: BorrowedFd<'_>) {
        self.0.push(libc::pollfd { fd: fd.as_raw_fd(), events: 0, revents: 0 });
    }

    /// Sleeps for at most `timeout`; a signal ends it too.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        let timeout = libc::timespec {
            tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        // SAFETY: the array is as long as said and, like the time, lives through the call; no signal mask is given.
        let ready = unsafe {
            libc::ppoll(
                self.0.as_mut_ptr(),
                self.0.len() as libc::nfds_t,
                &raw const timeout,
                std::ptr::null(),
            )
        };
        match ready {
            -1 => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                error => Err(error),
            },
            _ => Ok(()),
        }
    }

    /// Whether the other end of `fd` was found closed by the last [`Poller::wait`].
    pub fn is_closed(&self, fd: BorrowedFd<'_>) -> bool {
        self.0
            .iter()
            .any(|entry| entry.fd == fd.as_raw_fd() && entry.revents & (libc::POLLERR | libc::POLLHUP) != 0)
    }

    /// Forgets all descriptors.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

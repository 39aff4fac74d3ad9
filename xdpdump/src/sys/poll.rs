//! Sleeps until a descriptor is ready.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

/// The descriptors of one sleep.
///
/// It stores the numbers of the descriptors and does not borrow them, because an output shows its descriptors only one by
/// one, and a number may be closed or reused later. A descriptor that is closed before the sleep begins ends the sleep at
/// once.
#[derive(Default)]
pub struct Poller(Vec<PollFd<'static>>);

impl Poller {
    /// Also ends the sleep when `fd` is readable.
    pub fn readable(&mut self, fd: BorrowedFd<'_>) {
        self.add(fd, PollFlags::IN);
    }

    /// Also ends the sleep when the other end of the pipe `fd` is closed.
    pub fn closed(&mut self, fd: BorrowedFd<'_>) {
        self.add(fd, PollFlags::empty());
    }

    fn add(&mut self, fd: BorrowedFd<'_>, events: PollFlags) {
        // SAFETY: the descriptor is only polled, which changes nothing, whatever it refers to by then; for a number that is
        // not open, poll(2) returns POLLNVAL.
        let fd = unsafe { BorrowedFd::borrow_raw(fd.as_raw_fd()) };
        self.0.push(PollFd::from_borrowed_fd(fd, events));
    }

    /// Sleeps for at most `timeout`. A signal ends the sleep too.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn wait(mut self, timeout: Duration) -> io::Result<Ready> {
        // A timeout that does not fit into a timespec means to wait without a limit.
        let timeout = Timespec::try_from(timeout).ok();
        match poll(&mut self.0, timeout.as_ref()) {
            Ok(_) => {
                let found = self.0.iter().map(|entry| (entry.as_fd().as_raw_fd(), entry.revents()));
                Ok(Ready(found.filter(|(_, events)| !events.is_empty()).collect()))
            }
            // Interrupted, or the kernel had no memory for a moment: what is ready now is still ready in the next round.
            Err(Errno::INTR | Errno::NOMEM | Errno::AGAIN) => Ok(Ready::default()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a sleep found.
#[derive(Debug, Default)]
pub struct Ready(Vec<(RawFd, PollFlags)>);

impl Ready {
    /// Whether `fd` is readable, or has an error that reading will return.
    pub fn is_readable(&self, fd: BorrowedFd<'_>) -> bool {
        self.has(fd, PollFlags::IN | PollFlags::ERR | PollFlags::HUP)
    }

    /// Whether the other end of `fd` is closed.
    pub fn is_closed(&self, fd: BorrowedFd<'_>) -> bool {
        self.has(fd, PollFlags::ERR | PollFlags::HUP)
    }

    fn has(&self, fd: BorrowedFd<'_>, events: PollFlags) -> bool {
        self.0.iter().any(|(ready, found)| *ready == fd.as_raw_fd() && found.intersects(events))
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::net::UnixStream};

    use super::*;

    fn look(fd: BorrowedFd<'_>) -> Ready {
        let mut poller = Poller::default();
        poller.readable(fd);
        poller.wait(Duration::ZERO).unwrap()
    }

    #[test]
    fn only_what_is_ready_is_said_to_be() {
        let (a, mut b) = UnixStream::pair().unwrap();
        assert!(!look(a.as_fd()).is_readable(a.as_fd()));
        b.write_all(b"x").unwrap();
        let ready = look(a.as_fd());
        assert!(ready.is_readable(a.as_fd()) && !ready.is_closed(a.as_fd()));
        assert!(!ready.is_readable(b.as_fd()), "not asked for");
        drop(b);
        assert!(look(a.as_fd()).is_closed(a.as_fd()));
    }

    #[test]
    fn the_longest_time_there_is_means_until_something_happens() {
        let (a, mut b) = UnixStream::pair().unwrap();
        b.write_all(b"x").unwrap();
        let mut poller = Poller::default();
        poller.readable(a.as_fd());
        assert!(poller.wait(Duration::MAX).unwrap().is_readable(a.as_fd()));
    }
}

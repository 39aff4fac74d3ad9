//! Signals: what their handlers note, and how they are disposed of before there is one.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use libc::c_int;
use rustix::{
    event::{EventfdFlags, eventfd},
    time::{ClockId, clock_gettime},
};
use signal_hook::low_level;

/// A request to stop that comes so long after the first means it: the process ends at once. One that comes sooner is the same
/// request: timeout(1) signals the process and its group, and a terminal and a service manager may both pass a signal on.
pub const SECOND_STOP_AFTER: Duration = Duration::from_secs(1);

/// A descriptor that can be read once a handler has noted something.
#[derive(Clone, Debug)]
pub struct Wake(Arc<OwnedFd>);

impl Wake {
    /// Makes the descriptor.
    ///
    /// # Errors
    /// When the kernel gives none.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Makes it unreadable until a handler notes something again.
    pub fn clear(&self) {
        // Without success nothing was noted since the last call.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }

    fn wake(&self) {
        // Without success it can be read already.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What handlers note of the signals that ask the process to end.
#[derive(Debug, Default)]
pub struct Stop {
    /// `CLOCK_MONOTONIC` nanoseconds of the first one; 0 before.
    first: AtomicU64,
    /// The next one ends the process at once.
    at_once: AtomicBool,
}

impl Stop {
    /// Whether one came.
    pub fn is_asked(&self) -> bool {
        self.first.load(Ordering::Relaxed) != 0
    }

    /// Whether signals end the process at once from now on, without being noted.
    pub fn set_at_once(&self, at_once: bool) {
        // Ordered with `first`: what came before was noted, and what comes later is seen by the handler.
        self.at_once.store(at_once, Ordering::SeqCst);
    }

    /// Notes one. Whether it is to end the process at once instead; `insists` when a second one may.
    fn note(&self, now: u64, insists: bool) -> bool {
        let first = self.first.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let waited = first.err().map(|first| Duration::from_nanos(now.saturating_sub(first)));
        insists && waited.is_some_and(|waited| waited >= SECOND_STOP_AFTER)
    }
}

/// From now on `signal` sets `flag`.
///
/// # Errors
/// When the kernel has no such signal, or nobody may handle it.
pub fn set_on(signal: c_int, flag: &Arc<AtomicBool>, wake: &Wake) -> io::Result<()> {
    let (flag, wake) = (Arc::clone(flag), wake.clone());
    let handler = move || {
        flag.store(true, Ordering::Relaxed);
        wake.wake();
    };
    // SAFETY: the handler stores to an atomic and writes to a descriptor by a raw system call that leaves errno alone: it
    // takes no lock, allocates nothing and does not panic.
    unsafe { low_level::register(signal, handler) }.map(drop)
}

/// From now on `signal` is noted in `stop`; when that says so, or when it comes again [`SECOND_STOP_AFTER`] the first and
/// `insists`, it does what it would without a handler.
///
/// # Errors
/// When the kernel has no such signal, or nobody may handle it.
pub fn stop_on(signal: c_int, stop: &Arc<Stop>, wake: &Wake, insists: bool) -> io::Result<()> {
    let (stop, wake) = (Arc::clone(stop), wake.clone());
    let handler = move || {
        if stop.at_once.load(Ordering::SeqCst) || stop.note(now(), insists) {
            // Fails for signals whose default it does not know; they all end the process.
            let _ = low_level::emulate_default_handler(signal)
                .or_else(|_| low_level::emulate_default_handler(libc::SIGTERM));
        }
        wake.wake();
    };
    // SAFETY: as in `set_on`; reading a clock is safe too, and so is what signal-hook offers for use in handlers.
    unsafe { low_level::register(signal, handler) }.map(drop)
}

/// `CLOCK_MONOTONIC` nanoseconds, never 0.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    (time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()).max(1)
}

/// Whether whoever started this process had the signal ignored, as nohup(1) does SIGHUP.
pub fn is_ignored(signal: c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the kernel only fills in the present one, for which zeros are a value too.
    let action = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// From now on nothing happens on `signal`, in this process and those that it starts.
pub fn ignore(signal: c_int) {
    // SAFETY: nothing runs on a signal that is ignored. Without success, which only numbers that are no signals have, nothing
    // changes.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stop_a_second_after_the_first_insists() {
        let second = SECOND_STOP_AFTER.as_nanos() as u64;
        let stop = Stop::default();
        assert!(!stop.is_asked());
        assert!(!stop.note(5, true), "the first");
        assert!(stop.is_asked());
        assert!(!stop.note(5, true), "at the same time");
        assert!(!stop.note(4 + second, true), "a moment too early");
        assert!(stop.note(5 + second, true));
        assert!(!stop.note(5 + second, false), "of a signal that does not insist");
        assert!(!stop.note(1, true), "a clock that goes back");
    }
}

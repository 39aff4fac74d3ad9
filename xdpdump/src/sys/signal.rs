//! Signals: what their handlers record, and what happens to signals without a handler.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering},
    },
    time::Duration,
};

use libc::c_int;
use rustix::{
    event::{EventfdFlags, eventfd},
    time::{ClockId, clock_gettime},
};
use signal_hook::low_level;

/// A request to stop that comes at least this long after the first one ends the process at once. One that comes sooner
/// counts as the same request: timeout(1) signals the process and its group, and a terminal and a service manager may both
/// forward a signal.
pub const SECOND_STOP_AFTER: Duration = Duration::from_secs(1);

/// A descriptor that becomes readable when a handler has recorded something.
#[derive(Clone, Debug)]
pub struct Wake(Arc<OwnedFd>);

impl Wake {
    /// Creates the descriptor.
    ///
    /// # Errors
    /// When the kernel refuses to create one.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Makes the descriptor unreadable until a handler records something again.
    pub fn clear(&self) {
        // This fails if nothing was recorded since the last call.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }

    fn wake(&self) {
        // This fails only if the descriptor is readable already.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What handlers record about signals that ask the process to stop.
#[derive(Debug, Default)]
pub struct Stop {
    /// Time of the first request, in `CLOCK_MONOTONIC` nanoseconds; 0 before it.
    first: AtomicU64,
    /// The signal that asked first; 0 before it.
    signal: AtomicI32,
    /// The next request ends the process at once.
    at_once: AtomicBool,
}

impl Stop {
    /// Whether a request to stop has come.
    pub fn is_asked(&self) -> bool {
        self.first.load(Ordering::Relaxed) != 0
    }

    /// The signal that asked first.
    pub fn signal(&self) -> Option<c_int> {
        // Not the signal alone: a handler may be between the two.
        if self.first.load(Ordering::Acquire) == 0 {
            return None;
        }
        Some(self.signal.load(Ordering::Relaxed))
    }

    /// Sets whether requests to stop end the process at once from now on, without being recorded.
    pub fn set_at_once(&self, at_once: bool) {
        // Sequentially consistent with `first`: a request before this store has been recorded, and the handler of a later
        // one sees this store.
        self.at_once.store(at_once, Ordering::SeqCst);
    }

    /// Records a request by `signal` at the time `now`. Returns whether it must end the process at once instead; `insists` says that a
    /// second request may do so.
    fn note(&self, signal: c_int, now: u64, insists: bool) -> bool {
        // Before the time, which says that it is there. It fails if it is not the first.
        let _ = self.signal.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
        let first = self.first.compare_exchange(0, now, Ordering::Release, Ordering::Relaxed);
        let waited = first.err().map(|first| Duration::from_nanos(now.saturating_sub(first)));
        insists && waited.is_some_and(|waited| waited >= SECOND_STOP_AFTER)
    }
}

/// From now on `signal` sets `flag`.
///
/// # Errors
/// When there is no such signal, or it cannot be handled.
pub fn set_on(signal: c_int, flag: &Arc<AtomicBool>, wake: &Wake) -> io::Result<()> {
    let (flag, wake) = (Arc::clone(flag), wake.clone());
    let handler = move || {
        flag.store(true, Ordering::Relaxed);
        wake.wake();
    };
    // SAFETY: the handler stores to an atomic and writes to a descriptor by a raw system call that does not change errno:
    // it takes no lock, allocates nothing and does not panic.
    unsafe { low_level::register(signal, handler) }.map(drop)
}

/// From now on `signal` is recorded in `stop`. If [`Stop::set_at_once`] is set, or if `insists` and the signal comes
/// [`SECOND_STOP_AFTER`] or later after the first, it has its default effect instead.
///
/// # Errors
/// When there is no such signal, or it cannot be handled.
pub fn stop_on(signal: c_int, stop: &Arc<Stop>, wake: &Wake, insists: bool) -> io::Result<()> {
    let (stop, wake) = (Arc::clone(stop), wake.clone());
    let handler = move || {
        if stop.at_once.load(Ordering::SeqCst) || stop.note(signal, now(), insists) {
            // This fails for signals whose default effect signal-hook does not know; all of those end the process.
            let _ = low_level::emulate_default_handler(signal)
                .or_else(|_| low_level::emulate_default_handler(libc::SIGTERM));
        }
        wake.wake();
    };
    // SAFETY: as in `set_on`; reading a clock is async-signal-safe too, and so is the function that signal-hook offers for
    // use in handlers.
    unsafe { low_level::register(signal, handler) }.map(drop)
}

/// `CLOCK_MONOTONIC` nanoseconds, never 0.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    (time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()).max(1)
}

/// Whether this process was started with the signal ignored, as nohup(1) does with SIGHUP.
pub fn is_ignored(signal: c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the kernel only writes the present action to a structure for which zeros are valid.
    let action = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// Gives `signal` the effect that it has in a new process.
pub fn restore(signal: c_int) {
    // SAFETY: no handler is installed. The call fails only for numbers that are not signals, and then changes nothing.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Ignores `signal` from now on, in this process and in processes that it starts.
pub fn ignore(signal: c_int) {
    // SAFETY: no handler is installed. The call fails only for numbers that are not signals, and then changes nothing.
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
        assert_eq!(stop.signal(), None);
        assert!(!stop.note(libc::SIGINT, 5, true), "the first");
        assert!(stop.is_asked());
        assert!(!stop.note(libc::SIGTERM, 5, true), "at the same time");
        assert!(!stop.note(libc::SIGTERM, 4 + second, true), "a moment too early");
        assert!(stop.note(libc::SIGTERM, 5 + second, true));
        assert!(!stop.note(libc::SIGTERM, 5 + second, false), "a signal that does not insist");
        assert!(!stop.note(libc::SIGTERM, 1, true), "a clock that goes back");
        assert_eq!(stop.signal(), Some(libc::SIGINT), "the first");
    }
}

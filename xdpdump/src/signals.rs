//! What signals mean to a capture, and to whatever else writes a capture file.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use libc::c_int;

use crate::sys::signal::{self, Stop, Wake};

/// How long readers of pipes have at the end to take what is left and what is said of it.
pub const END_WITHIN: Duration = Duration::from_secs(3);

/// A person or a supervisor wants the capture to end; coming again after a second, they insist.
const INTERRUPTIONS: [c_int; 2] = [libc::SIGINT, libc::SIGTERM];

/// Others that would end the process without a word: the terminal or the power goes, a limit of CPU time is reached, an
/// alarm(2) that was set before this program began goes off. Whoever started the process may have had them ignored.
const ENDINGS: [c_int; 8] = [
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGPWR,
    libc::SIGXCPU,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGSTKFLT,
];

/// Those that ask nothing of a capture: readiness of a descriptor that somebody else set up, and what writes report as
/// errors too.
const IGNORED: [c_int; 3] = [libc::SIGIO, libc::SIGPIPE, libc::SIGXFSZ];

/// What signals asked for.
///
/// What is missing above either does nothing without a handler, stops or continues the process, or says that it is broken.
pub struct Signals {
    stop: Arc<Stop>,
    report: Arc<AtomicBool>,
    flush: Arc<AtomicBool>,
    wake: Wake,
}

impl Signals {
    /// From now on no signal but SIGKILL and those of a crash ends the process without totals: what would end it asks to
    /// stop, SIGUSR1 asks for a report and SIGUSR2 to flush the output. Real-time signals are like SIGTERM without
    /// the right to insist: service managers use them to end what they started (systemd.kill(5), `KillSignal=`).
    ///
    /// # Errors
    /// When the kernel gives no descriptor for it.
    pub fn register() -> io::Result<Self> {
        let signals = Self::register_ends()?;
        signal::set_on(libc::SIGUSR1, &signals.report, &signals.wake)?;
        signal::set_on(libc::SIGUSR2, &signals.flush, &signals.wake)?;
        for ignored in IGNORED {
            signal::ignore(ignored);
        }
        Ok(signals)
    }

    /// From now on what would end the process asks to stop; other signals have the effect that they had.
    ///
    /// # Errors
    /// When the kernel gives no descriptor for it.
    pub fn register_ends() -> io::Result<Self> {
        let (stop, report, flush): (Arc<Stop>, Arc<AtomicBool>, Arc<AtomicBool>) = Default::default();
        let wake = Wake::new()?;
        for ending in INTERRUPTIONS {
            signal::stop_on(ending, &stop, &wake, true)?;
        }
        for ending in ENDINGS.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
            if !signal::is_ignored(ending) {
                signal::stop_on(ending, &stop, &wake, false)?;
            }
        }
        Ok(Self { stop, report, flush, wake })
    }

    /// From now on signals end the process at once: everything is written.
    pub fn end_at_once(&self) {
        self.stop.set_at_once(true);
    }

    /// Runs `wait`, which may wait for ever and does not look at signals: one that asks to stop ends the process there, as
    /// it would without a handler. `None`, and `wait` did not run, when one came before.
    pub fn end_at_once_during<T>(&self, wait: impl FnOnce() -> T) -> Option<T> {
        self.stop.set_at_once(true);
        let waited = (!self.stop()).then(wait);
        self.stop.set_at_once(false);
        waited
    }

    /// Whether to stop.
    pub fn stop(&self) -> bool {
        self.stop.is_asked()
    }

    /// Whether a report was asked for since the last call.
    pub fn report(&self) -> bool {
        self.report.swap(false, Ordering::Relaxed)
    }

    /// Whether the output was to be flushed since the last call.
    pub fn flush(&self) -> bool {
        self.flush.swap(false, Ordering::Relaxed)
    }

    /// Makes the descriptor unreadable until the next signal. To be called before the questions above, when it was found
    /// readable.
    pub fn clear(&self) {
        self.wake.clear();
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

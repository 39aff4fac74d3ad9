//! What signals do to a capture, and to whatever else writes a capture file.

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

/// How long readers of pipes have at the end to take what is left, packets and messages.
pub const END_WITHIN: Duration = Duration::from_secs(3);

/// A user or a supervisor asks the capture to end; if the signal comes again after a second, the process ends at once.
const INTERRUPTIONS: [c_int; 2] = [libc::SIGINT, libc::SIGTERM];

/// Other signals that would end the process without totals: the terminal or the power goes, a limit of CPU time is
/// reached, or an alarm(2) set before this program began expires. The process may have been started with any of them
/// ignored.
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

/// Signals that do not concern a capture: readiness of a descriptor that another program set up, and errors that a
/// write also reports.
const IGNORED: [c_int; 3] = [libc::SIGIO, libc::SIGPIPE, libc::SIGXFSZ];

/// In a process that becomes another program: gives signals back the effects that [`Signals::register`] took from them, and
/// that programs inherit.
pub fn as_at_first() {
    IGNORED.into_iter().for_each(signal::restore);
}

/// What signals have asked for.
///
/// Signals that are not listed above have no effect without a handler, stop or continue the process, or mean that it
/// has crashed.
pub struct Signals {
    stop: Arc<Stop>,
    report: Arc<AtomicBool>,
    flush: Arc<AtomicBool>,
    hang_up: Arc<AtomicBool>,
    wake: Wake,
}

impl Signals {
    /// Sets up the handlers. From now on, only SIGKILL and the signals of a crash end the process without totals: other
    /// signals that would end it ask it to stop, SIGUSR1 asks for a report, and SIGUSR2 asks to flush the output.
    /// Real-time signals are like SIGTERM, but never end the process at once: service managers use them to end
    /// processes (systemd.kill(5), `KillSignal=`). With `notes_hangup`, SIGHUP is only noted.
    ///
    /// # Errors
    /// When the kernel provides no descriptor or refuses a handler.
    pub fn register(notes_hangup: bool) -> io::Result<Self> {
        let signals = Self::register_all(|ending| !notes_hangup || ending != libc::SIGHUP)?;
        if notes_hangup {
            signal::set_on(libc::SIGHUP, &signals.hang_up, &signals.wake)?;
        }
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
        Self::register_all(|_| true)
    }

    fn register_all(is_ending: impl Fn(c_int) -> bool) -> io::Result<Self> {
        let stop: Arc<Stop> = Arc::default();
        let [report, flush, hang_up]: [Arc<AtomicBool>; 3] = Default::default();
        let wake = Wake::new()?;
        for ending in INTERRUPTIONS {
            signal::stop_on(ending, &stop, &wake, true)?;
        }
        for ending in ENDINGS.into_iter().chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
            if is_ending(ending) && !signal::is_ignored(ending) {
                signal::stop_on(ending, &stop, &wake, false)?;
            }
        }
        Ok(Self { stop, report, flush, hang_up, wake })
    }

    /// From now on signals end the process at once: everything is written.
    pub fn end_at_once(&self) {
        self.stop.set_at_once(true);
    }

    /// Runs `wait`, which may block for ever and does not notice signals: a signal that asks to stop ends the process
    /// immediately, as it would without a handler. `None` if such a signal came before; then `wait` is not run.
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

    /// The signal that asked first to stop.
    pub fn stopped_by(&self) -> Option<c_int> {
        self.stop.signal()
    }

    /// Whether a report was asked for since the last call.
    pub fn report(&self) -> bool {
        self.report.swap(false, Ordering::Relaxed)
    }

    /// Whether flushing the output was asked for since the last call.
    pub fn flush(&self) -> bool {
        self.flush.swap(false, Ordering::Relaxed)
    }

    /// Whether SIGHUP came since the last call, if it does not end the capture.
    pub fn hang_up(&self) -> bool {
        self.hang_up.swap(false, Ordering::Relaxed)
    }

    /// Makes the descriptor unreadable until the next signal. Call this when the descriptor was readable, before the
    /// methods above.
    pub fn clear(&self) {
        self.wake.clear();
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

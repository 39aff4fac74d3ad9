//! Signals as something to poll for.

use std::{
    io::{self, Read},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1},
    flag, low_level,
};

/// What signals asked for.
pub struct Signals {
    stop: Arc<AtomicBool>,
    report: Arc<AtomicBool>,
    pipe: UnixStream,
}

impl Signals {
    /// From now on SIGINT, SIGTERM and SIGHUP ask to stop; another SIGINT or SIGTERM kills. A SIGHUP that was ignored
    /// before, by nohup(1), still is. SIGUSR1 asks for a report.
    ///
    /// # Errors
    /// When the kernel gives no descriptors for it.
    pub fn register() -> io::Result<Self> {
        let (pipe, writer) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let report = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if signal == SIGHUP {
                if is_ignored(signal) {
                    continue;
                }
            } else {
                // Before the one that sets the flag: it kills when the flag is set already.
                flag::register_conditional_default(signal, Arc::clone(&stop))?;
            }
            flag::register(signal, Arc::clone(&stop))?;
            low_level::pipe::register(signal, writer.try_clone()?)?;
        }
        flag::register(SIGUSR1, Arc::clone(&report))?;
        low_level::pipe::register(SIGUSR1, writer)?;
        Ok(Self { stop, report, pipe })
    }

    /// Whether to stop.
    pub fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether a report was asked for since the last call.
    pub fn report(&mut self) -> bool {
        let mut bytes = [0; 64];
        while matches!(self.pipe.read(&mut bytes), Ok(read) if read > 0) {}
        self.report.swap(false, Ordering::Relaxed)
    }
}

fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the kernel only fills in the present one, for which zeros are a value too.
    let action = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

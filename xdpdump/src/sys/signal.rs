//! Signals, where there is no handler.

/// From now on nothing happens on `signal`, in this process and those that it starts.
pub fn ignore(signal: libc::c_int) {
    // SAFETY: nothing runs on a signal that is ignored. Without success, which only numbers that are no signals have, nothing
    // changes.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

//! Binds threads to CPUs.

use std::io;

/// Binds the calling thread to one CPU.
///
/// # Panics
/// When the thread may not run on that CPU.
pub fn stay_on(cpu: usize) {
    keep_on(0, cpu);
}

/// Binds a thread, given by its id or 0 for the calling one, to one CPU.
///
/// # Panics
/// When the thread may not run on that CPU.
pub fn keep_on(thread: i32, cpu: usize) {
    // SAFETY: cpu_set_t is an array of bits, for which zero is valid; the CPU is within it, and the pointer refers to a set
    // that outlives the call.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(thread, size_of_val(&set), &raw const set)
    };
    assert_eq!(result, 0, "thread {thread} on CPU {cpu}: {}", io::Error::last_os_error());
}

/// Gives a thread, by its id or 0 for the calling one, this real-time priority (`SCHED_FIFO`).
pub fn make_urgent(thread: i32, priority: i32) {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: the pointer refers to parameters that outlive the call.
    let result = unsafe { libc::sched_setscheduler(thread, libc::SCHED_FIFO, &raw const parameters) };
    assert_eq!(result, 0, "thread {thread}: {}", io::Error::last_os_error());
}

//! Threads on a CPU of the test's choice.

use std::io;

/// Keeps the calling thread on one CPU from now on.
///
/// # Panics
/// When it may not run there.
pub fn stay_on(cpu: usize) {
    // SAFETY: cpu_set_t is a plain array of bits, for which zero is valid; the CPU is within it, and the pointer leads to a
    // set that outlives the call.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set)
    };
    assert_eq!(result, 0, "CPU {cpu}: {}", io::Error::last_os_error());
}

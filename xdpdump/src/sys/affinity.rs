//! The CPUs that a thread may run on, as a mask as long as the kernel's own.

use std::io;

use libc::c_ulong;

/// Longest mask to try, in words: eight times the CPUs of the largest kernel (`NR_CPUS` 8192, arch/x86/Kconfig, v6.18).
const MOST_WORDS: usize = (8 * 8192) / c_ulong::BITS as usize;

/// The CPUs that the calling thread may run on: bit 0 of the first word is CPU 0.
///
/// The kernel writes as much as its own masks have (`sched_getaffinity`, kernel/sched/core.c, v6.18: the smaller of the
/// buffer and `cpumask_size()`), so the length is an upper bound of CPU numbers that no mount point can change.
/// glibc and rustix have only masks of 1024 CPUs, which larger machines refuse.
///
/// # Errors
/// The error of the system call.
pub fn mask() -> io::Result<Vec<c_ulong>> {
    let mut words = vec![0; 1024 / c_ulong::BITS as usize];
    loop {
        // SAFETY: the kernel writes at most the given number of bytes to the buffer, which has that length. 0 is this
        // thread.
        let written = unsafe {
            libc::syscall(libc::SYS_sched_getaffinity, 0, size_of_val(words.as_slice()), words.as_mut_ptr())
        };
        if let Ok(bytes) = usize::try_from(written) {
            words.truncate(bytes / size_of::<c_ulong>());
            return Ok(words);
        }
        let error = io::Error::last_os_error();
        // EINVAL: the kernel has more CPUs than the buffer has bits.
        if error.raw_os_error() != Some(libc::EINVAL) || words.len() >= MOST_WORDS {
            return Err(error);
        }
        words.resize(words.len() * 2, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_thread_runs_on_a_cpu_of_the_mask() {
        let mask = mask().unwrap();
        let cpu = rustix::thread::sched_getcpu();
        let bits = c_ulong::BITS as usize;
        assert!(cpu < mask.len() * bits, "CPU {cpu} of {} words", mask.len());
        assert_ne!(mask[cpu / bits] >> (cpu % bits) & 1, 0, "CPU {cpu}, mask {mask:x?}");
    }
}

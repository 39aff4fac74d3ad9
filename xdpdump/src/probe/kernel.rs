//! What the running kernel is.

use aya::util::KernelVersion;
use rustix::{
    process::{Resource, Rlimit, setrlimit},
    system::uname,
};

/// Whether the running kernel is known to be older than this version.
pub fn is_before(major: u8, minor: u8) -> bool {
    KernelVersion::current().is_ok_and(|version| version < KernelVersion::new(major, minor, 0))
}

/// Whether a bottom half may be interrupted by another one of the same CPU that does not end before it goes on: on real-time
/// kernels without `CONFIG_PREEMPT_RT_NEEDS_BH_LOCK` (kernel/softirq.c, v6.18). Taken to be so on all of them that can count in
/// spite of it: before 5.12 programs have no atomic addition with a result, and that lock is always there.
pub fn bottom_halves_preempt_each_other() -> bool {
    // The version is what `uname -v` says; scripts/mkcompile_h puts that word into it.
    uname().version().to_string_lossy().contains("PREEMPT_RT") && !is_before(5, 12)
}

/// Lets this process have as many maps and programs as there is memory, if it may say so. Before Linux 5.11 they count, for
/// all of a user's processes together and along with perf rings, against a limit that is often 64 KiB.
pub fn lift_memory_limit() {
    if is_before(5, 11) {
        // Without success, the limit may do.
        let _ = setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None });
    }
}

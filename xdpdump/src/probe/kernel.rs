//! Properties of the running kernel.

use aya::util::KernelVersion;
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    system::uname,
};

/// Whether the running kernel is known to be older than this version.
pub fn is_before(major: u8, minor: u8) -> bool {
    KernelVersion::current().is_ok_and(|version| version < KernelVersion::new(major, minor, 0))
}

/// Whether one bottom half can preempt another on the same CPU and in turn be preempted before it ends: on real-time
/// kernels without `CONFIG_PREEMPT_RT_NEEDS_BH_LOCK` (kernel/softirq.c, v6.18). This is assumed of all real-time kernels
/// from 5.12 on: before 5.12 programs have no atomic addition that returns a result, but there the lock always exists.
pub fn bottom_halves_preempt_each_other() -> bool {
    // The version is the text of `uname -v`; scripts/mkcompile_h puts this word into it.
    uname().version().to_string_lossy().contains("PREEMPT_RT") && !is_before(5, 12)
}

/// Raises the limit of open files as far as this process may: every interface takes some descriptors.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // If this fails, the present limit may be sufficient.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Lifts the limit of locked memory, if this process may do so. Before Linux 5.11 maps and programs count against it,
/// together with perf rings and for all processes of a user, and it is often 64 KiB.
pub fn lift_memory_limit() {
    if is_before(5, 11) {
        // If this fails, the present limit may be sufficient.
        let _ = setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None });
    }
}

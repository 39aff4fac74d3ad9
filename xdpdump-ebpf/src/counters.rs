//! Counts every frame, on each CPU separately.

use core::arch::asm;

use aya_ebpf::{macros::map, maps::Array};
use xdpdump_ebpf::CpuCounters;

/// `BPF_F_MMAPABLE`, include/uapi/linux/bpf.h.
pub const MMAPABLE: u32 = 1 << 10;

/// Not 0 if a program can be interrupted by another program on the same CPU: on real-time kernels, where bottom halves
/// preempt each other. User space sets it before the program is loaded.
#[unsafe(no_mangle)]
static PREEMPTIBLE: u32 = 1;

/// The counters, at the index of each CPU; one map for each source. User space sizes it for all possible CPUs. The
/// values of such a map begin on a page boundary (kernel/bpf/arraymap.c, v6.18), so each value is one cache line.
#[map]
static COUNTERS: Array<CpuCounters> = Array::with_max_entries(1, MMAPABLE);

/// The counters of a CPU. They always exist; the branch is only for the verifier.
#[inline(always)]
pub fn of(cpu: u32) -> Option<*mut CpuCounters> {
    COUNTERS.get_ptr_mut(cpu)
}

/// Whether a program can be interrupted by another one on the same CPU.
#[inline(always)]
pub fn is_preemptible() -> bool {
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    unsafe { (&raw const PREEMPTIBLE).read_volatile() != 0 }
}

/// Adds 1 and returns the sum. The addition is atomic if another program may interrupt this one, which requires Linux
/// 5.12.
///
/// # Safety
/// `at` is an aligned field of a map value that only programs on this CPU write.
#[inline(always)]
pub unsafe fn increment(at: *mut u64) -> u64 {
    if !is_preemptible() {
        // SAFETY: the caller guarantees that `at` is such a field.
        unsafe {
            let sum = *at + 1;
            *at = sum;
            return sum;
        }
    }
    let mut value = 1u64;
    // SAFETY: the caller guarantees that `at` is such a field.
    unsafe {
        asm!("{value} = atomic_fetch_add((u64 *)({at} + 0), {value})", value = inout(reg) value, at = in(reg) at);
    }
    value + 1
}

/// Adds 1 atomically, on every kernel; does not return the sum.
///
/// # Safety
/// `at` is an aligned field of a map value.
#[inline(always)]
pub unsafe fn increment_atomically(at: *mut u64) {
    // SAFETY: the caller guarantees that `at` is such a field.
    unsafe { asm!("lock *(u64 *)({at} + 0) += {one}", at = in(reg) at, one = in(reg) 1u64) };
}

//! What each CPU counts, so that every frame is accounted for.

use core::arch::asm;

use aya_ebpf::{macros::map, maps::Array};
use xdpdump_ebpf::CpuCounters;

/// `BPF_F_MMAPABLE`, include/uapi/linux/bpf.h.
pub const MMAPABLE: u32 = 1 << 10;

/// Not 0 where a program may be interrupted by another one on the same CPU that does not end before it goes on: on
/// real-time kernels whose bottom halves preempt each other. User space writes it before the program is loaded.
#[unsafe(no_mangle)]
static PREEMPTIBLE: u32 = 1;

/// The counters of each CPU, at its index; a map for each source. User space sizes it for every CPU that there can be.
/// Such a map's values begin with a page (kernel/bpf/arraymap.c, v6.18), so each lies in one cache line.
#[map]
static COUNTERS: Array<CpuCounters> = Array::with_max_entries(1, MMAPABLE);

/// The counters of a CPU. They always exist; the branch is there for the verifier.
#[inline(always)]
pub fn of(cpu: u32) -> Option<*mut CpuCounters> {
    COUNTERS.get_ptr_mut(cpu)
}

/// Adds 1 and returns the sum: in one piece where another program may come in between, which takes Linux 5.12.
///
/// # Safety
/// `at` is an aligned field of a map value that only this CPU's programs write.
#[inline(always)]
pub unsafe fn increment(at: *mut u64) -> u64 {
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    if unsafe { (&raw const PREEMPTIBLE).read_volatile() } == 0 {
        // SAFETY: the caller says that there is a field.
        unsafe {
            let sum = *at + 1;
            *at = sum;
            return sum;
        }
    }
    let mut value = 1u64;
    // SAFETY: the caller says that there is a field.
    unsafe {
        asm!("{value} = atomic_fetch_add((u64 *)({at} + 0), {value})", value = inout(reg) value, at = in(reg) at);
    }
    value + 1
}

/// Adds 1 in one piece on every kernel, without saying the sum.
///
/// # Safety
/// `at` is an aligned field of a map value.
#[inline(always)]
pub unsafe fn increment_atomically(at: *mut u64) {
    // SAFETY: the caller says that there is a field.
    unsafe { asm!("lock *(u64 *)({at} + 0) += {one}", at = in(reg) at, one = in(reg) 1u64) };
}

//! Decides which frames are captured, and how much of each.
//!
//! User space generates the code of the filter and the cut for each capture, and puts it in place of the calls below.

use core::{arch::asm, ffi::c_void};

use xdpdump_ebpf::{CpuCounters, stub};

use crate::{counters::increment, frame::Frame};

/// Of this many frames that the filter accepts, each CPU captures one. Set like [`SNAP_LEN`](crate::SNAP_LEN).
#[unsafe(no_mangle)]
static ONE_IN: u32 = 1;

/// Whether the frame should be captured; counts it if not.
///
/// # Safety
/// `counters` are those of this CPU.
#[inline(always)]
pub unsafe fn takes(frame: impl Frame, counters: *mut CpuCounters) -> bool {
    // SAFETY: the caller guarantees that the counters are those of this CPU.
    unsafe {
        if !accepts(frame) {
            increment(&raw mut (*counters).filtered);
            return false;
        }
        // A static of this program; volatile because user space replaces its value before loading.
        let one_in = u64::from((&raw const ONE_IN).read_volatile());
        if one_in > 1 && (increment(&raw mut (*counters).turn) - 1) % one_in != 0 {
            increment(&raw mut (*counters).thinned);
            return false;
        }
    }
    true
}

/// Whether the filter accepts the frame.
#[inline(always)]
pub fn accepts<F: Frame>(frame: F) -> bool {
    let verdict = F::VERDICT.unwrap_or(0);
    let result = if frame.tag() == 0 {
        call::<{ stub::FILTER }>(frame.context(), verdict, 0)
    } else {
        call::<{ stub::FILTER_TAGGED }>(frame.context(), verdict, u32::from_be(frame.tag()))
    };
    result != 0
}

/// The number of bytes of this frame to capture, regardless of the snap length.
#[inline(always)]
pub fn cut(frame: impl Frame) -> u32 {
    if frame.tag() == 0 {
        call::<{ stub::CUT }>(frame.context(), 0, 0) as u32
    } else {
        call::<{ stub::CUT_TAGGED }>(frame.context(), 0, u32::from_be(frame.tag())) as u32
    }
}

/// Calls the function that user space puts in place of the stub.
#[inline(always)]
fn call<const STUB: i32>(ctx: *mut c_void, second: u32, third: u32) -> u64 {
    let result: u64;
    // SAFETY: the function gets the arguments that it expects, and changes only registers that a call may change.
    unsafe {
        asm!(
            "call {stub}",
            stub = const STUB,
            lateout("r0") result,
            inlateout("r1") ctx => _,
            inlateout("r2") u64::from(second) => _,
            inlateout("r3") u64::from(third) => _,
            lateout("r4") _,
            lateout("r5") _,
        );
    }
    result
}

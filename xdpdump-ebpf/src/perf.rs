//! Hands frames to a perf ring, to which the kernel copies them.

use core::{ffi::c_void, mem::size_of};

use aya_ebpf::{
    bindings::BPF_F_CURRENT_CPU,
    helpers::generated::{bpf_get_smp_processor_id, bpf_perf_event_output},
    macros::map,
    maps::PerfEventArray,
};
use xdpdump_ebpf::{ADAPTER_LEN, Adapter, FrameHeader, MAX_CAPTURE_LEN, TAG_LEN, TAG_OFFSET, flags};

use crate::{
    counters::{self, increment},
    frame::{Frame, Received},
    ring,
    selection::{accepts, cut, takes},
    snap_len, source,
};

/// The perf ring of each CPU, at the CPU's index. User space sizes the map and inserts the rings.
#[map]
pub static EVENTS: PerfEventArray<FrameHeader> = PerfEventArray::new(0);

/// A header, and what the adapter says about the frame.
#[repr(C)]
struct WithAdapter {
    header: FrameHeader,
    adapter: Adapter,
}

#[inline(always)]
pub fn capture<F: Frame>(frame: F) {
    capture_by(frame, MAX_CAPTURE_LEN, |mut header| emit(frame, &mut header));
}

/// Captures a received frame with what the adapter says about it.
#[inline(always)]
pub fn capture_with_adapter<const WHOLE: bool>(frame: Received<WHOLE>) {
    capture_by(frame, MAX_CAPTURE_LEN - ADAPTER_LEN as u32, |mut header| {
        let (adapter, flags) = frame.adapter();
        header.flags |= flags;
        emit_after(frame, header.capture_len, &mut WithAdapter { header, adapter })
    });
}

/// Captures at most `longest` bytes of the frame, by calling `emit` with its header.
#[inline(always)]
fn capture_by<F: Frame>(frame: F, longest: u32, emit: impl FnOnce(FrameHeader) -> bool) {
    // SAFETY: the helper has no preconditions.
    let cpu = unsafe { bpf_get_smp_processor_id() } as u32;
    // Both always exist; the branch is only for the verifier.
    let (Some(counters), Some(control)) = (counters::of(cpu), ring::control(cpu)) else { return };
    // SAFETY: the pointer is to this CPU's value.
    if !unsafe { takes(frame, counters) } {
        return;
    }
    let (frame_len, tag) = (frame.wire_len(), frame.tag());
    let mut capture_len = frame_len.min(snap_len()).min(cut(frame)).min(longest);
    if tag != 0 {
        // User space inserts the tag.
        capture_len = capture_len.saturating_sub(TAG_LEN as u32).max(capture_len.min(TAG_OFFSET as u32));
    }
    let header = FrameHeader {
        // SAFETY: the pointers are to this CPU's values.
        sequence: unsafe { increment(&raw mut (*control).sequence) },
        // SAFETY: as above.
        lost: unsafe { (&raw const (*counters).failed).read_volatile() },
        frame_len,
        source: source(),
        queue: frame.queue().unwrap_or(0),
        verdict: 0,
        tag,
        capture_len: capture_len as u16,
        // Only received frames have a queue.
        flags: if F::VERDICT.is_some() { flags::QUEUE } else { 0 },
    };
    // SAFETY: as above.
    unsafe {
        increment(&raw mut (*counters).matched);
        if emit(header) {
            increment(&raw mut (*counters).emitted);
        } else {
            increment(&raw mut (*counters).failed);
        }
    }
}

/// Captures without counters and load-time constants, which a NIC does not support.
#[inline(always)]
pub fn capture_uncounted<F: Frame>(frame: F) {
    if !accepts(frame) {
        return;
    }
    let frame_len = frame.wire_len();
    let mut header = FrameHeader {
        frame_len,
        capture_len: frame_len.min(MAX_CAPTURE_LEN) as u16,
        ..FrameHeader::default()
    };
    emit(frame, &mut header);
}

/// Hands header and frame to the current CPU's ring in one call.
#[inline(always)]
fn emit(frame: impl Frame, header: &mut FrameHeader) -> bool {
    emit_after(frame, header.capture_len, header)
}

/// Hands `capture_len` bytes of the frame to the current CPU's ring, after `before`, in one call. The upper half of the
/// helper's flags is the number of bytes of the frame, which the kernel copies, whatever number of buffers contain them.
#[inline(always)]
fn emit_after<T>(frame: impl Frame, capture_len: u16, before: &mut T) -> bool {
    // SAFETY: the value has exactly the length that is passed.
    unsafe { output(frame, u64::from(capture_len) << 32, (&raw mut *before).cast(), size_of::<T>()) }
}

/// Wakes the reader of the current CPU's perf ring.
#[inline(always)]
pub fn ring_doorbell(frame: impl Frame) {
    let mut nothing = 0u64;
    // If the doorbell ring is full, the reader is not asleep, so the error can be ignored.
    // SAFETY: the value has exactly the length that is passed.
    let _ = unsafe { output(frame, 0, (&raw mut nothing).cast(), size_of::<u64>()) };
}

/// Calls the helper directly, because aya-ebpf 0.2.1 discards its result.
///
/// # Safety
/// `len` bytes can be read at `data`, which is on the stack.
#[inline(always)]
unsafe fn output(frame: impl Frame, flags: u64, data: *mut c_void, len: usize) -> bool {
    // SAFETY: a map static is a `bpf_map_def`, which the loader replaces by the map; the context is the kernel's, and
    // the caller guarantees that the data can be read.
    let result = unsafe {
        bpf_perf_event_output(
            frame.context(),
            (&raw const EVENTS).cast_mut().cast::<c_void>(),
            flags | u64::from(BPF_F_CURRENT_CPU as u32),
            data,
            len as u64,
        )
    };
    result == 0
}

//! Hands frames to a perf ring: the kernel copies them.

use core::{ffi::c_void, mem::size_of};

use aya_ebpf::{
    bindings::{BPF_F_CURRENT_CPU, xdp_action},
    helpers::generated::bpf_perf_event_output,
    macros::map,
    maps::{PerCpuArray, PerfEventArray},
    programs::XdpContext,
};
use xdpdump_ebpf::{CapturePoint, Counters, FrameHeader, MAX_CAPTURE_LEN, flags};

use crate::{linear_len, snap_len};

/// The perf ring of each CPU, at the CPU's index. User space sizes it and fills it in.
#[map]
static EVENTS: PerfEventArray<FrameHeader> = PerfEventArray::new(0);

/// What each CPU saw, handed over and lost.
#[map]
static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);

#[inline(always)]
pub fn capture(ctx: &XdpContext, frame_len: u32) -> u32 {
    // Entry 0 always exists; the branch is there for the verifier.
    let Some(counters) = COUNTERS.get_ptr_mut(0) else {
        return xdp_action::XDP_PASS;
    };
    // SAFETY: the pointer is to this CPU's value, and nothing else runs on this CPU until the program returns.
    let counters = unsafe { &mut *counters };

    counters.seen += 1;
    let mut header = describe(ctx, frame_len, snap_len());
    header.sequence = counters.seen;
    header.lost = counters.failed;
    if emit(ctx, &mut header) {
        counters.emitted += 1;
    } else {
        counters.failed += 1;
    }
    xdp_action::XDP_PASS
}

/// Without counters and load-time constants, which a NIC does not have.
#[inline(always)]
pub fn capture_uncounted(ctx: &XdpContext) -> u32 {
    let mut header = describe(ctx, linear_len(ctx), MAX_CAPTURE_LEN);
    emit(ctx, &mut header);
    xdp_action::XDP_PASS
}

#[inline(always)]
fn describe(ctx: &XdpContext, frame_len: u32, snap_len: u32) -> FrameHeader {
    let multi_buffer = if frame_len == linear_len(ctx) { 0 } else { flags::MULTI_BUFFER };
    FrameHeader {
        sequence: 0,
        lost: 0,
        frame_len,
        capture_len: frame_len.min(snap_len).min(MAX_CAPTURE_LEN),
        ifindex: ctx.ingress_ifindex() as u32,
        queue: ctx.rx_queue_index(),
        verdict: xdp_action::XDP_PASS,
        point: CapturePoint::Ingress as u8,
        reserved: 0,
        flags: flags::VERDICT | multi_buffer,
    }
}

/// Hands header and frame to the current CPU's ring in one call; the kernel copies the frame, from as many buffers as it
/// lies in, when the upper half of the flags carries its length.
#[inline(always)]
fn emit(ctx: &XdpContext, header: &mut FrameHeader) -> bool {
    let frame = u64::from(header.capture_len) << 32;
    // SAFETY: the header is exactly as long as said.
    unsafe { output(ctx, frame, (&raw mut *header).cast(), size_of::<FrameHeader>()) }
}

/// Wakes the reader of the current CPU's perf ring.
#[inline(always)]
pub fn ring_doorbell(ctx: &XdpContext) {
    let mut nothing = 0u64;
    // A full doorbell ring means that the reader is not asleep.
    // SAFETY: the value is exactly as long as said.
    let _ = unsafe { output(ctx, 0, (&raw mut nothing).cast(), size_of::<u64>()) };
}

/// The helper is called directly because aya-ebpf 0.2.1 drops its result.
///
/// # Safety
/// `len` bytes can be read at `data`, which is on the stack.
#[inline(always)]
unsafe fn output(ctx: &XdpContext, frame: u64, data: *mut c_void, len: usize) -> bool {
    // SAFETY: a map static is a `bpf_map_def`, which the loader replaces by the map; the context is the kernel's, and the
    // caller vouches for the data.
    let result = unsafe {
        bpf_perf_event_output(
            ctx.ctx.cast(),
            (&raw const EVENTS).cast_mut().cast::<c_void>(),
            frame | u64::from(BPF_F_CURRENT_CPU as u32),
            data,
            len as u64,
        )
    };
    result == 0
}

//! The kernel side: XDP programs that hand every frame to user space and pass it on untouched.
//!
//! One capture routine serves three programs: for frames in several buffers, for frames in one, and for a NIC
//! that runs the program itself.
#![no_std]
#![no_main]

use core::{ffi::c_void, mem::size_of};

use aya_ebpf::{
    bindings::{BPF_F_CURRENT_CPU, xdp_action},
    helpers::generated::{bpf_perf_event_output, bpf_xdp_get_buff_len},
    macros::{map, xdp},
    maps::{PerCpuArray, PerfEventArray},
    programs::XdpContext,
};
use xdpdump_ebpf::{CapturePoint, Counters, FrameHeader, MAX_CAPTURE_LEN, flags};

/// Most bytes to capture of a frame. User space writes it before the program is loaded, so the verifier sees a
/// constant.
#[unsafe(no_mangle)]
static SNAP_LEN: u32 = MAX_CAPTURE_LEN;

/// The ring of each CPU, at the CPU's index. User space sizes it and fills it in.
#[map]
static EVENTS: PerfEventArray<FrameHeader> = PerfEventArray::new(0);

/// What each CPU saw, handed over and lost.
#[map]
static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);

/// Captures frames that may lie in several buffers, which takes Linux 5.18 and a willing driver.
#[xdp(frags)]
pub fn xdpdump_frags(ctx: XdpContext) -> u32 {
    // SAFETY: the context is the one the kernel called with; the helper only reads it.
    let frame_len = unsafe { bpf_xdp_get_buff_len(ctx.ctx) } as u32;
    capture_counted(&ctx, frame_len)
}

/// Captures frames on kernels and drivers that always put a frame into one buffer.
#[xdp]
pub fn xdpdump(ctx: XdpContext) -> u32 {
    capture_counted(&ctx, linear_len(&ctx))
}

/// Captures on the NIC itself: with nothing but the one helper that an offloading NIC has
/// (drivers/net/ethernet/netronome/nfp/bpf/verifier.c), no counters and no load-time constant. User space cuts
/// the frame to the snap length and takes its counts from the ring.
#[xdp]
pub fn xdpdump_offload(ctx: XdpContext) -> u32 {
    let mut header = describe(&ctx, linear_len(&ctx), MAX_CAPTURE_LEN);
    emit(&ctx, &mut header);
    xdp_action::XDP_PASS
}

#[inline(always)]
fn capture_counted(ctx: &XdpContext, frame_len: u32) -> u32 {
    // Entry 0 always exists; the branch is there for the verifier.
    let Some(counters) = COUNTERS.get_ptr_mut(0) else {
        return xdp_action::XDP_PASS;
    };
    // SAFETY: the pointer is to this CPU's value, and nothing else runs on this CPU until the program returns.
    let counters = unsafe { &mut *counters };
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    let snap_len = unsafe { (&raw const SNAP_LEN).read_volatile() };

    counters.seen += 1;
    let mut header = describe(ctx, frame_len, snap_len);
    header.sequence = counters.seen;
    header.lost = counters.failed;
    if emit(ctx, &mut header) {
        counters.emitted += 1;
    } else {
        counters.failed += 1;
    }
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

/// Bytes in the first buffer.
#[inline(always)]
fn linear_len(ctx: &XdpContext) -> u32 {
    (ctx.data_end() - ctx.data()) as u32
}

/// Hands header and frame to the current CPU's ring in one call; the kernel copies the frame, from as many
/// buffers as it lies in, when the upper half of `flags` carries its length.
///
/// The helper is called directly because aya-ebpf 0.2.1 drops its result.
#[inline(always)]
fn emit(ctx: &XdpContext, header: &mut FrameHeader) -> bool {
    let flags = (u64::from(header.capture_len) << 32) | u64::from(BPF_F_CURRENT_CPU as u32);
    // SAFETY: a map static is a `bpf_map_def`, which the loader replaces by the map; the header lives on the stack
    // and is exactly as long as said, the context is the kernel's.
    let result = unsafe {
        bpf_perf_event_output(
            ctx.ctx.cast(),
            (&raw const EVENTS).cast_mut().cast::<c_void>(),
            flags,
            (&raw mut *header).cast(),
            size_of::<FrameHeader>() as u64,
        )
    };
    result == 0
}

/// The helpers are for GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

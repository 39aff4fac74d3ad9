//! The kernel side: XDP programs that hand frames to user space, those that the capture filter accepts, and pass every one
//! on untouched.
//!
//! Two ways to user space, each with a program for frames in several buffers and one for frames in one; and a program
//! for a NIC that runs it itself.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod counters;
mod perf;
mod ring;
mod selection;

use aya_ebpf::{helpers::generated::bpf_xdp_get_buff_len, macros::xdp, programs::XdpContext};

/// Most bytes to capture of a frame. User space writes it before the program is loaded, so the verifier sees a
/// constant.
#[unsafe(no_mangle)]
static SNAP_LEN: u32 = u32::MAX;

/// The number of the source, an interface at a capture point, that the program is attached to. As [`SNAP_LEN`].
#[unsafe(no_mangle)]
static SOURCE: u32 = u32::MAX;

/// To a perf ring, frames in several buffers: takes Linux 5.18 and a willing driver.
#[xdp(frags)]
pub fn xdpdump_frags(ctx: XdpContext) -> u32 {
    perf::capture(&ctx, whole_len)
}

/// To a perf ring, on kernels and drivers that always put a frame into one buffer.
#[xdp]
pub fn xdpdump(ctx: XdpContext) -> u32 {
    perf::capture(&ctx, linear_len)
}

/// To mapped memory, frames in several buffers: takes Linux 5.18 and a willing driver.
#[xdp(frags)]
pub fn xdpdump_ring_f(ctx: XdpContext) -> u32 {
    ring::capture(&ctx, whole_len)
}

/// To mapped memory, on drivers that always put a frame into one buffer: takes Linux 5.18.
#[xdp]
pub fn xdpdump_ring(ctx: XdpContext) -> u32 {
    ring::capture(&ctx, linear_len)
}

/// On the NIC itself, with nothing but what an offloading NIC has (drivers/net/ethernet/netronome/nfp/bpf/, v6.18): the
/// frame's two bounds (`mem_ldx_xdp`, jit.c), and one helper (verifier.c); no counters, no queue and no load-time constant.
/// User space cuts the frame to the snap length and takes its counts from the perf ring.
#[xdp]
pub fn xdpdump_offload(ctx: XdpContext) -> u32 {
    perf::capture_uncounted(&ctx)
}

/// Bytes of the frame in all its buffers.
#[inline(always)]
fn whole_len(ctx: &XdpContext) -> u32 {
    // SAFETY: the context is the one the kernel called with; the helper only reads it.
    unsafe { bpf_xdp_get_buff_len(ctx.ctx) as u32 }
}

/// Bytes in the first buffer.
#[inline(always)]
fn linear_len(ctx: &XdpContext) -> u32 {
    (ctx.data_end() - ctx.data()) as u32
}

#[inline(always)]
fn source() -> u32 {
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    unsafe { (&raw const SOURCE).read_volatile() }
}

#[inline(always)]
fn snap_len() -> u32 {
    // SAFETY: a static of this program; volatile because user space replaces its value before loading.
    unsafe { (&raw const SNAP_LEN).read_volatile() }
}

/// The helpers are for GPL-compatible programs only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

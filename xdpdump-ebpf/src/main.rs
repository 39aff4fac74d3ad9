//! The kernel side: XDP programs that hand the frames which the capture filter accepts to user space, and pass on every
//! frame unchanged.
//!
//! There are two kinds of rings to user space, each with one program for frames in several buffers and one for frames
//! in one buffer, and one program that runs on a NIC.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod counters;
mod perf;
mod ring;
mod selection;
mod tap;

use aya_ebpf::{helpers::generated::bpf_xdp_get_buff_len, macros::xdp, programs::XdpContext};

/// The snap length in bytes. User space sets it before the program is loaded, so for the verifier it is a constant.
#[unsafe(no_mangle)]
static SNAP_LEN: u32 = u32::MAX;

/// The number of the source, an interface at a capture point, that the program is attached to. Set like [`SNAP_LEN`].
#[unsafe(no_mangle)]
static SOURCE: u32 = u32::MAX;

/// Writes to a perf ring, also frames in several buffers; requires Linux 5.18 and support by the driver.
#[xdp(frags)]
pub fn xdpdump_frags(ctx: XdpContext) -> u32 {
    perf::capture(&ctx, whole_len)
}

/// Writes to a perf ring, on kernels and drivers that put every frame into one buffer.
#[xdp]
pub fn xdpdump(ctx: XdpContext) -> u32 {
    perf::capture(&ctx, linear_len)
}

/// Writes to a mapped ring, also frames in several buffers; requires Linux 5.18 and support by the driver.
#[xdp(frags)]
pub fn xdpdump_ring_f(ctx: XdpContext) -> u32 {
    ring::capture(&ctx, whole_len)
}

/// Writes to a mapped ring, on drivers that put every frame into one buffer; requires Linux 5.18.
#[xdp]
pub fn xdpdump_ring(ctx: XdpContext) -> u32 {
    ring::capture(&ctx, linear_len)
}

/// Runs on a NIC, and uses only what a NIC with offload supports (drivers/net/ethernet/netronome/nfp/bpf/, v6.18): the
/// two bounds of the frame (`mem_ldx_xdp`, jit.c) and one helper (verifier.c). There are no counters, no queue and no
/// load-time constants. User space cuts the frame to the snap length, and counts frames by what comes out of the perf
/// ring.
#[xdp]
pub fn xdpdump_offload(ctx: XdpContext) -> u32 {
    perf::capture_uncounted(&ctx)
}

/// Length in bytes of the frame in all its buffers.
#[inline(always)]
fn whole_len(ctx: &XdpContext) -> u32 {
    // SAFETY: the context is the one that the kernel passed; the helper only reads it.
    unsafe { bpf_xdp_get_buff_len(ctx.ctx) as u32 }
}

/// Number of bytes in the first buffer.
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

/// The helpers may only be called by programs with a GPL-compatible licence.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

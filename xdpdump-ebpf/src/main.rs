//! The kernel side: programs that hand the frames which the capture filter accepts to user space, and pass on every frame
//! unchanged.
//!
//! There are two kinds of rings to user space. Each has an XDP program for received frames in several buffers, one for
//! those in one buffer, and a tc program for frames that are sent. One more XDP program runs on a NIC.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod copy;
mod counters;
mod frame;
mod perf;
mod ring;
mod selection;
mod tap;
mod verifier;

use aya_ebpf::{
    bindings::{TC_ACT_UNSPEC, xdp_action},
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};
use frame::{Received, Sent};

/// The snap length in bytes. User space sets it before the program is loaded, so for the verifier it is a constant.
#[unsafe(no_mangle)]
static SNAP_LEN: u32 = u32::MAX;

/// The number of the source, an interface at a capture point, that the program is attached to. Set like [`SNAP_LEN`].
#[unsafe(no_mangle)]
static SOURCE: u32 = u32::MAX;

/// Writes received frames to a perf ring, also frames in several buffers; requires Linux 5.18 and support by the driver.
#[xdp(frags)]
pub fn xdpdump_frags(ctx: XdpContext) -> u32 {
    perf::capture(Received::<true>::new(ctx.ctx));
    xdp_action::XDP_PASS
}

/// Writes received frames to a perf ring, on kernels and drivers that put every frame into one buffer.
#[xdp]
pub fn xdpdump(ctx: XdpContext) -> u32 {
    perf::capture(Received::<false>::new(ctx.ctx));
    xdp_action::XDP_PASS
}

/// Writes received frames to a perf ring, also frames in several buffers, with what the adapter says about them; requires
/// Linux 6.3.
#[xdp(frags)]
pub fn xdpdump_nic_f(ctx: XdpContext) -> u32 {
    perf::capture_with_adapter(Received::<true>::new(ctx.ctx));
    xdp_action::XDP_PASS
}

/// The same for drivers that put every frame into one buffer.
#[xdp]
pub fn xdpdump_nic(ctx: XdpContext) -> u32 {
    perf::capture_with_adapter(Received::<false>::new(ctx.ctx));
    xdp_action::XDP_PASS
}

/// Writes frames that are sent to a perf ring.
#[classifier]
pub fn xdpdump_out(ctx: TcContext) -> i32 {
    perf::capture(Sent::new(ctx.skb.skb));
    // Leaves the decision to the next program, or to the next filter of the queueing discipline.
    TC_ACT_UNSPEC
}

/// Writes received frames to a mapped ring, also frames in several buffers; requires Linux 5.18 and support by the driver.
#[xdp(frags)]
pub fn xdpdump_ring_f(ctx: XdpContext) -> u32 {
    ring::capture(Received::<true>::new(ctx.ctx));
    xdp_action::XDP_PASS
}

/// Writes received frames to a mapped ring, on drivers that put every frame into one buffer; requires Linux 5.18.
#[xdp]
pub fn xdpdump_ring(ctx: XdpContext) -> u32 {
    ring::capture(Received::<false>::new(ctx.ctx));
    xdp_action::XDP_PASS
}

/// Writes frames that are sent to a mapped ring.
#[classifier]
pub fn xdpdump_ring_out(ctx: TcContext) -> i32 {
    ring::capture(Sent::new(ctx.skb.skb));
    TC_ACT_UNSPEC
}

/// Runs on a NIC, and uses only what a NIC with offload supports (drivers/net/ethernet/netronome/nfp/bpf/, v6.18): the
/// two bounds of the frame (`mem_ldx_xdp`, jit.c) and one helper (verifier.c). There are no counters, no queue and no
/// load-time constants. User space cuts the frame to the snap length, and counts frames by what comes out of the perf
/// ring.
#[xdp]
pub fn xdpdump_offload(ctx: XdpContext) -> u32 {
    perf::capture_uncounted(Received::<false>::bare(ctx.ctx));
    xdp_action::XDP_PASS
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

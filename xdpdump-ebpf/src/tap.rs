//! Captures beside another XDP program: fentry and fexit programs that the kernel calls before and after its function.
//!
//! They get the kernel's own `struct xdp_buff`. Where its fields are depends on the kernel, so user space looks the offsets
//! up in the kernel's BTF and sets them before the program is loaded. Loads through a pointer of which the verifier knows the
//! type need no helper; a load that faults returns 0.

use core::{ffi::c_void, mem::size_of};

use aya_ebpf::{
    EbpfContext as _,
    bindings::BPF_F_CURRENT_CPU,
    helpers::generated::{bpf_get_smp_processor_id, bpf_xdp_get_buff_len, bpf_xdp_output},
    macros::{fentry, fexit},
    programs::{FEntryContext, FExitContext},
};
use xdpdump_ebpf::{FrameHeader, MAX_CAPTURE_LEN, flags};

use crate::{
    counters::{self, increment, is_preemptible},
    perf::EVENTS,
    ring, snap_len, source,
};

/// Number of the interface whose frames are captured: one program can run on several. 0 means all. Set like
/// [`SNAP_LEN`](crate::SNAP_LEN), as are all statics here.
#[unsafe(no_mangle)]
static TAP_IFINDEX: u32 = 0;
/// Inode number of the interface's network namespace; 0 means any.
#[unsafe(no_mangle)]
static TAP_NETNS: u32 = 0;
/// Not 0 if both entry and exit are captured, so that every frame at the exit was seen at the entry.
#[unsafe(no_mangle)]
static TAP_PAIRED: u32 = 0;
/// Not 0 if the kernel has `bpf_xdp_get_buff_len` for tracing programs (5.18). Before, every frame is in one buffer.
#[unsafe(no_mangle)]
static TAP_WHOLE_LEN: u32 = 0;

/// Offset of `data` in `struct xdp_buff`.
#[unsafe(no_mangle)]
static AT_DATA: u32 = 0;
/// Offset of `data_end` in `struct xdp_buff`.
#[unsafe(no_mangle)]
static AT_DATA_END: u32 = 8;
/// Offset of `data_hard_start` in `struct xdp_buff`.
#[unsafe(no_mangle)]
static AT_HARD_START: u32 = 24;
/// Offset of `rxq` in `struct xdp_buff`.
#[unsafe(no_mangle)]
static AT_RXQ: u32 = 32;
/// Offset of `dev` in `struct xdp_rxq_info`.
#[unsafe(no_mangle)]
static AT_DEV: u32 = 0;
/// Offset of `queue_index` in `struct xdp_rxq_info`.
#[unsafe(no_mangle)]
static AT_QUEUE: u32 = 8;
/// Offset of `ifindex` in `struct net_device`.
#[unsafe(no_mangle)]
static AT_IFINDEX: u32 = 0;
/// Offset of `nd_net.net` in `struct net_device`.
#[unsafe(no_mangle)]
static AT_NET: u32 = 0;
/// Offset of `ns.inum` in `struct net`.
#[unsafe(no_mangle)]
static AT_INUM: u32 = 0;

/// Bits of [`Control::inside`](xdpdump_ebpf::ring::Control::inside) that identify the buffer.
const BUFFER_BITS: u32 = 16;

/// Runs before the observed program.
#[fentry]
pub fn xdpdump_entry(ctx: FEntryContext) -> i32 {
    // SAFETY: the context begins with the arguments of the observed function, of which there is one.
    unsafe { capture(ctx.as_ptr().cast(), false) };
    0
}

/// Runs after the observed program.
#[fexit]
pub fn xdpdump_exit(ctx: FExitContext) -> i32 {
    // SAFETY: as above; the result of the function follows its arguments.
    unsafe { capture(ctx.as_ptr().cast(), true) };
    0
}

/// # Safety
/// `arguments` is the context of the program: the `struct xdp_buff *` and, at the exit, the verdict.
#[inline(always)]
unsafe fn capture(arguments: *const u64, at_exit: bool) {
    // SAFETY: guaranteed by the caller. The pointer is loaded as such, because the verifier gives it its type.
    let xdp = unsafe { arguments.cast::<*const u8>().read() };
    // SAFETY: the pointers are of the types that the offsets are for; the verifier checks that.
    let (queue, buffer, linear_len) = unsafe {
        let rxq: *const u8 = load(xdp, &raw const AT_RXQ);
        if !is_wanted(rxq) {
            return;
        }
        let queue: u32 = load(rxq, &raw const AT_QUEUE);
        let start: u64 = load(xdp, &raw const AT_HARD_START);
        let data: u64 = load(xdp, &raw const AT_DATA);
        let end: u64 = load(xdp, &raw const AT_DATA_END);
        // Buffers begin at multiples of 64 at least.
        (queue, (start >> 6) & ((1 << BUFFER_BITS) - 1), (end - data) as u32)
    };
    // SAFETY: the helper has no preconditions.
    let cpu = unsafe { bpf_get_smp_processor_id() } as u32;
    // Both always exist; the branch is only for the verifier.
    let (Some(counters), Some(control)) = (counters::of(cpu), ring::control(cpu)) else { return };
    // SAFETY: the pointers are to this CPU's values.
    let sequence = unsafe {
        let inside = &raw mut (*control).inside;
        let seen = if at_exit { inside.read_volatile() } else { 0 };
        if seen != 0 && seen & ((1 << BUFFER_BITS) - 1) == buffer {
            inside.write_volatile(0);
            seen >> BUFFER_BITS
        } else if at_exit && constant(&raw const TAP_PAIRED) != 0 && !is_preemptible() {
            // The frame entered the program before the other program was attached, or after it was detached.
            return;
        } else {
            let sequence = increment(&raw mut (*control).sequence);
            if !at_exit {
                inside.write_volatile(sequence << BUFFER_BITS | buffer);
            }
            sequence
        }
    };
    let frame_len = if constant(&raw const TAP_WHOLE_LEN) == 0 {
        linear_len
    } else {
        // SAFETY: for tracing programs this helper takes a `struct xdp_buff *` (kernel/trace/bpf_trace.c, v5.18).
        unsafe { bpf_xdp_get_buff_len(xdp.cast_mut().cast()) as u32 }
    };
    let mut header = FrameHeader {
        sequence,
        // SAFETY: the pointer is to this CPU's value.
        lost: unsafe { (&raw const (*counters).failed).read_volatile() },
        frame_len,
        source: source(),
        queue,
        verdict: 0,
        tag: 0,
        capture_len: frame_len.min(snap_len()).min(MAX_CAPTURE_LEN) as u16,
        flags: flags::QUEUE,
    };
    if at_exit {
        // SAFETY: guaranteed by the caller.
        header.verdict = unsafe { arguments.add(1).read() } as u32;
        header.flags |= flags::VERDICT;
    }
    // SAFETY: the pointers are to this CPU's values.
    unsafe {
        increment(&raw mut (*counters).matched);
        if emit(xdp, &mut header) {
            increment(&raw mut (*counters).emitted);
        } else {
            increment(&raw mut (*counters).failed);
        }
    }
}

/// Whether the frame was received by the interface that is captured.
///
/// # Safety
/// `rxq` is a `struct xdp_rxq_info *` from a field of that type.
#[inline(always)]
unsafe fn is_wanted(rxq: *const u8) -> bool {
    let (ifindex, netns) = (constant(&raw const TAP_IFINDEX), constant(&raw const TAP_NETNS));
    if ifindex == 0 {
        return true;
    }
    // SAFETY: the pointers are of the types that the offsets are for; the verifier checks that.
    unsafe {
        let dev: *const u8 = load(rxq, &raw const AT_DEV);
        if load::<u32>(dev, &raw const AT_IFINDEX) != ifindex {
            return false;
        }
        if netns == 0 {
            return true;
        }
        let net: *const u8 = load(dev, &raw const AT_NET);
        // For some kernels' verifiers this field may be null.
        !net.is_null() && load::<u32>(net, &raw const AT_INUM) == netns
    }
}

/// Hands header and frame to the current CPU's ring, see [`crate::perf`].
#[inline(always)]
fn emit(xdp: *const u8, header: &mut FrameHeader) -> bool {
    let frame = u64::from(header.capture_len) << 32;
    // SAFETY: a map static is a `bpf_map_def`, which the loader replaces by the map; the header has exactly the length that is
    // passed.
    let result = unsafe {
        bpf_xdp_output(
            xdp.cast_mut().cast(),
            (&raw const EVENTS).cast_mut().cast::<c_void>(),
            frame | u64::from(BPF_F_CURRENT_CPU as u32),
            (&raw mut *header).cast(),
            size_of::<FrameHeader>() as u64,
        )
    };
    result == 0
}

/// A value that user space sets before the program is loaded.
#[inline(always)]
fn constant(at: *const u32) -> u32 {
    // SAFETY: a static of this program; volatile because user space replaces its value.
    unsafe { at.read_volatile() }
}

/// Loads a field of the kernel's memory.
///
/// # Safety
/// `base` is a pointer of which the verifier knows the type, and `offset` is that of a field of type `T` in it.
#[inline(always)]
unsafe fn load<T>(base: *const u8, offset: *const u32) -> T {
    let offset = constant(offset) as usize;
    // SAFETY: guaranteed by the caller.
    unsafe { base.add(offset).cast::<T>().read_volatile() }
}

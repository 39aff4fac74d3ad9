//! What the kernel side and user space agree on: the header in front of every captured frame, and the
//! counters.
//!
//! Everything is native-endian: both sides run on the same machine.
#![no_std]

/// Precedes the frame's bytes in every event.
///
/// The layout has no padding and is asserted below; user space reads it from bytes, so a change needs no more
/// than the same change on both sides, which are built together.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameHeader {
    /// Number of the frame among those its CPU saw, from 1. Unique together with the CPU.
    pub sequence: u64,
    /// Frames this CPU has lost so far because the ring had no room, before this one.
    pub lost: u64,
    /// Bytes of the frame on the wire, without frame check sequence.
    pub frame_len: u32,
    /// Bytes of it that follow this header; never more than [`MAX_CAPTURE_LEN`].
    pub capture_len: u32,
    /// Interface index it arrived on.
    pub ifindex: u32,
    /// Receive queue it arrived on.
    pub queue: u32,
    /// What was decided about it (`enum xdp_action`); only with [`flags::VERDICT`].
    pub verdict: u32,
    /// Where it was taken, a [`CapturePoint`].
    pub point: u8,
    /// Reserved, 0.
    pub reserved: u8,
    /// [`flags`].
    pub flags: u16,
}

/// Size of [`FrameHeader`] in bytes.
pub const HEADER_LEN: usize = 40;

const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(size_of::<FrameHeader>() == HEADER_LEN);
    assert!(offset_of!(FrameHeader, sequence) == 0);
    assert!(offset_of!(FrameHeader, lost) == 8);
    assert!(offset_of!(FrameHeader, frame_len) == 16);
    assert!(offset_of!(FrameHeader, capture_len) == 20);
    assert!(offset_of!(FrameHeader, ifindex) == 24);
    assert!(offset_of!(FrameHeader, queue) == 28);
    assert!(offset_of!(FrameHeader, verdict) == 32);
    assert!(offset_of!(FrameHeader, point) == 36);
    assert!(offset_of!(FrameHeader, reserved) == 37);
    assert!(offset_of!(FrameHeader, flags) == 38);
};

/// Bits of [`FrameHeader::flags`].
pub mod flags {
    /// The verdict is known.
    pub const VERDICT: u16 = 1 << 0;
    /// The frame lay in more than one buffer (`xdp.frags`).
    pub const MULTI_BUFFER: u16 = 1 << 1;
}

/// Where a frame was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CapturePoint {
    /// By xdpdump's own XDP program on the interface.
    Ingress = 0,
}

/// Most bytes of a frame in one event.
///
/// `perf_event_header.size` is a u16 (include/uapi/linux/perf_event.h) and a record is padded to 8 bytes, so it
/// is at most 65528 bytes: 8 of record header, 8 of time stamp, 4 of raw size, [`HEADER_LEN`], the frame. Nothing
/// in the kernel checks this (kernel/trace/bpf_trace.c, v6.18): one byte more corrupts the ring.
pub const MAX_CAPTURE_LEN: u32 = 65528 - 8 - 8 - 4 - HEADER_LEN as u32;

/// What a CPU counted; `seen == emitted + failed` once the program is detached.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames the program was called for.
    pub seen: u64,
    /// Frames handed to user space.
    pub emitted: u64,
    /// Frames lost because they could not be handed over.
    pub failed: u64,
}

//! What the kernel side and user space agree on: the header in front of every captured frame, and the
//! counters.
//!
//! Everything is native-endian: both sides run on the same machine.
#![no_std]

pub mod pcapng;

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

impl Counters {
    /// Whether no frame is under way any more when user space has read so many events.
    pub fn is_settled(&self, read: u64) -> bool {
        self.seen == self.emitted + self.failed && self.emitted <= read
    }
}

/// Memory that a CPU's program writes and user space maps: records that are pcapng Enhanced Packet Blocks, one behind
/// the other.
///
/// A position counts bytes from the beginning of the capture. A record lies in one piece at `position & mask` behind
/// the control page; the last one of a lap reaches into the slack behind the ring, and the next begins where it would
/// have wrapped to.
pub mod ring {
    /// The beginning of each CPU's memory.
    #[repr(C)]
    #[derive(Clone, Copy, Debug)]
    pub struct Control {
        /// Position behind the last complete record. Written by the program.
        pub head: u64,
        /// Not 0 while a program of this CPU writes. Written by the program.
        pub busy: u64,
        /// The [`Control::wake_at`] that the doorbell was rung for last. Written by the program.
        pub rung: u64,
        /// Frames the program was called for, without `nested`. Written by the program.
        pub seen: u64,
        /// Frames of which there is a record. Written by the program.
        pub emitted: u64,
        /// Frames that found no room. Written by the program.
        pub failed: u64,
        /// Frames that came while another was being written, and frames of CPUs without a ring (on the first CPU's
        /// page): seen and lost. Written by programs, atomically.
        pub nested: u64,
        /// `failed` as of the last record. Written by the program.
        pub reported: u64,
        /// Keeps what the reader writes in another cache line, and out of the prefetcher's way.
        pub separation: [u64; 8],
        /// Position of the oldest record still wanted. Written by the reader.
        pub tail: u64,
        /// Ring the doorbell, once, when `head` is here or further. Written by the reader.
        pub wake_at: u64,
    }

    /// Where the records begin: a page behind the control structure, on machines with pages of 4 KiB.
    pub const DATA: usize = 4096;

    /// Most bytes of a frame in a record: what `bpf_xdp_load_bytes` copies at most (net/core/filter.c, v6.18).
    pub const MAX_CAPTURE_LEN: u32 = 0xffff;

    /// Room behind the ring for the record that begins last: more than the longest.
    pub const SLACK: usize = 68 << 10;

    const _: () = {
        use core::mem::{offset_of, size_of};
        assert!(size_of::<Control>() <= DATA);
        assert!(offset_of!(Control, tail) == 128);
        assert!(SLACK > block::longest());
    };

    /// The layout of a record: draft-ietf-opsawg-pcapng, section 4.3, in the machine's byte order. The time stamp is
    /// `CLOCK_MONOTONIC`; the reader replaces it.
    pub mod block {
        /// Block type of an Enhanced Packet Block.
        pub const TYPE: u32 = 6;
        /// Offsets of its fields; each is four bytes long.
        pub const TOTAL_LEN: usize = 4;
        /// Upper half of the time stamp, with the lower half behind it.
        pub const TIME: usize = 12;
        /// Captured length.
        pub const CAPTURE_LEN: usize = 20;
        /// Length on the wire.
        pub const FRAME_LEN: usize = 24;
        /// The frame, padded to four bytes.
        pub const FRAME: usize = 28;

        /// Code in the lower half of an option's first word, length of its value in the upper half, on a little-endian
        /// machine.
        pub const fn option(code: u16, len: u16) -> u32 {
            let ([a, b], [c, d]) = (code.to_ne_bytes(), len.to_ne_bytes());
            u32::from_ne_bytes([a, b, c, d])
        }
        /// `epb_flags`: a frame that was received.
        pub const FLAGS: u32 = option(2, 4);
        /// The value of `epb_flags`.
        pub const INBOUND: u32 = 1;
        /// `epb_dropcount`; only when something was lost.
        pub const DROP_COUNT: u32 = option(4, 8);
        /// `epb_packetid`.
        pub const PACKET_ID: u32 = option(5, 8);
        /// `epb_queue`.
        pub const QUEUE: u32 = option(6, 4);
        /// `epb_verdict`.
        pub const VERDICT: u32 = option(7, 9);
        /// First octet of the verdict: what follows is an XDP action of 8 octets.
        pub const VERDICT_XDP: u8 = 2;

        /// Bytes of the flags option.
        pub const FLAGS_LEN: usize = 8;
        /// Bytes of the drop count option.
        pub const DROP_COUNT_LEN: usize = 12;
        /// Bytes of packet id, queue, verdict, end of options and the trailing total length.
        pub const TAIL_LEN: usize = 12 + 8 + 16 + 4 + 4;

        /// Bytes of the longest record.
        pub const fn longest() -> usize {
            FRAME
                + (super::MAX_CAPTURE_LEN as usize).next_multiple_of(4)
                + FLAGS_LEN
                + DROP_COUNT_LEN
                + TAIL_LEN
        }
    }
}

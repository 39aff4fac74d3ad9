//! What the kernel side and user space agree on: the header in front of every frame in a perf ring, the counters, the layout
//! of the mapped rings, and the places where user space puts code of its own.
//!
//! Everything is native-endian: both sides run on the same machine.
#![no_std]

pub mod pcapng;

/// Precedes the frame's bytes in every event of a perf ring.
///
/// The layout has no padding and is asserted below; user space reads it from bytes, so a change needs no more
/// than the same change on both sides, which are built together.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameHeader {
    /// Number of the frame among those of its CPU that were to be captured, from 1; unique together with the CPU. 0 from a
    /// program that does not count.
    pub sequence: u64,
    /// Frames of this source that this CPU had lost by then because its ring had no room.
    pub lost: u64,
    /// Bytes of the frame on the wire, without frame check sequence.
    pub frame_len: u32,
    /// Bytes of it that follow this header; never more than [`MAX_CAPTURE_LEN`].
    pub capture_len: u32,
    /// The source it was taken at: an interface at a capture point. User space numbers sources from 0.
    pub source: u32,
    /// Receive queue it arrived on; only with [`flags::QUEUE`].
    pub queue: u32,
    /// What was decided about it (`enum xdp_action`); only with [`flags::VERDICT`].
    pub verdict: u32,
    /// [`flags`].
    pub flags: u32,
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
    assert!(offset_of!(FrameHeader, source) == 24);
    assert!(offset_of!(FrameHeader, queue) == 28);
    assert!(offset_of!(FrameHeader, verdict) == 32);
    assert!(offset_of!(FrameHeader, flags) == 36);
};

/// Bits of [`FrameHeader::flags`].
pub mod flags {
    /// The verdict is known.
    pub const VERDICT: u32 = 1 << 0;
    /// The receive queue is known.
    pub const QUEUE: u32 = 1 << 1;
}

/// Most bytes of a frame in one event of a perf ring.
///
/// `perf_event_header.size` is a u16 (include/uapi/linux/perf_event.h) and a record is padded to 8 bytes, so it
/// is at most 65528 bytes: 8 of record header, 8 of time stamp, 4 of raw size, [`HEADER_LEN`], the frame. Nothing
/// in the kernel checks this (kernel/trace/bpf_trace.c, v6.18): one byte more corrupts the ring.
pub const MAX_CAPTURE_LEN: u32 = 65528 - 8 - 8 - 4 - HEADER_LEN as u32;

/// Calls in the programs that user space replaces before they are loaded: by calls of functions that it adds, or by their
/// results where those are always the same. Each has the number of a helper that no kernel has.
pub mod stub {
    /// Whether the capture filter accepts the frame: `r1` is the `struct xdp_md *`, `r2` what was decided about the frame
    /// (`enum xdp_action`); not 0 in `r0` if it does.
    pub const FILTER: i32 = 0x7fff_f117;
    /// Bytes of the frame to capture, a snap length for it alone: `r1` is the `struct xdp_md *`, 32 bits in `r0`.
    pub const CUT: i32 = 0x7fff_0c07;
}

/// What one CPU counted of one source. Once the program is detached, `matched == emitted + failed`; the frames in `nested`,
/// `filtered` and `thinned` come on top of that, see [`Counters`].
///
/// It is as long as a cache line, so that no two CPUs write to the same one.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuCounters {
    /// Frames that were to be captured, without `nested`.
    pub matched: u64,
    /// Frames handed to user space.
    pub emitted: u64,
    /// Frames lost because they could not be handed over.
    pub failed: u64,
    /// Frames seen and lost because the mapped ring was not to be had: another frame was just being written to it, or the
    /// CPU has none. Counted atomically.
    pub nested: u64,
    /// Losses as of the last record in a mapped ring.
    pub reported: u64,
    /// Frames that the filter did not accept.
    pub filtered: u64,
    /// Frames that the filter accepted and that were left out, to capture one of so many.
    pub thinned: u64,
    /// Frames that the filter accepted; only counted where some of them are left out.
    pub turn: u64,
}

const _: () = assert!(size_of::<CpuCounters>() == 64);

/// [`CpuCounters`] of all CPUs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames the program was called for.
    pub seen: u64,
    /// Frames that the filter did not accept.
    pub filtered: u64,
    /// Frames that the filter accepted and that were left out, to capture one of so many.
    pub thinned: u64,
    /// Frames handed to user space.
    pub emitted: u64,
    /// Frames lost because they could not be handed over.
    pub failed: u64,
}

impl Counters {
    /// Whether no frame is under way any more when user space has read so many events.
    pub fn is_settled(&self, read: u64) -> bool {
        self.seen == self.filtered + self.thinned + self.emitted + self.failed && self.emitted <= read
    }
}

impl core::iter::Sum<CpuCounters> for Counters {
    fn sum<I: Iterator<Item = CpuCounters>>(counters: I) -> Self {
        counters.fold(Self::default(), |sum, cpu| {
            let seen = [cpu.matched, cpu.nested, cpu.filtered, cpu.thinned];
            Self {
                seen: seen.into_iter().fold(sum.seen, u64::wrapping_add),
                filtered: sum.filtered.wrapping_add(cpu.filtered),
                thinned: sum.thinned.wrapping_add(cpu.thinned),
                emitted: sum.emitted.wrapping_add(cpu.emitted),
                failed: sum.failed.wrapping_add(cpu.failed).wrapping_add(cpu.nested),
            }
        })
    }
}

/// Memory that a CPU's program writes and user space maps: records that are pcapng Enhanced Packet Blocks, one behind
/// the other.
///
/// A position counts bytes from the beginning of the capture. A record lies in one piece at `position & mask` behind
/// the control page; the last one of a lap reaches into the slack behind the ring, and the next begins where it would
/// have wrapped to.
pub mod ring {
    /// The beginning of each CPU's memory. What counts what a program lost or saw is in [`CpuCounters`](super::CpuCounters).
    #[repr(C)]
    #[derive(Clone, Copy, Debug)]
    pub struct Control {
        /// Position behind the last complete record. Written by the programs.
        pub head: u64,
        /// Not 0 while a program of this CPU writes. Written by the programs.
        pub busy: u64,
        /// The [`Control::wake_at`] that the doorbell was rung for last. Written by the programs.
        pub rung: u64,
        /// Number of the last frame among all that this CPU's programs were to capture, of every source. Written by the
        /// programs, those for perf rings too.
        pub sequence: u64,
        /// Keeps what the reader writes in another cache line, and out of the prefetcher's way.
        pub separation: [u64; 12],
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

    /// The layout of a record: an Enhanced Packet Block (draft-ietf-opsawg-pcapng, section 4.3), in the machine's byte order,
    /// with the options that the program knows. Offsets are in bytes. The time stamp is `CLOCK_MONOTONIC`; the reader replaces
    /// it.
    pub mod block {
        use crate::pcapng::{
            block::TRAILER_LEN,
            option_header,
            packet::{self, VERDICT_XDP_LEN},
        };

        /// Interface id: the source.
        pub const SOURCE: usize = 8;
        /// Upper half of the time stamp, with the lower half behind it.
        pub const TIME: usize = 12;
        /// Captured length.
        pub const CAPTURE_LEN: usize = 20;
        /// Length on the wire.
        pub const FRAME_LEN: usize = 24;
        /// The frame, padded to four bytes.
        pub const FRAME: usize = 28;

        /// `epb_flags`.
        pub const FLAGS: u32 = option_header(packet::FLAGS, 4);
        /// `epb_dropcount`; only when something was lost.
        pub const DROP_COUNT: u32 = option_header(packet::DROP_COUNT, 8);
        /// `epb_packetid`.
        pub const PACKET_ID: u32 = option_header(packet::PACKET_ID, 8);
        /// `epb_queue`.
        pub const QUEUE: u32 = option_header(packet::QUEUE, 4);
        /// `epb_verdict`.
        pub const VERDICT: u32 = option_header(packet::VERDICT, VERDICT_XDP_LEN);

        /// Bytes of the flags option.
        pub const FLAGS_LEN: usize = 8;
        /// Bytes of the drop count option.
        pub const DROP_COUNT_LEN: usize = 12;
        /// Bytes of packet id, queue, verdict, end of options and the trailing total length.
        pub const TAIL_LEN: usize = 12 + 8 + 16 + 4 + TRAILER_LEN;

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

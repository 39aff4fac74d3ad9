//! What the kernel side and user space share: the header before every frame in a perf ring, the counters, the layout of
//! the mapped rings, and the stubs that user space replaces by its own code.
//!
//! All numbers are in native byte order, because both sides run on the same machine.
#![no_std]

pub mod pcapng;

/// The header before the bytes of a frame, in every event of a perf ring.
///
/// The layout has no padding, which is asserted below. User space reads it from bytes. Both sides are always built
/// together, so the layout may be changed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameHeader {
    /// Sequence number of the frame, from 1, among the frames of its CPU that were to be captured; unique together with
    /// the CPU. 0 from a program that does not count.
    pub sequence: u64,
    /// Number of frames of this source that this CPU has lost so far because its ring had no room.
    pub lost: u64,
    /// Length of the frame on the wire in bytes, without frame check sequence.
    pub frame_len: u32,
    /// The source: an interface at a capture point. User space numbers sources from 0.
    pub source: u32,
    /// Queue of the frame; only valid with [`flags::QUEUE`].
    pub queue: u32,
    /// Verdict on the frame (`enum xdp_action`); only valid with [`flags::VERDICT`].
    pub verdict: u32,
    /// The VLAN tag that belongs at [`TAG_OFFSET`] of the frame and is not among the bytes that follow, in network byte
    /// order; 0 if there is none. `frame_len` includes it, `capture_len` does not.
    pub tag: u32,
    /// Number of captured bytes, which follow this header; at most [`MAX_CAPTURE_LEN`].
    pub capture_len: u16,
    /// Bits from [`flags`].
    pub flags: u16,
}

/// Offset of a VLAN tag in an Ethernet frame in bytes (IEEE 802.1Q): after both addresses.
pub const TAG_OFFSET: usize = 12;

/// Bytes of a VLAN tag.
pub const TAG_LEN: usize = 4;

/// Size of [`FrameHeader`] in bytes.
pub const HEADER_LEN: usize = 40;

const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(size_of::<FrameHeader>() == HEADER_LEN);
    assert!(offset_of!(FrameHeader, sequence) == 0);
    assert!(offset_of!(FrameHeader, lost) == 8);
    assert!(offset_of!(FrameHeader, frame_len) == 16);
    assert!(offset_of!(FrameHeader, source) == 20);
    assert!(offset_of!(FrameHeader, queue) == 24);
    assert!(offset_of!(FrameHeader, verdict) == 28);
    assert!(offset_of!(FrameHeader, tag) == 32);
    assert!(offset_of!(FrameHeader, capture_len) == 36);
    assert!(offset_of!(FrameHeader, flags) == 38);
};

/// Bits of [`FrameHeader::flags`].
pub mod flags {
    /// The verdict is known.
    pub const VERDICT: u16 = 1 << 0;
    /// The queue is known.
    pub const QUEUE: u16 = 1 << 1;
    /// An [`Adapter`](super::Adapter) is between the header and the frame.
    pub const ADAPTER: u16 = 1 << 2;
    /// [`Adapter::hash`](super::Adapter::hash) is known.
    pub const HASH: u16 = 1 << 3;
}

/// What the adapter says about a received frame; only present with [`flags::ADAPTER`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adapter {
    /// When the frame arrived, in nanoseconds of the adapter's clock; 0 if the adapter does not say.
    pub time: u64,
    /// The hash by which the adapter chose the queue; only valid with [`flags::HASH`].
    pub hash: u32,
    /// Makes the size a multiple of 8 bytes.
    pub reserved: u32,
}

/// Size of [`Adapter`] in bytes.
pub const ADAPTER_LEN: usize = 16;

const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(size_of::<Adapter>() == ADAPTER_LEN);
    assert!(offset_of!(Adapter, time) == 0);
    assert!(offset_of!(Adapter, hash) == 8);
};

/// Most bytes of a frame in one event of a perf ring.
///
/// `perf_event_header.size` is a u16 (include/uapi/linux/perf_event.h) and a record is padded to 8 bytes, so it
/// is at most 65528 bytes: 8 of record header, 8 of time stamp, 4 of raw size, [`HEADER_LEN`], the frame. Nothing
/// in the kernel checks this (kernel/trace/bpf_trace.c, v6.18): one byte more corrupts the ring.
pub const MAX_CAPTURE_LEN: u32 = 65528 - 8 - 8 - 4 - HEADER_LEN as u32;

const _: () = assert!(MAX_CAPTURE_LEN <= u16::MAX as u32);

/// Calls in the programs that user space replaces before it loads them: by calls of functions that it adds or, if the
/// result is always the same, by the result. Each call has the number of a helper that no kernel has.
pub mod stub {
    /// Whether the capture filter accepts the frame. Takes the program's context in `r1` and the verdict on the frame
    /// (`enum xdp_action`) in `r2`; returns a number other than 0 in `r0` if it does.
    pub const FILTER: i32 = 0x7fff_f117;
    /// The same for a frame whose VLAN tag is not among its bytes; takes the tag in `r3`, as a number.
    pub const FILTER_TAGGED: i32 = 0x7fff_f118;
    /// The number of bytes of this frame to capture, like a snap length. Takes the program's context in `r1`; returns 32
    /// bits in `r0`.
    pub const CUT: i32 = 0x7fff_0c07;
    /// The same for a frame whose VLAN tag is not among its bytes; takes the tag in `r3`, as a number.
    pub const CUT_TAGGED: i32 = 0x7fff_0c08;
    /// The VLAN tag that the NIC took off a received frame. Has the arguments and the result of the kernel function
    /// `bpf_xdp_metadata_rx_vlan_tag` (net/core/xdp.c, v6.18).
    pub const RECEIVED_TAG: i32 = 0x7fff_07a6;
    /// When a received frame arrived, by the clock of the NIC. Has the arguments and the result of the kernel function
    /// `bpf_xdp_metadata_rx_timestamp` (ibid.).
    pub const RECEIVED_TIME: i32 = 0x7fff_071e;
    /// The hash of a received frame. Has the arguments and the result of the kernel function `bpf_xdp_metadata_rx_hash`
    /// (ibid.).
    pub const RECEIVED_HASH: i32 = 0x7fff_0a54;
}

/// The counters of one CPU for one source. After the program is detached, `matched == emitted + failed`; frames in
/// `nested`, `filtered` and `thinned` are not among those, see [`Counters`].
///
/// Its size is that of a cache line, so that no two CPUs write to the same line.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuCounters {
    /// Frames that were to be captured, except those in `nested`.
    pub matched: u64,
    /// Frames handed to user space.
    pub emitted: u64,
    /// Frames lost because they could not be handed to user space.
    pub failed: u64,
    /// Frames lost because the mapped ring was not available: another frame was being written to it, or the CPU has no
    /// ring. Counted atomically.
    pub nested: u64,
    /// Number of losses that the records in a mapped ring have reported so far.
    pub reported: u64,
    /// Frames that the filter rejected.
    pub filtered: u64,
    /// Frames that the filter accepted, but that sampling left out.
    pub thinned: u64,
    /// Frames that the filter accepted; only counted with sampling.
    pub turn: u64,
}

const _: () = assert!(size_of::<CpuCounters>() == 64);

/// The sum of [`CpuCounters`] over all CPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames the program was called for.
    pub seen: u64,
    /// Frames that the filter rejected.
    pub filtered: u64,
    /// Frames that the filter accepted, but that sampling left out.
    pub thinned: u64,
    /// Frames handed to user space.
    pub emitted: u64,
    /// Frames lost because they could not be handed to user space.
    pub failed: u64,
}

impl Counters {
    /// Whether no frame is still on its way, given the number of events that user space has read.
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

/// Memory that the program on a CPU writes and user space maps. It contains records one after another, which are pcapng
/// Enhanced Packet Blocks.
///
/// It has two rings, or one if that is small. Programs write to the small one, which stays in the CPU's cache, and to the
/// large one while the small one is full. They change over only when the other ring is empty, so all records in the ring
/// that they do not write to are older than those in the other.
///
/// A position counts bytes from the beginning of the capture, in one of the rings or in both together. The record at the position
/// in a ring begins at `position & mask` after the ring's beginning, and is contiguous: the last record of a lap extends into the
/// slack after the ring, and the next one begins where it would end if it wrapped around.
pub mod ring {
    /// The beginning of each CPU's memory. The counters are not here but in [`CpuCounters`](super::CpuCounters).
    #[repr(C)]
    #[derive(Clone, Copy, Debug)]
    pub struct Control {
        /// Position after the last complete record, in both rings together. Written by the programs.
        pub head: u64,
        /// Not 0 while a program on this CPU writes a record. Written by the programs.
        pub busy: u64,
        /// The value of [`Control::wake_at`] for which the doorbell was rung last. Written by the programs.
        pub rung: u64,
        /// Sequence number of the last frame that the programs on this CPU were to capture, for any source. Written by
        /// all programs, also by those for perf rings.
        pub sequence: u64,
        /// The frame that is inside an observed program, between its entry and its exit: its sequence number in the upper
        /// 48 bits, and bits of its buffer's address in the lower 16. 0 if there is none. Written by the programs that
        /// capture there.
        pub inside: u64,
        /// The ring that is written to: [`SMALL`] or [`LARGE`]. Written by the programs.
        pub current: u64,
        /// Position after the last record in each ring. Written by the programs.
        pub at: [u64; 2],
        /// Position, in both rings together, of the first record after the last change of the ring. Written by the programs.
        pub changed: u64,
        /// Number of records before that, as in a [`Mark`]. Written by the programs.
        pub changed_emitted: u64,
        /// Keeps the fields of the reader in another cache line, and away from the adjacent-line prefetcher.
        pub separation: [u64; 6],
        /// Position of the oldest record in each ring that is still wanted. Written by the reader.
        pub tail: [u64; 2],
        /// Ring the doorbell once when `head` has reached this position. Written by the reader.
        pub wake_at: u64,
        /// Nanoseconds that the programs add to `CLOCK_MONOTONIC`, so that records have wall-clock time; 0 leaves that to the
        /// reader. Written by the reader.
        pub offset: u64,
        /// The last value of `changed` that the reader has followed; before that, there is no other change. Written by the reader.
        pub followed: u64,
    }

    /// Index of the small ring, or the only one.
    pub const SMALL: usize = 0;
    /// Index of the large ring.
    pub const LARGE: usize = 1;

    /// The least time stamp that is wall-clock time, in nanoseconds: `CLOCK_MONOTONIC` reaches it after 36 years, the wall
    /// clock did in 2006.
    pub const WALL: u64 = 1 << 60;

    /// The first record that begins in a section of a ring. A ring has a power of two of sections, of equal length, each
    /// longer than a record; the mark of the one that begins at position `n * length` is at index `n` modulo their number,
    /// behind [`SMALL_MARKS`] others in the large ring.
    #[repr(C)]
    #[derive(Clone, Copy, Debug)]
    pub struct Mark {
        /// Position of the record in its ring.
        pub position: u64,
        /// [`CpuCounters::emitted`](super::CpuCounters::emitted) of its source when it is written: the number of records
        /// before it, if all records are of one source.
        pub emitted: u64,
    }

    /// Most sections of a ring.
    pub const SECTIONS: usize = 512;

    /// Most sections of the small ring, if there is a large one.
    pub const SMALL_MARKS: usize = 32;

    /// Number of marks.
    pub const MARKS: usize = SMALL_MARKS + SECTIONS;

    /// Offset of the marks: one page after the control structure, on machines with pages of 4 KiB.
    pub const MARKS_AT: usize = 4096;

    /// Binary logarithm of the length of a section, in all rings of a CPU, of which the largest has `len` bytes.
    pub const fn section_shift(len: usize) -> u32 {
        /// Longer than the longest record.
        const LEAST: u32 = 17;
        let shift = len.ilog2().saturating_sub(SECTIONS.ilog2());
        if shift < LEAST { LEAST } else { shift }
    }

    /// Offset of the first ring. The large ring begins after the small one and its slack.
    pub const DATA: usize = MARKS_AT + MARKS * size_of::<Mark>();

    /// Most bytes of a frame in a record, which is the most that `bpf_xdp_load_bytes` copies (net/core/filter.c,
    /// v6.18).
    pub const MAX_CAPTURE_LEN: u32 = 0xffff;

    /// Bytes after each ring for the end of the last record of a lap: more than the longest record.
    pub const SLACK: usize = 68 << 10;

    const _: () = {
        use core::mem::{offset_of, size_of};
        assert!(size_of::<Control>() <= MARKS_AT);
        assert!(offset_of!(Control, tail) == 128);
        assert!(SLACK > block::longest());
        assert!(1 << section_shift(0x1000) > block::longest());
    };

    /// The layout of a record: an Enhanced Packet Block (draft-ietf-opsawg-pcapng, section 4.3) in native byte order,
    /// with the options that the program writes. Offsets are in bytes. A time stamp below [`WALL`](super::WALL) is
    /// `CLOCK_MONOTONIC`, which the reader replaces.
    pub mod block {
        use crate::pcapng::{block::TRAILER_LEN, option_header, packet};

        /// Interface id, which is the source number.
        pub const SOURCE: usize = 8;
        /// Upper half of the time stamp; the lower half follows.
        pub const TIME: usize = 12;
        /// Captured length.
        pub const CAPTURE_LEN: usize = 20;
        /// Length on the wire.
        pub const FRAME_LEN: usize = 24;
        /// The frame, padded to four bytes.
        pub const FRAME: usize = 28;

        /// Which options records have. The count of losses is present in each of these cases, if frames were lost.
        pub mod detail {
            /// None.
            pub const LEAN: u32 = 0;
            /// The packet id, and what is not as usual: the direction of a frame that is sent, a queue other than 0.
            pub const BRIEF: u32 = 1;
            /// All.
            pub const FULL: u32 = 2;
        }

        // The options come in this order.

        /// `epb_flags`.
        pub const FLAGS: u32 = option_header(packet::FLAGS, 4);
        /// `epb_dropcount`; only present if frames were lost.
        pub const DROP_COUNT: u32 = option_header(packet::DROP_COUNT, 8);
        /// `epb_packetid`.
        pub const PACKET_ID: u32 = option_header(packet::PACKET_ID, 8);
        /// `epb_queue`; never present for a frame that is sent.
        pub const QUEUE: u32 = option_header(packet::QUEUE, 4);

        /// Bytes of the flags option.
        pub const FLAGS_LEN: usize = 8;
        /// Bytes of the drop count option.
        pub const DROP_COUNT_LEN: usize = 12;
        /// Bytes of the packet id option.
        pub const PACKET_ID_LEN: usize = 12;
        /// Bytes of the queue option.
        pub const QUEUE_LEN: usize = 8;
        /// Bytes of the end of options, which is only present after an option.
        pub const END_LEN: usize = 4;

        /// Bytes of the longest record.
        pub const fn longest() -> usize {
            FRAME
                + (super::MAX_CAPTURE_LEN as usize).next_multiple_of(4)
                + FLAGS_LEN
                + DROP_COUNT_LEN
                + PACKET_ID_LEN
                + QUEUE_LEN
                + END_LEN
                + TRAILER_LEN
        }
    }
}

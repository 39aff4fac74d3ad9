//! A frame as the kernel program handed it over, and the bytes that it is parsed from.

use std::num::NonZeroU64;

use xdpdump_ebpf::{ADAPTER_LEN, FrameHeader, HEADER_LEN, TAG_OFFSET, flags};

/// A frame with the metadata that the kernel program recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// `CLOCK_MONOTONIC` nanoseconds.
    pub time: u64,
    /// The CPU whose ring it came through.
    pub cpu: u32,
    /// The source it was taken at: an interface at a capture point.
    pub source: u32,
    /// Number of the frame among those its CPU saw, from 1; 0 when the program does not count.
    pub sequence: u64,
    /// Frames of this source that this CPU lost since its previous event.
    pub lost: u64,
    /// Receive queue it arrived on, where that is known.
    pub queue: Option<u32>,
    /// What was decided about it (`enum xdp_action`), where that is known.
    pub verdict: Option<u64>,
    /// What the adapter said about it.
    pub adapter: Adapter,
    /// Bytes on the wire.
    pub frame_len: u32,
    /// The captured bytes.
    pub frame: &'a [u8],
}

/// What the adapter said about a frame, if it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adapter {
    /// When the frame arrived, in nanoseconds of the adapter's clock.
    pub time: Option<NonZeroU64>,
    /// The hash by which it chose the queue.
    pub hash: Option<u32>,
}

/// Number of low bits of [`Event::packet_id`] that hold the frame's number; the CPU's number is above them.
pub const SEQUENCE_BITS: u32 = 48;

impl Event<'_> {
    /// A number that is unique within the capture: the CPU in the upper 16 bits, the frame's number on that CPU in the
    /// lower 48. `None` when the program does not count.
    pub fn packet_id(&self) -> Option<u64> {
        let sequence = self.sequence & ((1 << SEQUENCE_BITS) - 1);
        (sequence != 0).then_some(u64::from(self.cpu) << SEQUENCE_BITS | sequence)
    }
}

/// A frame and what is known about it, as in the body of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// What the program recorded.
    pub header: FrameHeader,
    /// What the adapter said.
    pub adapter: Adapter,
    /// The captured bytes.
    pub frame: &'a [u8],
}

/// Parses the body of a record; `None` when it is too short for its headers or for the captured length that they claim.
/// Padding after the frame is removed. A VLAN tag that the header contains is inserted into the frame.
pub fn parse<'a>(body: Split<'a>, scratch: &'a mut Vec<u8>) -> Option<Parsed<'a>> {
    let (header_bytes, rest) = body.split_at(HEADER_LEN)?;
    let header = read_header(&header_bytes.array()?);
    let (adapter, rest) = if header.flags & flags::ADAPTER == 0 {
        (Adapter::default(), rest)
    } else {
        let (adapter, rest) = rest.split_at(ADAPTER_LEN)?;
        (read_adapter(&adapter.array()?, header.flags), rest)
    };
    let (frame, _padding) = rest.split_at(header.capture_len as usize)?;
    if header.tag == 0 {
        return Some(Parsed { header, adapter, frame: frame.contiguous(scratch) });
    }
    scratch.clear();
    match frame.split_at(TAG_OFFSET) {
        Some((addresses, rest)) => {
            addresses.append_to(scratch);
            scratch.extend_from_slice(&header.tag.to_ne_bytes());
            rest.append_to(scratch);
        }
        None => frame.append_to(scratch),
    }
    Some(Parsed { header, adapter, frame: scratch })
}

fn read_adapter(bytes: &[u8; ADAPTER_LEN], flags: u16) -> Adapter {
    let time = u64::from_ne_bytes(std::array::from_fn(|i| bytes[i]));
    let hash = u32::from_ne_bytes(std::array::from_fn(|i| bytes[8 + i]));
    Adapter { time: NonZeroU64::new(time), hash: (flags & flags::HASH != 0).then_some(hash) }
}

fn read_header(bytes: &[u8; HEADER_LEN]) -> FrameHeader {
    let u64_at = |at: usize| u64::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]));
    let u16_at = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
    let u32_at = |at: usize| u32::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]));
    FrameHeader {
        sequence: u64_at(0),
        lost: u64_at(8),
        frame_len: u32_at(16),
        source: u32_at(20),
        queue: u32_at(24),
        verdict: u32_at(28),
        tag: u32_at(32),
        capture_len: u16_at(36),
        flags: u16_at(38),
    }
}

/// Bytes that may be in two pieces, because they wrapped around at the end of a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split<'a> {
    first: &'a [u8],
    second: &'a [u8],
}

impl<'a> Split<'a> {
    /// The bytes of `first` followed by those of `second`.
    pub fn new(first: &'a [u8], second: &'a [u8]) -> Self {
        Self { first, second }
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.first.len() + self.second.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Splits the bytes after the first `at`; `None` when there are fewer than `at`.
    pub fn split_at(self, at: usize) -> Option<(Self, Self)> {
        if let Some((head, tail)) = self.first.split_at_checked(at) {
            return Some((Self::new(head, &[]), Self::new(tail, self.second)));
        }
        let (head, tail) = self.second.split_at_checked(at - self.first.len())?;
        Some((Self::new(self.first, head), Self::new(tail, &[])))
    }

    /// The bytes as an array; `None` unless there are exactly `N` bytes.
    pub fn array<const N: usize>(self) -> Option<[u8; N]> {
        if let Ok(array) = self.first.try_into() {
            return Some(array);
        }
        if self.len() != N {
            return None;
        }
        let mut array = [0; N];
        let (head, tail) = array.split_at_mut(self.first.len());
        head.copy_from_slice(self.first);
        tail.copy_from_slice(self.second);
        Some(array)
    }

    /// The bytes as one slice. They are copied into `scratch` only if they are in two pieces.
    pub fn contiguous(self, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        if self.second.is_empty() {
            return self.first;
        }
        if self.first.is_empty() {
            return self.second;
        }
        scratch.clear();
        self.append_to(scratch);
        scratch
    }

    fn append_to(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.first);
        bytes.extend_from_slice(self.second);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use xdpdump_ebpf::TAG_LEN;

    use super::*;

    fn header_bytes(header: &FrameHeader) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(header.sequence.to_ne_bytes());
        bytes.extend(header.lost.to_ne_bytes());
        for word in [header.frame_len, header.source, header.queue, header.verdict, header.tag] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(header.capture_len.to_ne_bytes());
        bytes.extend(header.flags.to_ne_bytes());
        bytes
    }

    proptest! {
        #[test]
        fn reads_what_was_written_wherever_the_ring_ends(
            frame in proptest::collection::vec(any::<u8>(), 0..200),
            numbers in any::<(u64, u64, u32, u32, u32, u32, u16)>(),
            (time, hash) in any::<(u64, u32)>(),
            tag in prop_oneof![Just(0), any::<u32>()],
            padding in 0..8usize,
            cut in any::<proptest::sample::Index>(),
        ) {
            let header = FrameHeader {
                sequence: numbers.0,
                lost: numbers.1,
                frame_len: numbers.2,
                source: numbers.3,
                queue: numbers.4,
                verdict: numbers.5,
                tag,
                capture_len: frame.len() as u16,
                flags: numbers.6,
            };
            let mut bytes = header_bytes(&header);
            let mut adapter = Adapter::default();
            if header.flags & flags::ADAPTER != 0 {
                bytes.extend(time.to_ne_bytes());
                bytes.extend(hash.to_ne_bytes());
                bytes.extend([0xff; 4]);
                adapter.time = NonZeroU64::new(time);
                adapter.hash = (header.flags & flags::HASH != 0).then_some(hash);
            }
            bytes.extend(&frame);
            bytes.extend(std::iter::repeat_n(0xff, padding));
            let (first, second) = bytes.split_at(cut.index(bytes.len()));
            let mut scratch = Vec::new();
            let read = parse(Split::new(first, second), &mut scratch).expect("whole event");
            prop_assert_eq!(read.header, header);
            prop_assert_eq!(read.adapter, adapter);
            let mut on_wire = frame;
            if tag != 0 && on_wire.len() >= TAG_OFFSET {
                on_wire.splice(TAG_OFFSET..TAG_OFFSET, tag.to_ne_bytes());
            }
            prop_assert_eq!(read.frame, &on_wire[..]);
        }

        #[test]
        fn never_reads_past_the_body(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in any::<proptest::sample::Index>()) {
            let (first, second) = bytes.split_at(if bytes.is_empty() { 0 } else { cut.index(bytes.len()) });
            let mut scratch = Vec::new();
            if let Some(Parsed { header, frame, .. }) = parse(Split::new(first, second), &mut scratch) {
                let has_tag = header.tag != 0 && usize::from(header.capture_len) >= TAG_OFFSET;
                prop_assert!(usize::from(header.capture_len) + HEADER_LEN <= bytes.len());
                prop_assert_eq!(frame.len(), usize::from(header.capture_len) + if has_tag { TAG_LEN } else { 0 });
            }
        }
    }
}

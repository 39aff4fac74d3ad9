//! The newest packets, as encoded blocks, in memory of a limited size.

use std::{collections::VecDeque, time::Duration};

use crate::{output::record, packet::Timestamp};

/// Bytes of memory that are asked for, and given up, at once.
const CHUNK: usize = 1 << 20;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// At most so many bytes of blocks.
    pub bytes: u64,
    /// At most the packets of so much time before the newest one.
    pub time: Option<Duration>,
}

/// A place in the sequence of all bytes that were ever kept.
pub type Place = u64;

/// Blocks, from the oldest on.
#[derive(Debug)]
pub struct Memory {
    keep: Keep,
    chunks: VecDeque<Chunk>,
    /// The place of the first chunk.
    begin: Place,
    /// The place behind the newest block.
    end: Place,
    /// The time of the newest packet.
    newest: Timestamp,
    /// A chunk that is not used.
    spare: Option<Vec<u8>>,
}

/// Whole blocks.
#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    /// The time of its newest packet.
    newest: Timestamp,
}

impl Memory {
    /// Memory that takes as much as is to be kept, and one or two chunks more.
    pub fn new(keep: Keep) -> Self {
        let newest = Timestamp(i64::MIN);
        Self { keep, chunks: VecDeque::new(), begin: 0, end: 0, newest, spare: None }
    }

    /// The place behind the newest block.
    pub fn end(&self) -> Place {
        self.end
    }

    /// Appends as many whole blocks as there is room for without giving up anything, at least one; returns the number of bytes.
    pub fn append(&mut self, blocks: &[u8]) -> usize {
        let Some(first) = record::packet_block(blocks) else { return 0 };
        let has_room = |chunk: &Chunk| chunk.bytes.len() + first.len <= CHUNK;
        if !self.chunks.back().is_some_and(has_room) {
            let mut bytes = self.spare.take().unwrap_or_default();
            bytes.clear();
            bytes.reserve_exact(first.len.max(CHUNK));
            self.chunks.push_back(Chunk { bytes, newest: Timestamp(i64::MIN) });
        }
        let Some(chunk) = self.chunks.back_mut() else { return 0 };
        let room = chunk.bytes.capacity() - chunk.bytes.len();
        let mut len = 0;
        while let Some(block) = blocks.get(len..).and_then(record::packet_block) {
            if len + block.len > room {
                break;
            }
            len += block.len;
            chunk.newest = chunk.newest.max(block.time);
        }
        let taken = blocks.get(..len).unwrap_or_default();
        chunk.bytes.extend_from_slice(taken);
        self.newest = self.newest.max(chunk.newest);
        self.end += taken.len() as u64;
        taken.len()
    }

    /// The place behind the oldest chunk, if everything in it is older than what is to be kept.
    pub fn too_old(&self) -> Option<Place> {
        let first = self.chunks.front().filter(|_| self.chunks.len() > 1)?;
        let behind = self.begin + first.bytes.len() as u64;
        let is_old = self.oldest().is_some_and(|oldest| first.newest < oldest);
        (is_old || self.end - behind >= self.keep.bytes).then_some(behind)
    }

    /// Gives up the oldest chunk.
    pub fn give_up(&mut self) {
        if let Some(first) = self.chunks.pop_front() {
            self.begin += first.bytes.len() as u64;
            self.spare = Some(first.bytes);
        }
    }

    /// The time from which on packets are kept.
    fn oldest(&self) -> Option<Timestamp> {
        let time = i64::try_from(self.keep.time?.as_nanos()).ok()?;
        Some(Timestamp(self.newest.0.saturating_sub(time)))
    }

    /// The place of the first block that is to be kept: the memory itself is given up in larger parts.
    pub fn first(&self) -> Place {
        let oldest = self.oldest();
        let mut place = self.begin;
        for chunk in &self.chunks {
            let mut rest = &chunk.bytes[..];
            while let Some(block) = record::packet_block(rest) {
                let is_kept = self.end - place <= self.keep.bytes;
                if is_kept && oldest.is_none_or(|oldest| block.time >= oldest) {
                    return place;
                }
                place += block.len as u64;
                rest = rest.get(block.len..).unwrap_or_default();
            }
        }
        self.end
    }

    /// Blocks from a place on, which was not given up: those of one chunk.
    pub fn from(&self, place: Place) -> &[u8] {
        let mut begin = self.begin;
        for chunk in &self.chunks {
            let end = begin + chunk.bytes.len() as u64;
            if place < end {
                let at = usize::try_from(place.saturating_sub(begin)).unwrap_or(usize::MAX);
                return chunk.bytes.get(at..).unwrap_or_default();
            }
            begin = end;
        }
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        output::pcapng::encode::enhanced_packet,
        packet::{Meta, Packet, Record},
    };

    /// A block with so many bytes of a frame.
    fn block(time: i64, len: usize) -> Vec<u8> {
        let mut block = Vec::new();
        let (uptime, interface, meta, frame) = (None, 0, Meta::default(), &vec![0; len][..]);
        let timestamp = Timestamp(time);
        let (frame_len, record) = (len as u32, Record::default());
        let packet = Packet { timestamp, uptime, interface, frame, frame_len, meta, record };
        enhanced_packet(&mut block, &packet);
        block
    }

    fn keep(memory: &mut Memory, blocks: &[u8]) {
        let mut rest = blocks;
        while !rest.is_empty() {
            let len = memory.append(rest);
            assert!(len > 0);
            rest = &rest[len..];
            while memory.too_old().is_some() {
                memory.give_up();
            }
        }
    }

    fn all(memory: &Memory) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut place = memory.first();
        while place < memory.end() {
            let piece = memory.from(place);
            bytes.extend_from_slice(piece);
            place += piece.len() as u64;
        }
        bytes
    }

    fn times(mut blocks: &[u8]) -> Vec<i64> {
        let mut times = Vec::new();
        while let Some(block) = record::packet_block(blocks) {
            times.push(block.time.0);
            blocks = &blocks[block.len..];
        }
        times
    }

    #[test]
    fn as_many_whole_blocks_are_kept_as_the_bytes_allow() {
        let mut memory = Memory::new(Keep { bytes: 3_000_000, time: None });
        for time in 0..10_000 {
            keep(&mut memory, &block(time, 1000));
        }
        let number = 3_000_000 / i64::try_from(block(0, 1000).len()).unwrap();
        let expected: Vec<i64> = (10_000 - number..10_000).collect();
        assert_eq!(times(&all(&memory)), expected);
        assert!(memory.chunks.iter().map(|chunk| chunk.bytes.capacity()).sum::<usize>() < 6 << 20);
    }

    #[test]
    fn packets_of_so_much_time_are_kept() {
        let keep_time = Keep { bytes: u64::MAX, time: Some(Duration::from_nanos(700)) };
        let mut memory = Memory::new(keep_time);
        let blocks: Vec<u8> = (0..5_000).flat_map(|time| block(time, 1000)).collect();
        keep(&mut memory, &blocks);
        assert_eq!(times(&all(&memory)), (4_299..5_000).collect::<Vec<i64>>());
        assert!(memory.chunks.len() <= 3, "{}", memory.chunks.len());
    }

    #[test]
    fn a_block_that_is_larger_than_the_memory_is_not_kept() {
        let mut memory = Memory::new(Keep { bytes: 1000, time: None });
        keep(&mut memory, &block(1, 100_000));
        assert!(all(&memory).is_empty());
        keep(&mut memory, &block(2, 10));
        assert_eq!(times(&all(&memory)), [2]);
        assert!(all(&Memory::new(Keep { bytes: 1000, time: None })).is_empty());
    }

    #[test]
    fn what_is_no_block_is_left_out() {
        let mut memory = Memory::new(Keep { bytes: 1000, time: None });
        assert_eq!(memory.append(&[0; 64]), 0);
        assert_eq!(memory.append(&[0xff; 64]), 0);
    }
}

//! LZ4 frames (<https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md>, version 1.6.4).

use std::{
    hash::Hasher as _,
    io::{self, BufRead as _, Read},
};

use lz4_flex::block::decompress_into_with_dict;
use twox_hash::XxHash32;

use crate::input::window::Window;

/// The first bytes of a frame.
pub const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// As far back as a block can refer to an earlier one, in bytes.
const HISTORY: usize = 1 << 16;

/// Magic, flags, block size and header checksum, without the optional fields.
const SHORTEST_HEADER: usize = 7;

const VERSION: u8 = 1;
/// Bits of the flags.
const INDEPENDENT: u8 = 1 << 5;
const BLOCK_CHECKSUMS: u8 = 1 << 4;
const CONTENT_SIZE: u8 = 1 << 3;
const CONTENT_CHECKSUM: u8 = 1 << 2;
const DICTIONARY: u8 = 1;

/// In a block's length: the block is not compressed.
const STORED: u32 = 1 << 31;

/// Decompresses any number of frames. A read that fails can be repeated.
pub struct Lz4<R> {
    input: Window<R>,
    frame: Option<Frame>,
    /// Bytes of a skippable frame that are left to skip.
    to_skip: u64,
    /// The end of what came before, and then the block that is being read.
    output: Vec<u8>,
    start: usize,
    end: usize,
}

/// The frame that is being read.
struct Frame {
    has_block_checksums: bool,
    is_linked: bool,
    /// Most bytes of a block.
    block: usize,
    /// Bytes that the frame is said to have, decompressed.
    size: Option<u64>,
    /// Bytes so far.
    so_far: u64,
    checksum: Option<XxHash32>,
}

/// What was decompressed of a frame's header, block or end.
enum Step {
    More,
    End,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn word(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|word| u32::from_le_bytes(*word))
}

impl<R: Read> Lz4<R> {
    /// Nothing is read yet.
    pub fn new(input: Window<R>) -> Self {
        Self { input, frame: None, to_skip: 0, output: Vec::new(), start: 0, end: 0 }
    }

    /// What is decompressed.
    pub fn input(&mut self) -> &mut Window<R> {
        &mut self.input
    }

    /// The next bytes of the input, which stay there.
    fn ahead(&mut self, wanted: usize) -> io::Result<&[u8]> {
        let bytes = self.input.peek(wanted)?;
        if bytes.len() < wanted { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }

    fn step(&mut self) -> io::Result<Step> {
        while self.to_skip > 0 {
            self.ahead(1)?;
            let count = self.input.buffered().len().min(usize::try_from(self.to_skip).unwrap_or(usize::MAX));
            self.input.consume(count);
            self.to_skip -= count as u64;
        }
        match self.frame.take() {
            None => self.begin(),
            Some(mut frame) => {
                let step = self.block(&mut frame);
                if !matches!(step, Ok(Step::End)) {
                    self.frame = Some(frame);
                }
                step.map(|_| Step::More)
            }
        }
    }

    /// Reads the header of a frame.
    fn begin(&mut self) -> io::Result<Step> {
        if self.input.peek(1)?.is_empty() {
            return Ok(Step::End);
        }
        let magic = self.ahead(4)?.first_chunk().copied().unwrap_or_default();
        if let [0x50..=0x5f, 0x2a, 0x4d, 0x18] = magic {
            let length = self.ahead(8)?.get(4..).and_then(word).unwrap_or(0);
            self.to_skip = 8 + u64::from(length);
            return Ok(Step::More);
        }
        if magic != MAGIC {
            return Err(damaged("no LZ4 frame follows another"));
        }
        let &[.., flags, block_size, _] = self.ahead(SHORTEST_HEADER)? else { return Ok(Step::End) };
        let has = |flag| flags & flag != 0;
        if flags >> 6 != VERSION {
            return Err(damaged("a version of LZ4 frames that is not known"));
        }
        if has(DICTIONARY) {
            return Err(damaged("it takes a dictionary"));
        }
        let block = match block_size >> 4 & 7 {
            number @ 4..=7 => 1_usize << (8 + 2 * number),
            _ => return Err(damaged("an impossible block size")),
        };
        let header = SHORTEST_HEADER + if has(CONTENT_SIZE) { 8 } else { 0 };
        let size = match self.ahead(header)? {
            [_, _, _, _, described @ .., checksum] => {
                if (XxHash32::oneshot(0, described) >> 8) as u8 != *checksum {
                    return Err(damaged("a header with a wrong checksum"));
                }
                described.get(2..).and_then(|size| size.first_chunk()).map(|size| u64::from_le_bytes(*size))
            }
            _ => None,
        };
        self.input.consume(header);
        if self.output.len() < HISTORY + block {
            self.output.resize(HISTORY + block, 0);
        }
        (self.start, self.end) = (0, 0);
        self.frame = Some(Frame {
            has_block_checksums: has(BLOCK_CHECKSUMS),
            is_linked: !has(INDEPENDENT),
            block,
            size,
            so_far: 0,
            checksum: has(CONTENT_CHECKSUM).then(|| XxHash32::with_seed(0)),
        });
        Ok(Step::More)
    }

    /// Reads a block, or the end of the frame.
    fn block(&mut self, frame: &mut Frame) -> io::Result<Step> {
        let length = word(self.ahead(4)?).unwrap_or(0);
        if length == 0 {
            return self.finish(frame);
        }
        let is_stored = length & STORED != 0;
        let length = (length & !STORED) as usize;
        if length > frame.block {
            return Err(damaged("a block that is too long"));
        }
        let total = 4 + length + if frame.has_block_checksums { 4 } else { 0 };
        self.ahead(total)?;
        // What a block can refer to comes first.
        let kept = if frame.is_linked { self.end.min(HISTORY) } else { 0 };
        self.output.copy_within(self.end - kept..self.end, 0);
        (self.start, self.end) = (kept, kept);
        let (history, room) = self.output.split_at_mut(kept);
        let room = room.get_mut(..frame.block).unwrap_or_default();
        let bytes = self.input.ahead(total).get(4..).unwrap_or_default();
        let (block, checksum) = bytes.split_at_checked(length).unwrap_or_default();
        if word(checksum).is_some_and(|checksum| checksum != XxHash32::oneshot(0, block)) {
            return Err(damaged("a block with a wrong checksum"));
        }
        let count = if is_stored {
            room.get_mut(..length).unwrap_or_default().copy_from_slice(block);
            length
        } else {
            decompress_into_with_dict(block, room, history).map_err(|error| damaged(&error.to_string()))?
        };
        if let Some(checksum) = &mut frame.checksum {
            checksum.write(room.get(..count).unwrap_or_default());
        }
        frame.so_far += count as u64;
        self.input.consume(total);
        self.end += count;
        Ok(Step::More)
    }

    fn finish(&mut self, frame: &Frame) -> io::Result<Step> {
        let total = 4 + if frame.checksum.is_some() { 4 } else { 0 };
        let checksum = self.ahead(total)?.get(4..).and_then(word);
        if checksum != frame.checksum.as_ref().map(XxHash32::finish_32) {
            return Err(damaged("a frame with a wrong checksum"));
        }
        if frame.size.is_some_and(|size| size != frame.so_far) {
            return Err(damaged("a frame of another size than its header says"));
        }
        self.input.consume(total);
        Ok(Step::End)
    }
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        while self.start == self.end {
            if let Step::End = self.step()? {
                return Ok(0);
            }
        }
        let count = self.output.get(self.start..self.end).unwrap_or_default().read(room)?;
        self.start += count;
        Ok(count)
    }
}

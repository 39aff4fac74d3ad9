//! A buffer of bytes that were read and not yet used.

use std::io::{self, BufRead, Read};

/// Bytes that are requested from the reader at once.
const CHUNK: usize = 1 << 16;

/// A buffer in front of a reader.
///
/// It grows with the bytes that arrive, not with the length that a header claims. It never waits for more bytes than were
/// asked for, so a packet in a pipe is seen as soon as it is complete.
#[derive(Debug)]
pub struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset of `start` in the stream, in bytes.
    offset: u64,
}

impl<R: Read> Window<R> {
    /// Creates an empty window. Nothing is read yet.
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, end: 0, offset: 0 }
    }

    /// The reader behind the window.
    pub fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The reader; what is buffered is lost.
    pub fn into_reader(self) -> R {
        self.reader
    }

    /// Reads until `wanted` bytes are buffered or the stream ends, and returns up to `wanted` bytes.
    ///
    /// # Errors
    /// Errors of the reader; an interrupted read is repeated.
    pub fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end - self.start < wanted {
            self.make_room();
            let Some(room) = self.buffer.get_mut(self.end..) else { break };
            match self.reader.read(room) {
                Ok(0) => break,
                Ok(count) => self.end += count.min(room.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.ahead(wanted))
    }

    /// Up to `wanted` bytes of what is already buffered.
    pub fn ahead(&self, wanted: usize) -> &[u8] {
        let end = self.start.saturating_add(wanted).min(self.end);
        self.buffer.get(self.start..end).unwrap_or_default()
    }

    /// All that is already buffered.
    pub fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Moves past `count` bytes and returns them.
    pub fn advance(&mut self, count: usize) -> &[u8] {
        let count = count.min(self.end - self.start);
        let taken = self.start;
        self.start += count;
        self.offset += count as u64;
        self.buffer.get(taken..self.start).unwrap_or_default()
    }

    /// Offset of the next byte in the stream.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Makes room after `end`: moves the buffered bytes to the front, and doubles the buffer if they fill it.
    fn make_room(&mut self) {
        if self.end < self.buffer.len() {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end > self.buffer.len() / 2 || self.buffer.is_empty() {
            self.buffer.resize((2 * self.buffer.len()).max(CHUNK), 0);
        }
    }
}

impl<R: Read> Read for Window<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(room)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Window<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)?;
        Ok(self.buffered())
    }

    fn consume(&mut self, count: usize) {
        self.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_the_bytes_and_not_the_claim() {
        let mut window = Window::new(&b"short"[..]);
        assert_eq!(window.peek(usize::MAX).unwrap(), b"short");
        assert_eq!(window.buffer.len(), CHUNK);
    }

    #[test]
    fn memory_does_not_grow_with_the_stream() {
        let mut window = Window::new(io::repeat(7));
        for _ in 0..10_000 {
            assert_eq!(window.peek(1001).unwrap(), [7; 1001]);
            assert_eq!(window.advance(1001).len(), 1001);
        }
        assert_eq!(window.offset(), 10_010_000);
        assert_eq!(window.buffer.len(), CHUNK);
    }
}

//! A buffer of bytes that were read and not yet used.

use std::{
    collections::VecDeque,
    io::{self, BufRead, Read},
    time::{Duration, Instant},
};

/// Bytes that are requested from the reader at once.
const CHUNK: usize = 1 << 16;

/// How often in a row a stream is read ahead, before it is another's turn.
const READS: usize = 4;

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
    /// What was read before it was asked for; `None` if nothing is.
    ahead: Option<Ahead>,
}

/// A stream that is read as it comes, and not when somebody asks.
#[derive(Debug, Default)]
struct Ahead {
    /// When the bytes before each of these offsets came.
    arrivals: VecDeque<(u64, Instant)>,
    has_ended: bool,
    /// Why no more can be read; to be said behind what was.
    failed: Option<io::Error>,
}

impl<R: Read> Window<R> {
    /// Creates an empty window. Nothing is read yet.
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, end: 0, offset: 0, ahead: None }
    }

    /// The reader behind the window.
    pub fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The reader; what is buffered is lost.
    pub fn into_reader(self) -> R {
        self.reader
    }

    /// From now on, only [`read_ahead`](Self::read_ahead) reads. Who asks for what is not there gets
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), and may ask again.
    pub fn wait_for_nothing(&mut self) {
        self.ahead = Some(Ahead::default());
    }

    /// Reads what there is, until at least `limit` bytes are buffered, but not much at once. `now` is when it came, exact to
    /// `step`. Returns whether something came, or the end.
    pub fn read_ahead(&mut self, limit: usize, now: Instant, step: Duration) -> bool {
        let mut has_changed = false;
        for _ in 0..READS {
            if self.end - self.start >= limit {
                break;
            }
            self.make_room();
            let Some(ahead) = self.ahead.as_mut().filter(|ahead| !ahead.has_ended) else { break };
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            let chunk = room.len().min(CHUNK);
            match self.reader.read(room.get_mut(..chunk).unwrap_or_default()) {
                Ok(0) => ahead.has_ended = true,
                Ok(count) => {
                    self.end += count.min(chunk);
                    let end = self.offset + (self.end - self.start) as u64;
                    match ahead.arrivals.back_mut().filter(|(_, time)| now.duration_since(*time) < step) {
                        Some((last, _)) => *last = end,
                        None => ahead.arrivals.push_back((end, now)),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    ahead.failed = Some(error);
                    ahead.has_ended = true;
                }
            }
            has_changed = true;
        }
        has_changed
    }

    /// Whether everything was read ahead.
    pub fn has_ended(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.has_ended)
    }

    /// What was read ahead is all there is.
    pub fn stop_reading(&mut self) {
        if let Some(ahead) = &mut self.ahead {
            ahead.has_ended = true;
        }
    }

    /// When the last byte before the window came, if it was read ahead.
    pub fn arrived(&mut self) -> Option<Instant> {
        let arrivals = &mut self.ahead.as_mut()?.arrivals;
        while arrivals.front().is_some_and(|(end, _)| *end < self.offset) {
            arrivals.pop_front();
        }
        arrivals.front().map(|(_, time)| *time)
    }

    /// Reads until `wanted` bytes are buffered or the stream ends, and returns up to `wanted` bytes.
    ///
    /// # Errors
    /// Errors of the reader; an interrupted read is repeated.
    pub fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end - self.start < wanted {
            if let Some(ahead) = &mut self.ahead {
                match ahead.failed.take() {
                    Some(error) => return Err(error),
                    None if ahead.has_ended => break,
                    None => return Err(io::ErrorKind::WouldBlock.into()),
                }
            }
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

    /// Has this many bytes at once, then nothing for a moment.
    struct Drops(usize);

    impl Read for Drops {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let count = self.0.min(room.len());
            self.0 = 0;
            if count == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
        }
    }

    #[test]
    fn what_is_read_ahead_tells_when_it_came() {
        let mut window = Window::new(Drops(100));
        window.wait_for_nothing();
        let would_block = |result: io::Result<&[u8]>| result.unwrap_err().kind() == io::ErrorKind::WouldBlock;
        assert!(would_block(window.peek(1)));
        let (step, begin) = (Duration::from_millis(10), Instant::now());
        assert!(window.read_ahead(1000, begin, step));
        assert!(!window.read_ahead(1000, begin, step));
        window.reader().0 = 50;
        assert!(window.read_ahead(1000, begin + step, step));
        assert_eq!(window.peek(150).unwrap().len(), 150);
        assert!(would_block(window.peek(151)));
        window.advance(100);
        assert_eq!(window.arrived(), Some(begin));
        window.advance(1);
        assert_eq!(window.arrived(), Some(begin + step));
        // As much as is wanted, and no more.
        window.reader().0 = 2000;
        assert!(window.read_ahead(1000, begin + 2 * step, step));
        window.reader().0 = 1;
        assert!(!window.read_ahead(1000, begin + 2 * step, step));
        window.stop_reading();
        assert_eq!(window.peek(1 << 20).unwrap().len(), 49 + 2000);
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

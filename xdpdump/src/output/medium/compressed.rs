//! Compresses with zstd (RFC 8878) what goes to another medium.
//!
//! A file is one frame, because Wireshark takes a second one for damage (up to version 4.2). Each write, which is of whole
//! records, ends with a block of that frame. So a file that ends early can be read up to its last whole block.

use std::{
    io,
    os::fd::BorrowedFd,
    path::Path,
    time::{Duration, Instant},
};

use zstd::stream::raw::{Encoder, InBuffer, Operation as _, OutBuffer};

use super::{Fault, Medium};

/// Bytes that are compressed at once, unless a single record has more. They are kept in memory together with what they are
/// compressed to, and lost if the process is killed while they are.
const PIECE: usize = 1 << 20;

/// How long records may be collected for a file. Small pieces compress badly.
const COLLECT_FOR: Duration = Duration::from_secs(1);

/// Bytes whose compression tells how others will be compressed.
const SAMPLE: u64 = 32 << 10;
/// What is made of bytes, at most, before that is known.
const AT_MOST: (u64, u64) = (1, 1);

/// The end of a frame: an empty block that is the last one (RFC 8878, section 3.1.1.2). No checksum follows.
pub const END: [u8; 3] = [1, 0, 0];

/// The level of zstd for captures. It compresses 60-byte frames by half, at four million a second, and larger ones at more than
/// 1 GB/s; level 1 takes two to eight times as long to save 1 % to 10 % more.
pub const LEVEL_FOR_CAPTURES: i32 = -3;
/// The level for files that are read, which wait.
pub const LEVEL_FOR_FILES: i32 = 3;

/// A medium that gets compressed bytes.
pub struct Compressed {
    medium: Box<dyn Medium>,
    encoder: Encoder<'static>,
    /// What the last piece was compressed to.
    piece: Vec<u8>,
    /// Bytes of it that the medium took.
    sent: usize,
    /// Bytes that it was made of, if the medium did not take all of it.
    unsent: usize,
    /// Bytes that were compressed, and what became of them.
    taken: u64,
    made: u64,
    /// Whether bytes are collected for large pieces.
    collects: bool,
    /// The frame has begun, and lacks its end.
    is_open: bool,
}

impl Compressed {
    /// Compresses what goes to a medium, with a level of zstd. If nobody waits for it, pieces are large (`collects`).
    ///
    /// # Errors
    /// When there is no memory for a compressor.
    pub fn new(medium: Box<dyn Medium>, level: i32, collects: bool) -> io::Result<Self> {
        Ok(Self {
            medium,
            encoder: Encoder::new(level)?,
            piece: Vec::new(),
            sent: 0,
            unsent: 0,
            taken: 0,
            made: 0,
            collects,
            is_open: false,
        })
    }

    /// Makes a piece of bytes.
    fn compress(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.piece.clear();
        // What does not compress gets a little larger, and there are headers.
        self.piece.reserve(zstd::zstd_safe::compress_bound(bytes.len()) + zstd::zstd_safe::CCtx::out_size());
        let mut input = InBuffer::around(bytes);
        let mut output = OutBuffer::around(&mut self.piece);
        while input.pos() < bytes.len() {
            self.encoder.run(&mut input, &mut output)?;
        }
        while self.encoder.flush(&mut output)? > 0 {
            if output.pos() == output.capacity() {
                return Err(io::Error::other("zstd wants more room than it says"));
            }
        }
        (self.sent, self.unsent) = (0, bytes.len());
        Ok(())
    }

    /// Hands the piece to the medium.
    fn send(&mut self) -> Result<(), Fault> {
        while let Some(rest) = self.piece.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match self.medium.write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(count) => self.sent += count,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        self.is_open = true;
        self.medium.set_partial(0);
        Ok(())
    }

    /// Ends the frame. A guardian is not told, because it writes an end of its own.
    fn end(&mut self) -> Result<(), Fault> {
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        self.made += END.len() as u64;
        let mut rest = &END[..];
        while !rest.is_empty() {
            match self.medium.write(rest)? {
                0 => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                count => rest = rest.get(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }
}

/// A capture that ends because of an error elsewhere leaves a whole frame, too.
impl Drop for Compressed {
    fn drop(&mut self) {
        // A failure cannot be reported from here.
        let _ = self.end();
    }
}

impl Medium for Compressed {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        // A piece that was interrupted is of the first of these bytes, which come again.
        if self.unsent == 0 {
            self.compress(bytes)?;
        }
        match self.send() {
            Ok(()) => {
                let taken = std::mem::take(&mut self.unsent);
                self.taken += taken as u64;
                self.made += self.piece.len() as u64;
                Ok(taken)
            }
            Err(Fault::Interrupted) => Err(Fault::Interrupted),
            Err(fault) => {
                let partial = std::mem::take(&mut self.sent) as u64;
                self.unsent = 0;
                // If this fails, reading the file ends with a warning, after all that is in whole blocks.
                let _ = if partial > 0 { self.medium.take_back(partial) } else { Ok(()) };
                let _ = self.end();
                Err(fault)
            }
        }
    }

    fn most(&self) -> usize {
        PIECE
    }

    fn patience(&self) -> Duration {
        if self.collects { COLLECT_FOR } else { self.medium.patience() }
    }

    fn stored(&self, bytes: u64) -> u64 {
        let ahead = bytes.saturating_sub(self.taken);
        // Headers compress badly.
        let (made, taken) = if self.taken < SAMPLE { AT_MOST } else { (self.made, self.taken) };
        let estimated = u128::from(ahead) * u128::from(made) / u128::from(taken);
        self.made.saturating_add(u64::try_from(estimated).unwrap_or(u64::MAX))
    }

    fn rename(&mut self, path: &Path) -> io::Result<()> {
        self.medium.rename(path)
    }

    fn remove(&mut self) -> io::Result<()> {
        self.medium.remove()
    }

    fn finish(&mut self) -> Result<(), Fault> {
        self.end()?;
        self.medium.finish()
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.medium.watch(each);
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        self.medium.look_after(say)
    }

    fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> io::Result<()> {
        self.medium.interrupted_by(interrupt)
    }

    fn end_by(&mut self, deadline: Instant) {
        self.medium.end_by(deadline);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    /// A medium that takes so many bytes, then fails.
    struct Limited {
        bytes: Rc<RefCell<Vec<u8>>>,
        room: usize,
        fault: fn() -> Fault,
    }

    impl Medium for Limited {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
            let count = bytes.len().min(self.room).min(1000);
            if count == 0 {
                return Err((self.fault)());
            }
            self.room -= count;
            self.bytes.borrow_mut().extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn take_back(&mut self, count: u64) -> io::Result<()> {
            let mut bytes = self.bytes.borrow_mut();
            let whole = bytes.len() - count as usize;
            bytes.truncate(whole);
            self.room += count as usize;
            Ok(())
        }

        // Stands for a reader that goes on.
        fn end_by(&mut self, _: Instant) {
            self.room = usize::MAX;
        }
    }

    fn compressed(room: usize, fault: fn() -> Fault) -> (Compressed, Rc<RefCell<Vec<u8>>>) {
        let bytes = Rc::new(RefCell::new(Vec::new()));
        let medium = Box::new(Limited { bytes: Rc::clone(&bytes), room, fault });
        (Compressed::new(medium, 1, true).unwrap(), bytes)
    }

    fn is_full() -> Fault {
        Fault::Io(io::ErrorKind::StorageFull.into())
    }

    fn decompressed(bytes: &[u8]) -> Vec<u8> {
        zstd::stream::decode_all(bytes).unwrap()
    }

    #[test]
    fn each_write_ends_a_block() {
        let (mut medium, bytes) = compressed(usize::MAX, is_full);
        assert_eq!(medium.write(b"first").unwrap(), 5);
        let end = bytes.borrow().len();
        assert_eq!(medium.write(b"second").unwrap(), 6);
        medium.finish().unwrap();
        assert_eq!(decompressed(&bytes.borrow()), b"firstsecond");
        assert_eq!(decompressed(&[&bytes.borrow()[..end], &END[..]].concat()), b"first");
    }

    #[test]
    fn what_does_not_compress_has_room() {
        let mut random = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        })
        .take(3 << 20)
        .collect();
        let bytes = Rc::new(RefCell::new(Vec::new()));
        let medium = Box::new(Limited { bytes: Rc::clone(&bytes), room: usize::MAX, fault: is_full });
        let mut medium = Compressed::new(medium, LEVEL_FOR_CAPTURES, true).unwrap();
        assert_eq!(medium.write(&noise).unwrap(), noise.len());
        drop(medium);
        assert!(decompressed(&bytes.borrow()) == noise);
    }

    #[test]
    fn a_piece_for_which_there_is_no_room_is_taken_back() {
        let (mut medium, bytes) = compressed(20, is_full);
        assert_eq!(medium.write(b"first").unwrap(), 5);
        assert!(matches!(medium.write(b"second"), Err(Fault::Io(_))));
        assert_eq!(decompressed(&bytes.borrow()), b"first");
    }

    #[test]
    fn a_piece_that_is_interrupted_goes_on_where_it_was() {
        let (mut medium, bytes) = compressed(10, || Fault::Interrupted);
        assert!(matches!(medium.write(b"first"), Err(Fault::Interrupted)));
        medium.end_by(Instant::now());
        // More was collected since.
        assert_eq!(medium.write(b"firstsecond").unwrap(), 5);
        assert_eq!(medium.write(b"second").unwrap(), 6);
        medium.finish().unwrap();
        assert_eq!(decompressed(&bytes.borrow()), b"firstsecond");
    }

    #[test]
    fn stored_bytes_are_known_or_estimated() {
        let (mut medium, bytes) = compressed(usize::MAX, is_full);
        assert_eq!(medium.stored(99), 99);
        medium.write(&vec![7; 100_000]).unwrap();
        let made = bytes.borrow().len() as u64;
        assert_eq!(medium.stored(100_000), made);
        assert_eq!(medium.stored(200_000), 2 * made);
    }
}

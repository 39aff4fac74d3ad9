//! The bytes of a capture file, decompressed if necessary. The first bytes tell whether they are compressed, not the name.

mod lz4;

use std::{
    fmt,
    io::{self, Read},
    mem,
};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use self::lz4::Lz4;
use super::window::Window;

/// A compression that is undone while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952: any number of members.
    Gzip,
    /// Any number of LZ4 frames.
    Lz4,
    /// RFC 8878: any number of frames.
    Zstd,
}

impl Compression {
    /// The compression of data that begin with these bytes.
    fn detect(magic: [u8; 4]) -> Option<Self> {
        match magic {
            [0x1f, 0x8b, 8, _] => Some(Self::Gzip),
            lz4::MAGIC => Some(Self::Lz4),
            // Parallel compressors put a frame in front that a decompressor skips (RFC 8878, section 3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        })
    }
}

/// Why compressed data cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// They end before what marks their end.
    #[error("truncated {0} data: the end is missing (all before it was read)")]
    Truncated(Compression),
    /// They contradict themselves, or need more memory than is given to them.
    #[error("damaged {0} data ({1}); what was decompressed before that was read")]
    Damaged(Compression, String),
}

/// A reader of what was compressed, or of what another reader has.
pub struct Medium<R> {
    state: State<R>,
}

enum State<R> {
    /// The first bytes are not known yet.
    Unknown(Raw<R>),
    /// Not compressed, and these bytes come first.
    Begun(Raw<R>),
    Plain(R),
    Gzip(Box<MultiGzDecoder<Raw<R>>>),
    Lz4(Box<Lz4<Noted<R>>>),
    Zstd(Box<ZstdDecoder<'static, Raw<R>>>),
    /// There was no memory for a decompressor.
    Gone,
}

/// What a decompressor reads.
type Raw<R> = Window<Noted<R>>;

/// Notes whether it was the reader that failed, and not the decompressor in front of it.
struct Noted<R> {
    reader: R,
    has_failed: bool,
}

impl<R: Read> Read for Noted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let result = self.reader.read(room);
        self.has_failed = result.is_err();
        result
    }
}

impl<R: Read> Medium<R> {
    /// Nothing is read yet.
    pub fn new(reader: R) -> Self {
        Self { state: State::Unknown(Window::new(Noted { reader, has_failed: false })) }
    }

    /// How the data are compressed, once some of them were read.
    pub fn compression(&self) -> Option<Compression> {
        match self.state {
            State::Unknown(_) | State::Begun(_) | State::Plain(_) | State::Gone => None,
            State::Gzip(_) => Some(Compression::Gzip),
            State::Lz4(_) => Some(Compression::Lz4),
            State::Zstd(_) => Some(Compression::Zstd),
        }
    }

    /// The reader of what may be compressed.
    pub fn reader(&mut self) -> Option<&mut R> {
        match &mut self.state {
            State::Plain(reader) => Some(reader),
            state => state.noted().map(|noted| &mut noted.reader),
        }
    }

    /// Finds out whether the data are compressed.
    fn begin(&mut self) -> io::Result<()> {
        let State::Unknown(raw) = &mut self.state else { return Ok(()) };
        let compression = raw.peek(4)?.first_chunk().copied().and_then(Compression::detect);
        let State::Unknown(raw) = mem::replace(&mut self.state, State::Gone) else { return Ok(()) };
        self.state = match compression {
            None => State::Begun(raw),
            Some(Compression::Gzip) => State::Gzip(Box::new(MultiGzDecoder::new(raw))),
            Some(Compression::Lz4) => State::Lz4(Box::new(Lz4::new(raw))),
            Some(Compression::Zstd) => State::Zstd(Box::new(ZstdDecoder::with_buffer(raw)?)),
        };
        Ok(())
    }

    /// Hands on the bytes that were read to find that out.
    fn read_begun(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let State::Begun(raw) = &mut self.state else { return Ok(0) };
        let count = raw.buffered().read(room)?;
        raw.advance(count);
        if raw.buffered().is_empty()
            && let State::Begun(raw) = mem::replace(&mut self.state, State::Gone)
        {
            self.state = State::Plain(raw.into_reader().reader);
        }
        Ok(count)
    }
}

impl<R: Read> State<R> {
    fn noted(&mut self) -> Option<&mut Noted<R>> {
        match self {
            Self::Unknown(raw) | Self::Begun(raw) => Some(raw.reader()),
            Self::Gzip(decoder) => Some(decoder.get_mut().reader()),
            Self::Lz4(decoder) => Some(decoder.input().reader()),
            Self::Zstd(decoder) => Some(decoder.get_mut().reader()),
            Self::Plain(_) | Self::Gone => None,
        }
    }

    /// The error of a decompressor as a [`Fault`], and that of the reader as it is.
    fn fault(&mut self, compression: Compression, error: io::Error) -> io::Error {
        if self.noted().is_some_and(|noted| noted.has_failed) {
            return error;
        }
        io::Error::other(match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::Truncated(compression),
            _ => Fault::Damaged(compression, error.to_string()),
        })
    }
}

impl<R: Read> Read for Medium<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.begin()?;
        if let Some(noted) = self.state.noted() {
            noted.has_failed = false;
        }
        let (compression, result) = match &mut self.state {
            State::Plain(reader) => return reader.read(room),
            State::Unknown(_) | State::Begun(_) => return self.read_begun(room),
            State::Gone => return Ok(0),
            State::Gzip(decoder) => (Compression::Gzip, decoder.read(room)),
            State::Lz4(decoder) => (Compression::Lz4, decoder.read(room)),
            State::Zstd(decoder) => (Compression::Zstd, decoder.read(room)),
        };
        result.map_err(|error| self.state.fault(compression, error))
    }
}

impl<R> fmt::Debug for Medium<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Medium").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression as Level, write::GzEncoder};
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

    use super::*;

    /// Data that compress, but not to nothing: half of them are what came 5000 bytes before.
    fn data() -> Vec<u8> {
        let (mut state, mut data) = (1_u32, Vec::<u8>::new());
        for place in 0..400_000_usize {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let repeated =
                place.checked_sub(5000).filter(|_| place / 64 % 2 == 1).map(|earlier| data[earlier]);
            data.push(repeated.unwrap_or((state >> 24) as u8));
        }
        data
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        ::zstd::encode_all(data, 1).unwrap()
    }

    fn lz4(data: &[u8], mode: BlockMode) -> Vec<u8> {
        let info = FrameInfo::new()
            .block_mode(mode)
            .block_size(BlockSize::Max64KB)
            .block_checksums(true)
            .content_checksum(true)
            .content_size(Some(data.len() as u64));
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    type Encode = fn(&[u8]) -> Vec<u8>;

    const ALL: [(Compression, Encode); 4] = [
        (Compression::Gzip, gzip),
        (Compression::Zstd, zstd),
        (Compression::Lz4, |data| lz4(data, BlockMode::Independent)),
        (Compression::Lz4, |data| lz4(data, BlockMode::Linked)),
    ];

    /// Reads in pieces of any size, with a pause before each.
    struct Slow<'a> {
        rest: &'a [u8],
        piece: usize,
        pauses: bool,
    }

    impl Read for Slow<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.pauses = !self.pauses;
            if self.pauses {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let wanted = self.piece.min(room.len());
            self.rest.read(&mut room[..wanted])
        }
    }

    /// What comes out, and how it ends.
    fn read(reader: impl Read) -> (Vec<u8>, Option<Fault>, Option<Compression>) {
        let (mut medium, mut out, mut room) = (Medium::new(reader), Vec::new(), vec![0; 1 << 16]);
        loop {
            match medium.read(&mut room) {
                Ok(0) => return (out, None, medium.compression()),
                Ok(count) => out.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    let compression = medium.compression();
                    return (out, Some(error.downcast().unwrap()), compression);
                }
            }
        }
    }

    #[test]
    fn each_compression_in_one_piece_and_in_several() {
        let data = data();
        let (first, second) = data.split_at(100_000);
        for (compression, encode) in ALL {
            let whole = encode(&data);
            assert!(whole.len() < data.len() * 3 / 4);
            assert_eq!(read(&whole[..]), (data.clone(), None, Some(compression)));
            let members = [encode(first), encode(b""), encode(second)].concat();
            assert_eq!(read(&members[..]), (data.clone(), None, Some(compression)));
            for piece in [1, 1000] {
                let slow = Slow { rest: &members, piece, pauses: false };
                assert_eq!(read(slow), (data.clone(), None, Some(compression)), "{compression}, {piece}");
            }
        }
        for plain in [&data[..], b"abc", b""] {
            assert_eq!(read(plain), (plain.to_vec(), None, None));
            assert_eq!(read(Slow { rest: plain, piece: 7, pauses: false }), (plain.to_vec(), None, None));
        }
    }

    #[test]
    fn skippable_frames() {
        let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"any"].concat();
        let front = [skippable.clone(), zstd(b"data")].concat();
        assert_eq!(read(&front[..]), (b"data".to_vec(), None, Some(Compression::Zstd)));
        let between = [lz4(b"data", BlockMode::Linked), skippable, lz4(b"more", BlockMode::Linked)].concat();
        assert_eq!(read(&between[..]), (b"datamore".to_vec(), None, Some(Compression::Lz4)));
    }

    #[test]
    fn a_missing_end_is_noticed_wherever_it_begins() {
        let data = data();
        for (compression, encode) in ALL {
            let whole = encode(&data);
            for length in (5..whole.len()).step_by(9973).chain([whole.len() - 1, whole.len() - 4]) {
                let (out, fault, _) = read(&whole[..length]);
                assert_eq!(fault, Some(Fault::Truncated(compression)), "{length} bytes");
                assert!(data.starts_with(&out));
                // A block of zstd has up to 128 KiB.
                assert!(out.len() + (128 << 10) >= length, "{compression}: {} of {length}", out.len());
            }
        }
    }

    #[test]
    fn any_changed_byte_is_noticed_or_harmless() {
        let data = &data()[..70_000];
        for (compression, encode) in ALL {
            let whole = encode(data);
            for place in (4..whole.len()).step_by(1009).chain(4..20) {
                let mut changed = whole.clone();
                changed[place] ^= 0x41;
                let (out, fault, _) = read(&changed[..]);
                // zstd::encode_all writes no checksum.
                if fault.is_none() && compression != Compression::Zstd {
                    assert_eq!(out, data, "{compression}, byte {place}");
                }
            }
        }
    }

    #[test]
    fn what_follows_a_frame() {
        let garbage = [lz4(b"data", BlockMode::Independent), b"garbage".to_vec()].concat();
        let (out, fault, _) = read(&garbage[..]);
        assert_eq!(out, b"data");
        let said = fault.unwrap().to_string();
        assert!(said.starts_with("damaged lz4 data (no LZ4 frame follows"), "{said}");
    }
}

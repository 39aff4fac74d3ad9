//! Reads packets from capture files. Every byte of a file is treated as hostile.

mod bytes;
mod error;
mod medium;
mod options;
mod pcap;
mod pcapng;
mod source;
mod time;
mod window;

use std::{io, io::Read, os::fd::BorrowedFd, path::Path};

pub use error::{Error, Fault};
pub use medium::{Compression, Fault as CompressionFault};
pub use source::Source;

use self::{medium::Medium, pcap::Pcap, pcapng::Pcapng, window::Window};
use crate::{
    output::{Format, Target},
    packet::{Interface, InterfaceStatistics, Packet},
};

/// Longest pcap record or pcapng block that is read, in bytes. No capture tool writes longer ones.
pub const MAX_RECORD: u32 = 16 << 20;

/// One item of a capture file, in the order in which a sink must get them.
#[derive(Debug)]
pub enum Item<'a> {
    /// The next interface; the first one has index 0.
    Interface(&'a Interface),
    /// A packet of an interface that was announced before.
    Packet(Packet<'a>),
    /// Totals of an interface that was announced before.
    Statistics(InterfaceStatistics),
}

/// A pcap or pcapng file, compressed or not, read packet by packet in constant memory.
#[derive(Debug)]
pub struct CaptureFile<R> {
    name: String,
    compression: Option<Compression>,
    window: Window<Medium<R>>,
    decoder: Decoder,
    /// The interface that was read last.
    interface: Option<Interface>,
    /// `interface` has not been returned yet.
    announce: bool,
    /// Nothing more can be read: the file ended, or an error was reported.
    finished: bool,
    /// It is a regular file that was opened by its name.
    repairable: bool,
}

#[derive(Debug)]
enum Decoder {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// Why reading stops; [`CaptureFile`] adds the name of the file.
#[derive(Debug)]
enum Stop {
    Read(io::Error),
    Truncated {
        what: &'static str,
        wanted: usize,
        got: usize,
    },
    /// The record that begins at this byte is damaged.
    Damaged(u64, Fault),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl Stop {
    fn of(self, name: &str, repairable: bool) -> Error {
        let name = name.to_owned();
        match self {
            Self::Read(error) => match error.downcast() {
                Ok(fault) => Error::Compressed { name, fault },
                Err(error) => Error::Read { name, error },
            },
            Self::Truncated { what, wanted, got } => Error::Truncated { name, what, wanted, got, repairable },
            Self::Damaged(offset, fault) => Error::Damaged { name, offset, fault },
        }
    }
}

impl CaptureFile<Source> {
    /// Opens the file at `path`, or the descriptor that it names, as [`Target::of_input`] takes it.
    ///
    /// # Errors
    /// When it cannot be opened or does not begin like a capture file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let target = Target::of_input(path);
        let name = match target {
            Target::Descriptor(0) => target.name(),
            // tcpdump, too, calls /dev/fd/63 a file.
            _ => path.display().to_string(),
        };
        match Source::open(target) {
            Ok(source) => {
                let is_file = matches!(target, Target::Path(_)) && source.is_file();
                let file = Self::new(source, name)?;
                Ok(Self { repairable: is_file && file.compression().is_none(), ..file })
            }
            Err(error) => Err(Error::Open { name, error }),
        }
    }

    /// From now on reading fails when `interrupt` can be read, instead of waiting for a stream.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    pub fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> io::Result<()> {
        if let Some(source) = self.window.reader().reader() {
            source.interrupted_by(interrupt.try_clone_to_owned()?);
        }
        Ok(())
    }
}

impl<R: Read> CaptureFile<R> {
    /// Reads a capture from `reader`, up to the description of its first interface. `name` is the file's name in messages.
    ///
    /// # Errors
    /// When it cannot be read or does not begin like a capture file.
    pub fn new(reader: R, name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let mut window = Window::new(Medium::new(reader));
        let decoder = match window.peek(4) {
            Err(error) => return Err(Stop::Read(error).of(&name, false)),
            Ok(bytes) => match bytes.first_chunk() {
                None => {
                    let (what, wanted, got) = ("file header", 4, bytes.len());
                    return Err(Error::TooShort { name, what, wanted, got });
                }
                Some(&magic) => match detect(magic) {
                    Ok(decoder) => decoder,
                    Err(hint) => return Err(Error::UnknownFormat { name, hint }),
                },
            },
        };
        let mut file = Self {
            name,
            compression: window.reader().compression(),
            window,
            decoder,
            interface: None,
            announce: true,
            finished: false,
            repairable: false,
        };
        let first = match &mut file.decoder {
            Decoder::Pcap(pcap) => pcap.header(&mut file.window).map(Some),
            Decoder::Pcapng(pcapng) => pcapng.first_interface(&mut file.window),
        };
        match first {
            Ok(interface) => {
                file.announce = interface.is_some();
                file.interface = interface;
                Ok(file)
            }
            // Of a pcapng file the section's header is whole: it is a file without packets, to its end.
            Err(Stop::Truncated { .. }) if file.offset() > 0 => {
                file.announce = false;
                Ok(file)
            }
            Err(Stop::Truncated { what, wanted, got }) => {
                Err(Error::TooShort { name: file.name, what, wanted, got })
            }
            Err(stop) => Err(stop.of(&file.name, false)),
        }
    }

    /// The file's name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Byte offset in the file where the next record begins; after an error, where the damaged record begins.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// How the file is compressed, if it is.
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        match self.decoder {
            Decoder::Pcap(_) => Format::Pcap,
            Decoder::Pcapng(_) => Format::Pcapng,
        }
    }

    /// The interface that was described last; before the first call of [`next`](Self::next), the first one of the file.
    /// `None` for a pcapng file that has no interfaces, and therefore no packets.
    pub fn interface(&self) -> Option<&Interface> {
        self.interface.as_ref()
    }

    /// Returns the next item as soon as all its bytes have been read; `None` at the end of the file and after an error.
    ///
    /// # Errors
    /// When the file cannot be read, ends within a record, or contains an impossible value.
    #[expect(
        clippy::should_implement_trait,
        reason = "an item borrows from the file, which Iterator does not allow"
    )]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, Error> {
        if self.announce {
            self.announce = false;
            return Ok(self.interface.as_ref().map(Item::Interface));
        }
        if self.finished {
            return Ok(None);
        }
        let item = match &mut self.decoder {
            Decoder::Pcap(pcap) => pcap.next(&mut self.window).map(|packet| packet.map(Item::Packet)),
            Decoder::Pcapng(pcapng) => pcapng.next(&mut self.window, &mut self.interface),
        };
        match item {
            Ok(Some(item)) => Ok(Some(item)),
            Ok(None) => {
                self.finished = true;
                Ok(None)
            }
            Err(stop) => {
                self.finished = true;
                Err(match stop {
                    Stop::Damaged(..) if self.compression.is_some() => {
                        stop.of(&format!("{} (decompressed)", self.name), false)
                    }
                    stop => stop.of(&self.name, self.repairable),
                })
            }
        }
    }
}

/// The decoder for a file with these first bytes; otherwise a hint for the user.
fn detect(magic: [u8; 4]) -> Result<Decoder, &'static str> {
    if let Some(pcap) = Pcap::detect(magic) {
        return Ok(Decoder::Pcap(pcap));
    }
    match magic {
        pcapng::MAGIC => Ok(Decoder::Pcapng(Pcapng::default())),
        [0xfd, b'7', b'z', b'X'] => Err("it is compressed with xz: `xz -dc FILE | xdpdump -r -`"),
        [b'B', b'Z', b'h', b'1'..=b'9'] => {
            Err("it is compressed with bzip2: `bzip2 -dc FILE | xdpdump -r -`")
        }
        [0x02, 0x21, 0x4c, 0x18] => {
            Err("it is compressed in an old format of lz4: `lz4 -dc FILE | xdpdump -r -`")
        }
        [0x1f, 0x9d, ..] => Err("it is compressed with compress: `gzip -dc FILE | xdpdump -r -`"),
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd] => Err("it is compressed twice"),
        _ => Err("neither pcap nor pcapng"),
    }
}

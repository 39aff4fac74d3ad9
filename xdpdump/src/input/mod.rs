//! Packets out of capture files. Every byte of a file is taken for hostile.

mod bytes;
mod error;
mod options;
mod pcap;
mod pcapng;
mod time;
mod window;

use std::{fs::File, io, io::Read, path::Path};

pub use error::{Error, Fault};

use self::{pcap::Pcap, pcapng::Pcapng, window::Window};
use crate::{
    output::{Format, Target},
    packet::{Interface, InterfaceStatistics, Packet},
    sys::inherited,
};

/// Longest pcap record and pcapng block that is read, in bytes. Nothing that captures writes longer ones.
pub const MAX_RECORD: u32 = 16 << 20;

/// One thing a capture file tells, in the order of a sink's calls.
#[derive(Debug)]
pub enum Item<'a> {
    /// The next interface; the first has index 0.
    Interface(&'a Interface),
    /// A packet of an interface announced before.
    Packet(Packet<'a>),
    /// Totals of an interface announced before.
    Statistics(InterfaceStatistics),
}

/// A pcap or pcapng file, read packet by packet in constant memory.
#[derive(Debug)]
pub struct CaptureFile<R> {
    name: String,
    window: Window<R>,
    decoder: Decoder,
    /// The interface read last.
    interface: Option<Interface>,
    /// `interface` has not been handed out yet.
    announce: bool,
    /// Nothing more can be read: the file ended, or an error was reported.
    finished: bool,
}

#[derive(Debug)]
enum Decoder {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// Why reading stops; [`CaptureFile`] adds what it happened to.
#[derive(Debug)]
enum Stop {
    Read(io::Error),
    Truncated {
        what: &'static str,
        wanted: usize,
        got: usize,
    },
    /// The record at fault begins at this byte.
    Damaged(u64, Fault),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl Stop {
    fn of(self, name: &str) -> Error {
        let name = name.to_owned();
        match self {
            Self::Read(error) => Error::Read { name, error },
            Self::Truncated { what, wanted, got } => Error::Truncated { name, what, wanted, got },
            Self::Damaged(offset, fault) => Error::Damaged { name, offset, fault },
        }
    }
}

impl CaptureFile<File> {
    /// Opens the file at `path`, or the descriptor that it names, as [`Target::of_input`] takes it.
    ///
    /// # Errors
    /// When it cannot be opened or does not begin like a capture.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let target = Target::of_input(path);
        let name = match target {
            Target::Descriptor(0) => target.name(),
            // tcpdump, too, calls /dev/fd/63 a file.
            _ => path.display().to_string(),
        };
        let file = match target {
            Target::Descriptor(number) => inherited::for_reading(number).map(File::from),
            Target::Path(path) => File::open(path),
        };
        match file {
            Ok(file) => Self::new(file, name),
            Err(error) => Err(Error::Open { name, error }),
        }
    }
}

impl<R: Read> CaptureFile<R> {
    /// Reads a capture from `reader`, up to the description of its first interface. `name` is for messages.
    ///
    /// # Errors
    /// When it cannot be read or does not begin like a capture.
    pub fn new(reader: R, name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let mut window = Window::new(reader);
        let decoder = match window.peek(4) {
            Err(error) => return Err(Error::Read { name, error }),
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
        let mut file = Self { name, window, decoder, interface: None, announce: true, finished: false };
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
            Err(Stop::Truncated { what, wanted, got }) => {
                Err(Error::TooShort { name: file.name, what, wanted, got })
            }
            Err(stop) => Err(stop.of(&file.name)),
        }
    }

    /// What the file is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file up to where the next record begins; after an error, the one at fault.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        match self.decoder {
            Decoder::Pcap(_) => Format::Pcap,
            Decoder::Pcapng(_) => Format::Pcapng,
        }
    }

    /// The interface described last; before the first call of [`next`](Self::next), the first one of the file.
    /// `None` in a pcapng file without interfaces, hence without packets.
    pub fn interface(&self) -> Option<&Interface> {
        self.interface.as_ref()
    }

    /// The next item, as soon as the reader has given all its bytes; `None` at the end and after an error.
    ///
    /// # Errors
    /// When the file cannot be read, ends within a record, or says what cannot be.
    #[expect(
        clippy::should_implement_trait,
        reason = "what is handed out borrows from the file, as no Iterator's can"
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
                Err(stop.of(&self.name))
            }
        }
    }
}

/// What reads a file with these first bytes; otherwise what to tell the user.
fn detect(magic: [u8; 4]) -> Result<Decoder, &'static str> {
    if let Some(pcap) = Pcap::detect(magic) {
        return Ok(Decoder::Pcap(pcap));
    }
    match magic {
        pcapng::MAGIC => Ok(Decoder::Pcapng(Pcapng::default())),
        [0x1f, 0x8b, ..] => Err("it is compressed: `gzip -dc FILE | xdpdump -r -`"),
        [0x28, 0xb5, 0x2f, 0xfd] => Err("it is compressed: `zstd -dc FILE | xdpdump -r -`"),
        _ => Err("neither pcap nor pcapng"),
    }
}

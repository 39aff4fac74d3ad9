//! The contents of a capture file of either format.

use std::io::{self, Read};

use super::{
    Item,
    error::{Error, Fault},
    medium::{Compression, Medium},
    pcap::Pcap,
    pcapng::{self, Pcapng},
    window::Window,
};
use crate::{output::Format, packet::Interface};

/// A capture file without a name. What fails because a stream has no more at the moment can be repeated.
#[derive(Debug)]
pub struct Body<R> {
    pub window: Window<Medium<R>>,
    decoder: Option<Decoder>,
    /// The interface that was read last.
    interface: Option<Interface>,
    state: State,
}

#[derive(Debug)]
enum Decoder {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was read yet, or not up to the first interface.
    Begins,
    /// That was not returned yet.
    Announces,
    Reads,
    /// Nothing more can be read: the file ended, or an error was reported.
    Finished,
}

/// Why reading stops; [`CaptureFile`](super::CaptureFile) adds the name of the file.
#[derive(Debug)]
pub enum Stop {
    Read(io::Error),
    /// The file does not begin like a capture file, but like this.
    Unknown(&'static str),
    /// It ends before its first packet.
    TooShort {
        what: &'static str,
        wanted: usize,
        got: usize,
    },
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
    /// The error for the user.
    pub fn of(self, name: &str, compression: Option<Compression>, repairable: bool) -> Error {
        let mut name = name.to_owned();
        match self {
            Self::Read(error) => match error.downcast() {
                Ok(fault) => Error::Compressed { name, fault },
                Err(error) => Error::Read { name, error },
            },
            Self::Unknown(hint) => Error::UnknownFormat { name, hint },
            Self::TooShort { what, wanted, got } => Error::TooShort { name, what, wanted, got },
            Self::Truncated { what, wanted, got } => Error::Truncated { name, what, wanted, got, repairable },
            Self::Damaged(offset, fault) => {
                if compression.is_some() {
                    name.push_str(" (decompressed)");
                }
                Error::Damaged { name, offset, fault }
            }
        }
    }

    /// Whether more may come of a stream.
    pub fn is_not_yet(&self) -> bool {
        matches!(self, Self::Read(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl<R: Read> Body<R> {
    /// Nothing is read yet.
    pub fn new(medium: Medium<R>) -> Self {
        Self { window: Window::new(medium), decoder: None, interface: None, state: State::Begins }
    }

    /// What is read from.
    pub fn source(&mut self) -> Option<&mut R> {
        self.window.reader().reader()
    }

    pub fn compression(&mut self) -> Option<Compression> {
        self.window.reader().compression()
    }

    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    pub fn format(&self) -> Format {
        match self.decoder {
            Some(Decoder::Pcap(_)) => Format::Pcap,
            Some(Decoder::Pcapng(_)) | None => Format::Pcapng,
        }
    }

    pub fn interface(&self) -> Option<&Interface> {
        self.interface.as_ref()
    }

    /// Looks ahead up to the first interface, and reads the header of a pcap file.
    pub fn begin(&mut self) -> Result<(), Stop> {
        if self.decoder.is_none() {
            let bytes = self.window.peek(4)?;
            let Some(&magic) = bytes.first_chunk() else {
                return Err(Stop::TooShort { what: "file header", wanted: 4, got: bytes.len() });
            };
            self.decoder = Some(detect(magic).map_err(Stop::Unknown)?);
        }
        let first = match &mut self.decoder {
            None => Ok(None),
            Some(Decoder::Pcap(pcap)) => pcap.header(&mut self.window).map(Some),
            Some(Decoder::Pcapng(_)) => Pcapng::first_interface(&mut self.window),
        };
        self.interface = match first {
            Ok(interface) => interface,
            Err(Stop::Truncated { what, wanted, got }) => return Err(Stop::TooShort { what, wanted, got }),
            Err(stop) => return Err(stop),
        };
        self.state = match self.decoder {
            // The interface is in the file's header, which is read.
            Some(Decoder::Pcap(_)) => State::Announces,
            Some(Decoder::Pcapng(_)) | None => State::Reads,
        };
        Ok(())
    }

    /// Returns the next item; `None` at the end and after an error.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, Stop> {
        if self.state != State::Reads {
            if self.state == State::Begins
                && let Err(stop) = self.begin()
            {
                if !stop.is_not_yet() {
                    self.state = State::Finished;
                }
                return Err(stop);
            }
            match self.state {
                State::Announces => {
                    self.state = State::Reads;
                    return Ok(self.interface.as_ref().map(Item::Interface));
                }
                State::Reads => {}
                State::Begins | State::Finished => return Ok(None),
            }
        }
        let item = match &mut self.decoder {
            Some(Decoder::Pcap(pcap)) => pcap.next(&mut self.window).map(|packet| packet.map(Item::Packet)),
            Some(Decoder::Pcapng(pcapng)) => pcapng.next(&mut self.window, &mut self.interface),
            None => Ok(None),
        };
        match &item {
            Ok(Some(_)) => {}
            Err(stop) if stop.is_not_yet() => {}
            Ok(None) | Err(_) => self.state = State::Finished,
        }
        item
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

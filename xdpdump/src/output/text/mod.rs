//! Packets as lines of text for a person.

mod classic;
mod hex;
mod time;

use std::io::{self, Write};

use super::{Error, Sink, record::kept};
use crate::decode::{Decoder, Style};
use crate::packet::{Interface, InterfaceStatistics, LinkType, Packet};
use time::Clock;

pub use hex::HexDump;
pub use time::TimeStyle;

/// Text is handed to the writer when this much has gathered.
const BUFFER: usize = 64 * 1024;

/// What the text looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// What of a frame is decoded; `hex_follows` is set from `hex`.
    pub style: Style,
    /// How time stamps are written.
    pub time: TimeStyle,
    /// Time stamps with nanoseconds; microseconds otherwise.
    pub nano: bool,
    /// A packet number at the beginning of every line.
    pub number: bool,
    /// The frame in hex or ASCII after its line, from the link-level header on.
    pub hex: HexDump,
    /// Whose lines these are.
    pub line_style: LineStyle,
    /// Hand every packet to the operating system as soon as it is printed.
    pub packet_flush: bool,
}

/// The kinds of line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineStyle {
    /// tcpdump's.
    #[default]
    Tcpdump,
    /// The original XDP demo's: seconds since boot, addresses and ports, one length.
    Classic,
}

/// Prints packets into a writer.
pub struct TextSink<W: Write> {
    writer: W,
    name: String,
    options: TextOptions,
    decoder: Decoder,
    clock: Clock,
    link_types: Vec<LinkType>,
    packets: u64,
    buffer: Vec<u8>,
    /// Packets in the buffer.
    buffered: u64,
    /// Packets of buffers that could not be written.
    unwritten: u64,
}

impl<W: Write> TextSink<W> {
    /// A sink that prints into `writer`, called `name` in error messages.
    pub fn new(writer: W, name: impl Into<String>, options: TextOptions) -> Self {
        let style =
            Style { hex_follows: matches!(options.hex, HexDump::Hex | HexDump::HexAscii), ..options.style };
        Self {
            writer,
            name: name.into(),
            options,
            decoder: Decoder::new(style),
            clock: Clock::new(options.time, options.nano, false),
            link_types: Vec::new(),
            packets: 0,
            buffer: Vec::with_capacity(BUFFER),
            buffered: 0,
            unwritten: 0,
        }
    }

    /// Appends the text of one packet, newline included, to the buffer.
    fn print(&mut self, packet: &Packet<'_>) {
        let link_type = self.link_types.get(packet.interface as usize).copied().unwrap_or_default();
        // No more of a frame than goes into a file: what text costs is bounded with it.
        let packet = Packet { frame: kept(packet.frame), ..*packet };
        let out = &mut self.buffer;
        self.packets += 1;
        self.buffered += 1;
        if self.options.number {
            // Appending to memory does not fail.
            let _ = write!(out, "{:5}  ", self.packets);
        }
        match self.options.line_style {
            LineStyle::Tcpdump => {
                // A record without a single byte is reported without its time.
                if !packet.frame.is_empty() {
                    self.clock.print(out, packet.timestamp);
                }
                self.decoder.frame(out, link_type, packet.frame, packet.frame_len);
                hex::print(out, self.options.hex, packet.frame);
            }
            LineStyle::Classic => {
                classic::print(out, &packet, link_type);
                if self.options.hex != HexDump::None {
                    classic::hex(out, packet.frame);
                }
            }
        }
        out.push(b'\n');
    }

    fn write_buffer(&mut self) -> Result<(), Error> {
        let written = self.writer.write_all(&self.buffer);
        self.buffer.clear();
        let buffered = std::mem::take(&mut self.buffered);
        if written.is_err() {
            self.unwritten += buffered;
        }
        written.map_err(|error| self.error(error))
    }

    fn error(&self, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Error::Closed(self.name.clone())
        } else {
            Error::Write(self.name.clone(), error)
        }
    }
}

impl<W: Write> Sink for TextSink<W> {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.link_types.push(interface.link_type);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        self.print(packet);
        if self.options.packet_flush {
            self.flush()
        } else if self.buffer.len() >= BUFFER {
            self.write_buffer()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        self.writer.flush().map_err(|error| self.error(error))
    }

    /// Counts all packets of a buffer of which a part was written.
    fn unwritten(&self) -> u64 {
        self.unwritten
    }

    fn finish(&mut self, _statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        self.flush()
    }
}

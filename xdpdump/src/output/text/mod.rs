//! Packets as lines of text for a person.

mod classic;
mod hex;
mod time;

use std::{io::Write as _, os::fd::BorrowedFd, time::Instant};

use super::{Error, Fault, Medium, Sink, record::kept};
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

/// Prints packets into a medium.
pub struct TextSink<W: Medium> {
    medium: W,
    name: String,
    options: TextOptions,
    decoder: Decoder,
    clock: Clock,
    link_types: Vec<LinkType>,
    packets: u64,
    buffer: Vec<u8>,
    /// A write was interrupted: no other is tried before the next flush.
    interrupted: bool,
    /// Where the text of each packet in the buffer ends.
    ends: Vec<usize>,
    /// Packets whose text could not be written to its end.
    unwritten: u64,
}

impl<W: Medium> TextSink<W> {
    /// A sink that prints into `medium`, called `name` in error messages.
    pub fn new(medium: W, name: impl Into<String>, options: TextOptions) -> Self {
        let style =
            Style { hex_follows: matches!(options.hex, HexDump::Hex | HexDump::HexAscii), ..options.style };
        Self {
            medium,
            name: name.into(),
            options,
            decoder: Decoder::new(style),
            clock: Clock::new(options.time, options.nano, false),
            link_types: Vec::new(),
            packets: 0,
            buffer: Vec::with_capacity(BUFFER),
            interrupted: false,
            ends: Vec::new(),
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
        self.ends.push(self.buffer.len());
    }

    /// Takes off the buffer what was written of it.
    fn take_off(&mut self, written: usize) {
        self.buffer.drain(..written);
        self.ends.retain_mut(|end| {
            let is_left = *end > written;
            *end = end.saturating_sub(written);
            is_left
        });
    }

    /// Writes everything, or less when that is interrupted.
    fn write_buffer(&mut self) -> Result<(), Error> {
        let mut written = 0;
        while let Some(rest) = self.buffer.get(written..).filter(|rest| !rest.is_empty()) {
            match self.medium.write(rest) {
                Ok(count) => written += count,
                Err(Fault::Interrupted) => {
                    self.interrupted = true;
                    self.take_off(written);
                    return Ok(());
                }
                Err(fault) => {
                    self.take_off(written);
                    self.unwritten += self.ends.len() as u64;
                    self.ends.clear();
                    self.buffer.clear();
                    return Err(self.error(fault));
                }
            }
        }
        self.buffer.clear();
        self.ends.clear();
        Ok(())
    }

    fn error(&self, fault: Fault) -> Error {
        Error::from_fault(fault, self.name.clone())
    }
}

impl<W: Medium> Sink for TextSink<W> {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.link_types.push(interface.link_type);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        self.print(packet);
        if !self.interrupted && (self.options.packet_flush || self.buffer.len() >= BUFFER) {
            self.write_buffer()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.interrupted = false;
        self.write_buffer()
    }

    fn unwritten(&self) -> u64 {
        self.unwritten
    }

    fn finish(&mut self, _statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        self.flush()
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.medium.watch(each);
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.medium.look_after(say).map_err(|fault| self.error(fault))
    }

    fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> Result<(), Error> {
        self.medium.interrupted_by(interrupt).map_err(|error| self.error(error.into()))
    }

    fn end_by(&mut self, deadline: Instant) {
        self.interrupted = false;
        self.medium.end_by(deadline);
    }
}

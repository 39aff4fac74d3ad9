//! Packets as lines of text for a person.

mod change;
mod classic;
mod hex;
mod time;

use std::{io::Write as _, os::fd::BorrowedFd, time::Instant};

use super::{Error, Fault, Medium, Sink, record::kept};
use crate::decode::{Decoder, Style};
use crate::packet::{Direction, EXIT, Interface, InterfaceStatistics, LinkType, Packet, VERDICTS};
use change::Changes;
use time::Clock;

pub use hex::HexDump;
pub use time::TimeStyle;

/// The buffer is written when it holds this many bytes.
const BUFFER: usize = 64 * 1024;

/// What the text looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// How much of a frame is decoded; `hex_follows` is overwritten according to `hex`.
    pub style: Style,
    /// How time stamps are written.
    pub time: TimeStyle,
    /// Print time stamps with nanoseconds instead of microseconds.
    pub nano: bool,
    /// Print a packet number at the beginning of every line.
    pub number: bool,
    /// How to print the bytes of the frame after its line.
    pub hex: HexDump,
    /// The kind of line.
    pub line_style: LineStyle,
    /// Print the interface of each packet and which way it went, as tcpdump does for `-i any`.
    pub interface: bool,
    /// Write every packet as soon as it is printed.
    pub packet_flush: bool,
}

/// The kinds of line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineStyle {
    /// tcpdump's lines.
    #[default]
    Tcpdump,
    /// The lines of the original XDP demo: seconds since boot, addresses and ports, one length.
    Classic,
}

/// Prints packets as text into a medium.
pub struct TextSink<W: Medium> {
    medium: W,
    name: String,
    options: TextOptions,
    decoder: Decoder,
    clock: Clock,
    interfaces: Vec<(LinkType, String)>,
    /// For each interface, whether its packets were captured at the exit of an XDP program.
    at_exit: Vec<bool>,
    changes: Changes,
    packets: u64,
    buffer: Vec<u8>,
    /// A write was interrupted: text is only collected until the next flush.
    interrupted: bool,
    /// Where the text of each packet in the buffer ends.
    ends: Vec<usize>,
    /// Packets whose text was not written completely.
    unwritten: u64,
}

impl<W: Medium> TextSink<W> {
    /// Creates a sink that prints into `medium`, which error messages call `name`.
    pub fn new(medium: W, name: impl Into<String>, options: TextOptions) -> Self {
        let style =
            Style { hex_follows: matches!(options.hex, HexDump::Hex | HexDump::HexAscii), ..options.style };
        Self {
            medium,
            name: name.into(),
            options,
            decoder: Decoder::new(style),
            clock: Clock::new(options.time, options.nano, false),
            interfaces: Vec::new(),
            at_exit: Vec::new(),
            changes: Changes::default(),
            packets: 0,
            buffer: Vec::with_capacity(BUFFER),
            interrupted: false,
            ends: Vec::new(),
            unwritten: 0,
        }
    }

    /// Appends the text of one packet, newline included, to the buffer.
    fn print(&mut self, packet: &Packet<'_>) {
        let interface = self.interfaces.get(packet.interface as usize);
        let (link_type, name) =
            interface.map_or_else(Default::default, |(link_type, name)| (*link_type, name.as_str()));
        // Print no more of a frame than would be written to a file, so that the cost of text is bounded.
        let packet = Packet { frame: kept(packet.frame), ..*packet };
        let out = &mut self.buffer;
        self.packets += 1;
        if self.options.number {
            // Appending to memory does not fail.
            let _ = write!(out, "{:5}  ", self.packets);
        }
        match self.options.line_style {
            LineStyle::Tcpdump => {
                // tcpdump prints no time stamp for a packet without any captured bytes.
                if !packet.frame.is_empty() {
                    self.clock.print(out, packet.timestamp);
                }
                if self.options.interface {
                    let way = match packet.meta.direction {
                        Direction::Outbound => "Out",
                        Direction::Inbound | Direction::Unknown => "In",
                    };
                    let _ = write!(out, "{name:<5} {way:<3} ");
                }
                if packet.meta.has_host_time {
                    out.extend_from_slice(b"[host time] ");
                }
                // A program of the tool itself passes every frame, which need not be said.
                let at_exit = self.at_exit.get(packet.interface as usize) == Some(&true);
                if let Some(verdict) = packet.meta.verdict.filter(|_| at_exit) {
                    let name = usize::try_from(verdict).ok().and_then(|verdict| VERDICTS.get(verdict));
                    let _ = match name {
                        Some(name) => write!(out, "[{name}] "),
                        None => write!(out, "[verdict {verdict}] "),
                    };
                }
                self.decoder.frame(out, link_type, packet.frame, packet.frame_len);
                hex::print(out, self.options.hex, packet.frame);
                if let Some(id) = packet.meta.packet_id.filter(|_| self.shows_changes()) {
                    if at_exit {
                        self.changes.exit(&mut self.buffer, id, packet.frame);
                    } else {
                        self.changes.enter(id, packet.frame);
                    }
                }
            }
            LineStyle::Classic => {
                classic::print(out, &packet, link_type);
                if self.options.hex != HexDump::None {
                    classic::hex(out, packet.frame);
                }
            }
        }
        self.buffer.push(b'\n');
        self.ends.push(self.buffer.len());
    }

    /// Whether to say what an XDP program changed: in hex dumps of packets at its entry and its exit.
    fn shows_changes(&self) -> bool {
        matches!(self.options.hex, HexDump::Hex | HexDump::HexAscii) && self.at_exit.contains(&true)
    }

    /// Removes the first `written` bytes from the buffer.
    fn take_off(&mut self, written: usize) {
        self.buffer.drain(..written);
        self.ends.retain_mut(|end| {
            let is_left = *end > written;
            *end = end.saturating_sub(written);
            is_left
        });
    }

    /// Writes the whole buffer, or a part of it if the write is interrupted.
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
        let name = interface.name.clone().unwrap_or_default();
        self.at_exit.push(name.ends_with(EXIT));
        self.interfaces.push((interface.link_type, name));
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

    fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    fn end_by(&mut self, deadline: Instant) {
        self.interrupted = false;
        self.medium.end_by(deadline);
    }
}

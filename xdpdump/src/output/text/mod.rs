//! Packets as lines of text for a person.

mod change;
mod classic;
mod color;
mod hex;
mod time;

use std::io::Write as _;

use super::{
    Medium,
    lines::{Lines, Printer},
    record::kept,
};
use crate::decode::{Decoder, Style};
use crate::packet::{Direction, EXIT, Interface, Packet, VERDICTS};
use change::Changes;
use time::Clock;

pub use color::Color;
pub use hex::HexDump;
pub use time::TimeStyle;

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
    /// When addresses and resets have colours; who makes a sink resolves [`Color::Auto`].
    pub color: Color,
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
pub type TextSink<W> = Lines<W, Text>;

/// Makes text of packets.
pub struct Text {
    options: TextOptions,
    decoder: Decoder,
    clock: Clock,
    interfaces: Vec<Interface>,
    /// For each interface, whether its packets were captured at the exit of an XDP program.
    at_exit: Vec<bool>,
    changes: Changes,
    packets: u64,
    /// A line without colours.
    plain: Vec<u8>,
}

impl<W: Medium> TextSink<W> {
    /// Creates a sink that prints into `medium`, which error messages call `name`.
    pub fn new(medium: W, name: impl Into<String>, options: TextOptions) -> Self {
        let style =
            Style { hex_follows: matches!(options.hex, HexDump::Hex | HexDump::HexAscii), ..options.style };
        let text = Text {
            options,
            decoder: Decoder::new(style),
            clock: Clock::new(options.time, options.nano, false),
            interfaces: Vec::new(),
            at_exit: Vec::new(),
            changes: Changes::default(),
            packets: 0,
            plain: Vec::new(),
        };
        Self::of(text, medium, name, options.packet_flush)
    }
}

impl Text {
    /// Whether to say what an XDP program changed: in hex dumps of packets at its entry and its exit.
    fn shows_changes(&self) -> bool {
        matches!(self.options.hex, HexDump::Hex | HexDump::HexAscii) && self.at_exit.contains(&true)
    }
}

impl Printer for Text {
    fn interface(&mut self, interface: &Interface) {
        self.at_exit.push(interface.name.as_ref().is_some_and(|name| name.ends_with(EXIT)));
        self.interfaces.push(interface.clone());
    }

    fn print(&mut self, out: &mut Vec<u8>, packet: &Packet<'_>) {
        let Some(interface) = self.interfaces.get(packet.interface as usize) else { return };
        let (link_type, name) = (interface.link_type, interface.name.as_deref().unwrap_or_default());
        // Print no more of a frame than captures usually have, so that the cost of text is bounded.
        let shown = interface.shown(packet.frame);
        let packet = Packet { frame: kept(shown), ..*packet };
        let hidden = shown.len() - packet.frame.len();
        self.packets += 1;
        if self.options.number {
            // Appending to memory does not fail.
            let _ = write!(out, "{:5}  ", self.packets);
        }
        match self.options.line_style {
            LineStyle::Tcpdump => {
                // tcpdump prints no time stamp for a packet without any captured bytes.
                if !packet.frame.is_empty() {
                    self.clock.print(out, interface.time(&packet));
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
                let start = out.len();
                self.decoder.frame(out, link_type, packet.frame, packet.frame_len);
                if self.options.color == Color::Always {
                    self.plain.clear();
                    self.plain.extend(out.drain(start..));
                    color::paint(&self.plain, out);
                }
                hex::print(out, self.options.hex, packet.frame);
                if hidden > 0 {
                    let _ = write!(out, " [{hidden} more bytes were captured]");
                }
                if let Some(id) = packet.meta.packet_id.filter(|_| self.shows_changes()) {
                    if at_exit {
                        self.changes.exit(out, id, packet.frame);
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
        out.push(b'\n');
    }
}

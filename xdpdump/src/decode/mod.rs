//! One line of text per frame, as tcpdump 4.99 prints it with `-n`.
//!
//! Every protocol is a function from the bytes of its layer to text. Nothing here knows of files,
//! time stamps or terminals. Layers are read through [`cursor::Cursor`], so a frame cut anywhere ends
//! in `[|proto]` and never in a panic.

mod address;
mod arp;
mod bootp;
mod checksum;
mod conversation;
mod cursor;
mod dns;
mod dns_name;
mod dns_type;
mod ethernet;
mod ethertype;
pub(crate) mod headers;
pub(crate) mod hex;
mod icmp;
mod icmpv6;
mod igmp;
mod ip;
mod ipv4;
mod ipv6;
mod lines;
mod llc;
mod lldp;
mod mld;
mod mptcp;
mod ndp;
mod port;
mod routing;
mod stp;
mod tcp;
mod tcp_options;
mod text;
mod tunnel;
mod udp;

use std::fmt::Arguments;
use std::io::Write as _;

use crate::packet::LinkType;
use conversation::Conversations;
use cursor::{Layer, Printed, Truncated};

/// Layers inside layers (tunnels, tags) that are followed before decoding stops.
const MAX_DEPTH: u8 = 32;

/// What to print of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Number of `-v` given: 1 adds the headers' fields, 2 and more what protocols say beyond.
    pub verbosity: u8,
    /// `-q`: less of the protocols.
    pub quiet: bool,
    /// `-e`: the link-level header.
    pub link_header: bool,
    /// TCP sequence numbers as they are, not relative to the conversation's first.
    pub absolute_seq: bool,
    /// The caller prints the frame in hex itself, so that unknown payloads are not shown in hex as well.
    pub hex_follows: bool,
}

/// Turns frames into text. Remembers TCP conversations from frame to frame.
#[derive(Debug, Default)]
pub struct Decoder {
    style: Style,
    conversations: Conversations,
}

impl Decoder {
    /// A decoder that has seen no conversation yet.
    pub fn new(style: Style) -> Self {
        Self { style, conversations: Conversations::default() }
    }

    /// Appends tcpdump's text of the frame, without time stamp and newline, to `out`.
    ///
    /// `frame` are the captured bytes from the link-level header on, `frame_len` the bytes on the wire.
    pub fn frame(&mut self, out: &mut Vec<u8>, link_type: LinkType, frame: &[u8], frame_len: u32) {
        let layer = Layer { bytes: frame, len: (frame_len as usize).max(frame.len()) };
        if frame.is_empty() {
            out.extend_from_slice(b"[Invalid header: caplen==0]");
            return;
        }
        let mut printer =
            Printer { out, style: &self.style, conversations: &mut self.conversations, depth: 0 };
        let result = match link_type {
            LinkType::ETHERNET => ethernet::print(&mut printer, layer),
            LinkType::RAW => ip::print_raw(&mut printer, layer),
            LinkType(number) => {
                write!(printer, "link-type {number}, length {}", layer.len);
                printer.payload(layer);
                Ok(())
            }
        };
        if let Err(Truncated(protocol)) = result {
            write!(printer, " [|{protocol}]");
        }
    }
}

/// The line being written and what its protocols share.
struct Printer<'a> {
    out: &'a mut Vec<u8>,
    style: &'a Style,
    conversations: &'a mut Conversations,
    depth: u8,
}

impl Printer<'_> {
    /// Lets `write!` append to the line; appending to memory does not fail.
    fn write_fmt(&mut self, text: Arguments<'_>) {
        let _ = self.out.write_fmt(text);
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn verbose(&self) -> bool {
        self.style.verbosity > 0
    }

    /// Prints an inner layer unless there are too many already.
    fn nested(&mut self, print: impl FnOnce(&mut Self) -> Printed) -> Printed {
        if self.depth >= MAX_DEPTH {
            self.text("[nested too deep]");
            return Ok(());
        }
        self.depth += 1;
        let printed = print(self);
        self.depth -= 1;
        printed
    }

    /// Like [`Printer::nested`] for what may have no printer at all.
    fn nested_option(&mut self, print: impl FnOnce(&mut Self) -> Option<Printed>) -> Option<Printed> {
        let mut found = true;
        let printed = self.nested(|p| {
            print(p).unwrap_or_else(|| {
                found = false;
                Ok(())
            })
        });
        found.then_some(printed)
    }

    /// Shows bytes nobody decodes in hex and ASCII, unless the whole frame is shown in hex anyway.
    fn payload(&mut self, layer: Layer<'_>) {
        if !self.style.quiet && !self.style.hex_follows {
            hex::with_ascii(self.out, "\n\t", layer.bytes);
        }
    }
}

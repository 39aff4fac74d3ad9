//! The line being written, and state that the protocols of a frame share.
//!
//! Nothing else writes to the line. So its length is bounded, and text from packets is escaped, in one place.

use std::fmt::{self, Arguments};

use crate::decode::Style;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::hex;
use crate::decode::transport::conversation::Conversations;

/// Layers inside layers (tunnels, tags) that are followed before decoding stops.
const MAX_DEPTH: u8 = 32;

/// Largest number of bytes of a frame's text. This is more than a hex dump of the largest frame needs (262,144 bytes, 70
/// characters for every 16 of them). Only formats that can print one part of the frame many times exceed it, for example
/// hostile DNS names.
const MAX_TEXT: usize = 2 << 20;

/// The line being written and what its protocols share.
pub(in crate::decode) struct Printer<'a> {
    out: &'a mut Vec<u8>,
    /// Length of `out` at which the line ends; the write that crosses it is still appended.
    limit: usize,
    pub(in crate::decode) style: &'a Style,
    pub(in crate::decode) conversations: &'a mut Conversations,
    depth: u8,
}

/// A place in the line.
pub(in crate::decode) struct Mark(usize);

/// Takes what is formatted.
struct Appended<'a>(&'a mut Vec<u8>);

impl fmt::Write for Appended<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl<'a> Printer<'a> {
    /// Appends a line to `out`.
    pub(in crate::decode) fn new(
        out: &'a mut Vec<u8>,
        style: &'a Style,
        conversations: &'a mut Conversations,
    ) -> Self {
        let limit = out.len() + MAX_TEXT;
        Self { out, limit, style, conversations, depth: 0 }
    }

    /// Ends the line; appends a note if it was ended early.
    pub(in crate::decode) fn finish(self) {
        if self.is_full() {
            self.out.extend_from_slice(b" [text too long]");
        }
    }

    /// Whether the line accepts no more text.
    pub(in crate::decode) fn is_full(&self) -> bool {
        self.out.len() >= self.limit
    }

    /// Lets `write!` append to the line; appending to memory does not fail.
    pub(in crate::decode) fn write_fmt(&mut self, text: Arguments<'_>) {
        if !self.is_full() {
            let _ = fmt::write(&mut Appended(self.out), text);
        }
    }

    /// Appends text that does not come from a packet.
    pub(in crate::decode) fn text(&mut self, text: &str) {
        if !self.is_full() {
            self.out.extend_from_slice(text.as_bytes());
        }
    }

    /// Appends text from the packet, made safe for a terminal as tcpdump does: control characters as `^X`, bytes above 127
    /// as `M-` and the character without its top bit.
    pub(in crate::decode) fn escaped(&mut self, text: &[u8]) {
        if !self.is_full() {
            for byte in text {
                self.escaped_byte(*byte);
            }
        }
    }

    /// Appends text from the packet like [`Printer::escaped`], up to the first NUL: the rest is padding.
    pub(in crate::decode) fn escaped_until_nul(&mut self, text: &[u8]) {
        self.escaped(text.split(|byte| *byte == 0).next().unwrap_or_default());
    }

    /// Appends `len` bytes of text from the packet like [`Printer::escaped`], or those that were captured and an error.
    pub(in crate::decode) fn escaped_field(&mut self, cursor: &mut Cursor<'_>, len: usize) -> Printed {
        let captured = len.min(cursor.rest().len());
        self.escaped(cursor.take(captured)?);
        cursor.need(len - captured)
    }

    /// Appends that the message is invalid, and fails if it was cut as well.
    pub(in crate::decode) fn invalid(&mut self, layer: Layer<'_>, name: &'static str) -> Printed {
        self.text(" (invalid)");
        layer.cursor(name).need(layer.len)
    }

    /// Appends a line of a text protocol like [`Printer::escaped`], but leaves tabs unchanged.
    pub(in crate::decode) fn line(&mut self, line: &[u8]) {
        if !self.is_full() {
            for byte in line {
                if *byte == b'\t' { self.out.push(b'\t') } else { self.escaped_byte(*byte) }
            }
        }
    }

    fn escaped_byte(&mut self, byte: u8) {
        if byte >= 0x80 {
            self.out.extend_from_slice(b"M-");
        }
        match byte & 0x7f {
            control @ (0..0x20 | 0x7f) => self.out.extend_from_slice(&[b'^', control ^ 0x40]),
            printable => self.out.push(printable),
        }
    }

    /// Appends the hex digits of bytes, without separators.
    pub(in crate::decode) fn digits(&mut self, bytes: &[u8]) {
        if !self.is_full() {
            for byte in bytes {
                hex::digits(self.out, *byte);
            }
        }
    }

    /// Appends lines of hex, each preceded by `indent`: a newline and what comes before the offset.
    pub(in crate::decode) fn hex(&mut self, indent: &str, bytes: &[u8]) {
        if !self.is_full() {
            hex::plain(self.out, indent, bytes);
        }
    }

    /// Appends lines of hex and ASCII, each preceded by `indent`.
    pub(in crate::decode) fn hex_ascii(&mut self, indent: &str, bytes: &[u8]) {
        if !self.is_full() {
            hex::with_ascii(self.out, indent, bytes);
        }
    }

    /// Appends the names of the bits that are set, in the order of the table; `none` if none of the table is set. Where an
    /// entry has several bits, all of them have to be set.
    pub(in crate::decode) fn flags(&mut self, value: u32, table: &[(u32, &str)], separator: &str) {
        self.flags_or(value, table, separator, "none");
    }

    /// Like [`Printer::flags`], with another word if none of the table is set.
    pub(in crate::decode) fn flags_or(
        &mut self,
        value: u32,
        table: &[(u32, &str)],
        separator: &str,
        none: &str,
    ) {
        let set = table.iter().filter(|(bits, _)| value & bits == *bits);
        let mut empty = true;
        for (_, name) in set {
            write!(self, "{}{name}", if empty { "" } else { separator });
            empty = false;
        }
        if empty {
            self.text(none);
        }
    }

    /// Appends the name of a number, or what stands for a number without a name.
    pub(in crate::decode) fn name(&mut self, name: Option<&str>, otherwise: Arguments<'_>) {
        match name {
            Some(name) => self.text(name),
            None => self.write_fmt(otherwise),
        }
    }

    /// Marks the end of the text written so far.
    pub(in crate::decode) fn mark(&self) -> Mark {
        Mark(self.out.len())
    }

    /// Removes what was written since `mark`.
    pub(in crate::decode) fn rewind(&mut self, mark: &Mark) {
        self.out.truncate(mark.0);
    }

    pub(in crate::decode) fn verbose(&self) -> bool {
        self.style.verbosity > 0
    }

    /// Prints an inner layer unless too many layers are nested.
    pub(in crate::decode) fn nested(&mut self, print: impl FnOnce(&mut Self) -> Printed) -> Printed {
        if self.depth >= MAX_DEPTH {
            self.text("[nested too deep]");
            return Ok(());
        }
        self.depth += 1;
        let printed = print(self);
        self.depth -= 1;
        printed
    }

    /// Like [`Printer::nested`], for a layer that may have no printer.
    pub(in crate::decode) fn nested_option(
        &mut self,
        print: impl FnOnce(&mut Self) -> Option<Printed>,
    ) -> Option<Printed> {
        let mut found = true;
        let printed = self.nested(|p| {
            print(p).unwrap_or_else(|| {
                found = false;
                Ok(())
            })
        });
        found.then_some(printed)
    }

    /// Prints bytes that are not decoded in hex and ASCII, unless the whole frame is shown in hex anyway.
    pub(in crate::decode) fn payload(&mut self, layer: Layer<'_>) {
        if !self.style.quiet && !self.style.hex_follows {
            self.hex_ascii("\n\t", layer.bytes);
        }
    }
}

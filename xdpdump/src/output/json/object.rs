//! JSON (RFC 8259) written by hand into a buffer, so that a packet costs no memory of its own.

use std::{fmt::Display, io::Write as _, net::IpAddr};

use crate::{decode::hex::digits, printable::json_string};

/// An object that is being written. Names are written as they are, so they need no escapes.
pub(super) struct Object<'a>(&'a mut Vec<u8>);

impl<'a> Object<'a> {
    /// Appends an object with what `fill` puts into it.
    pub(super) fn write(out: &'a mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
        out.push(b'{');
        fill(&mut Object(out));
        out.push(b'}');
    }

    /// Begins a member.
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        // Nothing but the beginning of this object ends with a brace that opens.
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        self.0
    }

    pub(super) fn number(&mut self, name: &str, number: impl Into<u64>) {
        decimal(self.name(name), number.into());
    }

    pub(super) fn boolean(&mut self, name: &str, value: bool) {
        self.name(name).extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(super) fn string(&mut self, name: &str, text: &str) {
        json_string(self.name(name), text);
    }

    /// A string of digits, for numbers of which a reader that has only floating-point numbers would lose some.
    pub(super) fn digits(&mut self, name: &str, number: u64) {
        self.quoted(name, |out| decimal(out, number));
    }

    pub(super) fn address(&mut self, name: &str, address: impl Into<IpAddr>) {
        match address.into() {
            IpAddr::V4(address) => self.quoted(name, |out| {
                let [first, rest @ ..] = address.octets();
                decimal(out, first.into());
                for octet in rest {
                    out.push(b'.');
                    decimal(out, octet.into());
                }
            }),
            IpAddr::V6(address) => self.harmless(name, address),
        }
    }

    pub(super) fn mac(&mut self, name: &str, [first, rest @ ..]: [u8; 6]) {
        self.quoted(name, |out| {
            digits(out, first);
            for byte in rest {
                out.push(b':');
                digits(out, byte);
            }
        });
    }

    /// A string for what is displayed without characters that need escapes.
    pub(super) fn harmless(&mut self, name: &str, value: impl Display) {
        // Appending to memory does not fail.
        self.quoted(name, |out| drop(write!(out, "{value}")));
    }

    pub(super) fn quoted(&mut self, name: &str, fill: impl FnOnce(&mut Vec<u8>)) {
        let out = self.name(name);
        out.push(b'"');
        fill(out);
        out.push(b'"');
    }

    pub(super) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        Object::write(self.name(name), fill);
    }

    /// An array of objects, one for each item.
    pub(super) fn array<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Object<'_>, T),
    ) {
        let out = self.name(name);
        out.push(b'[');
        for (number, item) in items.into_iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            Object::write(out, |object| fill(object, item));
        }
        out.push(b']');
    }
}

/// Appends a number in decimal digits.
pub(super) fn decimal(out: &mut Vec<u8>, number: u64) {
    decimal_of(out, number, 1);
}

/// Appends a number in at least `width` decimal digits, at most 20.
pub(super) fn decimal_of(out: &mut Vec<u8>, mut number: u64, width: usize) {
    // As many digits as the largest number has.
    let mut text = [b'0'; 20];
    let mut start = text.len();
    for digit in text.iter_mut().rev() {
        if number == 0 {
            break;
        }
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        start -= 1;
    }
    out.extend_from_slice(&text[start.min(text.len().saturating_sub(width))..]);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let mut text = Vec::new();
        Object::write(&mut text, |object| {
            object.object("empty", |_| {});
            object.number("most", u64::MAX);
            object.number("none", 0_u8);
            object.digits("digits", 1_000_000);
            object.string("brace", "\"{");
            object.boolean("after", true);
            object.array("none of them", [(); 0], |_, ()| {});
            object.array("two", [1_u8, 2], |object, number| object.number("n", number));
            object.mac("mac", [0, 1, 0x2a, 0xff, 4, 5]);
            object.address("v4", [255, 0, 20, 3]);
            object.address("v6", [0xfe80_u16, 0, 0, 0, 0, 0, 0, 1]);
        });
        let value: Value = serde_json::from_slice(&text).unwrap();
        let wanted = json!({
            "empty": {}, "most": u64::MAX, "none": 0, "digits": "1000000", "brace": "\"{", "after": true,
            "none of them": [], "two": [{"n": 1}, {"n": 2}], "mac": "00:01:2a:ff:04:05", "v4": "255.0.20.3",
            "v6": "fe80::1",
        });
        assert_eq!(value, wanted);
    }

    #[test]
    fn decimals_have_the_width_that_is_asked_for() {
        let text = |number, width| {
            let mut text = Vec::new();
            decimal_of(&mut text, number, width);
            String::from_utf8(text).unwrap()
        };
        assert_eq!([text(0, 1), text(7, 9), text(u64::MAX, 9)], ["0", "000000007", "18446744073709551615"]);
    }
}

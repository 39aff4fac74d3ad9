//! PPP over Ethernet (RFC 2516): discovery, and sessions.

use crate::decode::cursor::{Element, Field, Layer, Printed};
use crate::decode::link::ppp;
use crate::decode::printer::Printer;

const HEADER: usize = 6;
const SESSION: u8 = 0;
const TAG: Element = Element { field: Field::Word, counts_header: false };
/// Of a tag that is text, at most these characters are shown.
const SHOWN: usize = 79;

/// Prints a frame.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if layer.len < HEADER {
        write!(p, " (length {} < {HEADER})", layer.len);
        return p.invalid(layer, "pppoe");
    }
    let mut cursor = layer.cursor("pppoe");
    cursor.need(HEADER)?;
    let first = cursor.u8()?;
    if first >> 4 != 1 {
        write!(p, " [ver {}]", first >> 4);
    }
    if first & 15 != 1 {
        write!(p, " [type {}]", first & 15);
    }
    let code = cursor.u8()?;
    let (session, len) = (cursor.u16()?, usize::from(cursor.u16()?));
    p.text("PPPoE ");
    match code {
        SESSION => {}
        0x09 => p.text("PADI"),
        0x07 => p.text("PADO"),
        0x19 => p.text("PADR"),
        0x65 => p.text("PADS"),
        0xa7 => p.text("PADT"),
        _ => write!(p, "PAD-{code:x}"),
    }
    let mut payload = layer.skip(HEADER);
    if len > 1484 + 8 {
        write!(p, " [len {len}!]");
    }
    if len > payload.len {
        write!(p, " [len {len} > {}!]", payload.len);
    } else {
        payload = payload.cut(len);
    }
    if session != 0 {
        write!(p, " [ses 0x{session:x}]");
    }
    if code == SESSION {
        p.text(" ");
        return p.nested(|p| ppp::print(p, payload));
    }
    print_tags(p, payload)
}

fn print_tags(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("pppoe");
    while cursor.at() < layer.len {
        let (kind, value) = cursor.element(TAG)?;
        let value = value.rest();
        p.text(" [");
        match name(kind) {
            Some(name) => p.text(name),
            None => write!(p, "TAG-0x{kind:x}"),
        }
        // A value is text if most of it can be printed.
        let shown = value.get(..SHOWN).unwrap_or(value);
        let is_text = |byte: &u8| (0x20..0x7f).contains(byte);
        let letters = shown.iter().filter(|byte| is_text(byte)).count();
        if letters > shown.len() - letters {
            p.text(" \"");
            for byte in shown {
                p.escaped(&[if is_text(byte) { *byte } else { b'.' }]);
            }
            p.text("\"");
        } else if !value.is_empty() {
            p.text(" 0x");
            for byte in value {
                write!(p, "{byte:02X}");
            }
        }
        p.text("]");
    }
    Ok(())
}

fn name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        0x0000 => "EOL",
        0x0101 => "Service-Name",
        0x0102 => "AC-Name",
        0x0103 => "Host-Uniq",
        0x0104 => "AC-Cookie",
        0x0105 => "Vendor-Specific",
        0x0110 => "Relay-Session-ID",
        0x0120 => "PPP-Max-Payload",
        0x0201 => "Service-Name-Error",
        0x0202 => "AC-System-Error",
        0x0203 => "Generic-Error",
        _ => return None,
    })
}

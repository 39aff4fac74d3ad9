//! Unidirectional link detection (RFC 5171). The fields are shown with `-v`.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const FLAGS: [(u32, &str); 8] = [
    (0x01, "RT"),
    (0x02, "RSY"),
    (0x04, "MBZ-2"),
    (0x08, "MBZ-3"),
    (0x10, "MBZ-4"),
    (0x20, "MBZ-5"),
    (0x40, "MBZ-6"),
    (0x80, "MBZ-7"),
];

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("udld");
    if layer.len < 4 {
        return p.invalid(layer, "udld");
    }
    cursor.need(4)?;
    let first = cursor.u8()?;
    let code = first & 31;
    let name = match code {
        1 => "Probe message",
        2 => "Echo message",
        3 => "Flush message",
        _ => "Reserved",
    };
    let flags = cursor.u8()?;
    write!(p, "UDLDv{}, Code {name} ({code:x}), Flags [", first >> 5);
    p.flags(u32::from(flags), &FLAGS, ", ");
    write!(p, "] (0x{flags:02x}), length {}", layer.len);
    if !p.verbose() {
        return layer.cursor("udld").need(layer.len);
    }
    write!(p, "\n\tChecksum 0x{:04x} (unverified)", cursor.u16()?);
    while cursor.at() < layer.len {
        if layer.len - cursor.at() < 4 {
            return p.invalid(layer, "udld");
        }
        let start = cursor.at();
        let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
        write!(p, "\n\t{} (0x{kind:04x}) TLV, length {len}", name_of(kind));
        let valid = match kind {
            4 | 5 => len == 5,
            7 => len == 8,
            _ => len >= 4,
        };
        if !valid || len > layer.len - start {
            return p.invalid(layer, "udld");
        }
        match kind {
            1 | 2 | 3 | 6 => {
                p.text(", ");
                p.escaped_field(&mut cursor, len - 4)?;
            }
            4 | 5 => write!(p, ", {}s", cursor.u8()?),
            7 => write!(p, ", {}", cursor.u32()?),
            _ => cursor.skip(len - 4)?,
        }
    }
    Ok(())
}

fn name_of(kind: u16) -> &'static str {
    match kind {
        1 => "Device-ID TLV",
        2 => "Port-ID TLV",
        3 => "Echo TLV",
        4 => "Message Interval TLV",
        5 => "Timeout Interval TLV",
        6 => "Device Name TLV",
        7 => "Sequence Number TLV",
        _ => "Unknown",
    }
}

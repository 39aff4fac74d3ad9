//! Cisco's dynamic trunking protocol. The fields are shown with `-v`.

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("dtp");
    if layer.len == 0 {
        p.text("[zero packet length] (invalid)");
        return Ok(());
    }
    write!(p, "DTPv{}, length {}", cursor.u8()?, layer.len);
    if !p.verbose() {
        return Ok(());
    }
    while cursor.at() < layer.len {
        let left = layer.len - cursor.at();
        if left < 4 {
            write!(p, "[{left} bytes remaining] (invalid)");
            return Ok(());
        }
        let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
        let name = match kind {
            1 => "Domain",
            2 => "Status",
            3 => "DTP type",
            4 => "Neighbor",
            _ => "Unknown",
        };
        write!(p, "\n\t{name} (0x{kind:04x}) TLV, length {len}");
        if len < 4 || len > left {
            write!(p, "[invalid TLV length {len}] (invalid)");
            return Ok(());
        }
        match (kind, len) {
            (1, _) => {
                p.text(", ");
                let domain = cursor.take(len - 4)?;
                p.escaped_until_nul(domain);
            }
            (2 | 3, 5) => write!(p, ", 0x{:x}", cursor.u8()?),
            (4, 10) => write!(p, ", {}", Mac(cursor.take(6)?)),
            (2..=4, _) => {
                p.text(" (invalid)");
                return Ok(());
            }
            _ => cursor.skip(len - 4)?,
        }
    }
    Ok(())
}

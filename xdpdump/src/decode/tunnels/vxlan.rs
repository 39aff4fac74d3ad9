//! Virtual extensible LAN (RFC 7348).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ethernet;
use crate::decode::printer::Printer;

/// Prints a VXLAN packet; the frame inside begins a line of its own.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("VXLAN");
    if layer.len < 8 {
        p.text(" (invalid)");
        return Ok(());
    }
    let mut cursor = layer.cursor("vxlan");
    let flags = cursor.u8()?;
    let valid = if flags & 8 == 0 { "invalid" } else { "I" };
    write!(p, ", flags [{valid}] (0x{flags:02x}), ");
    cursor.skip(3)?;
    writeln!(p, "vni {}", cursor.u24()?);
    cursor.skip(1)?;
    p.nested(|p| ethernet::print(p, layer.skip(8)))
}

//! Connectivity fault management (IEEE 802.1Q clause 20): the kind of the message.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("cfm");
    if layer.len < 4 {
        p.text("\n\t\t packet is too short");
        return Ok(());
    }
    let (first, kind) = (cursor.u8()?, cursor.u8()?);
    let version = first & 31;
    if version != 0 {
        write!(p, "CFMv{version} not supported, length {}", layer.len);
        return Ok(());
    }
    write!(p, "CFMv{version} ");
    match kind {
        1 => p.text("Continuity Check Message"),
        2 => p.text("Loopback Reply"),
        3 => p.text("Loopback Message"),
        4 => p.text("Linktrace Reply"),
        5 => p.text("Linktrace Message"),
        _ => write!(p, "unknown ({kind})"),
    }
    write!(p, ", MD Level {}, length {}", first >> 5, layer.len);
    Ok(())
}

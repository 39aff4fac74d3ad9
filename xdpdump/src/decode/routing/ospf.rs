//! OSPF, versions 2 (RFC 2328) and 3 (RFC 5340).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, is_v6: bool, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor(if is_v6 { "ospf3" } else { "ospf2" });
    let version = if is_v6 { 3 } else { cursor.u8()? };
    write!(p, "OSPFv{version}, ");
    let mut cursor = layer.skip(1).cursor(if is_v6 { "ospf3" } else { "ospf2" });
    match (cursor.u8()?, is_v6) {
        (1, _) => p.text("Hello"),
        (2, _) => p.text("Database Description"),
        (3, _) => p.text("LS-Request"),
        (4, _) => p.text("LS-Update"),
        (5, _) => p.text("LS-Ack"),
        (other, false) => write!(p, "unknown LS-type {other}"),
        (other, true) => write!(p, "unknown packet type ({other})"),
    }
    write!(p, ", length {}", layer.len);
    Ok(())
}

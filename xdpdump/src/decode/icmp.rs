//! ICMP (RFC 792).

use super::Printer;
use super::cursor::{Layer, Printed};
use super::ip;

/// Prints an ICMP message.
pub(super) fn print(p: &mut Printer<'_>, _header: &ip::Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("icmp");
    let kind = cursor.u8()?;
    p.text("ICMP ");
    write!(p, "type-#{kind}, length {}", layer.len);
    Ok(())
}

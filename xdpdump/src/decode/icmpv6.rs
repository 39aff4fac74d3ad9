//! ICMPv6 (RFC 4443).

use super::Printer;
use super::cursor::{Layer, Printed};
use super::ip;

/// Prints an ICMPv6 message.
pub(super) fn print(p: &mut Printer<'_>, _header: &ip::Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("icmp6");
    let kind = cursor.u8()?;
    write!(p, "ICMP6, unknown icmp6 type ({kind}), length {}", layer.len);
    Ok(())
}

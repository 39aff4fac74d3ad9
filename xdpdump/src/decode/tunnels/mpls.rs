//! Multiprotocol label switching (RFC 3032).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;

/// MPLS in UDP (RFC 7510).
pub(in crate::decode) const UDP_PORT: u16 = 6635;

/// Prints a stack of MPLS labels and the packet after it, whose first bits tell the IP version.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("mpls");
    p.text("MPLS");
    let separator = if p.verbose() { "\n\t" } else { " " };
    let mut before = " ";
    loop {
        if layer.len < cursor.at() + 4 {
            p.text(" (invalid)");
            return Ok(());
        }
        let entry = cursor.u32()?;
        let (label, class, ttl) = (entry >> 12, entry >> 9 & 7, entry & 0xff);
        let bottom = entry & 0x100 != 0;
        write!(p, "{before}(label {label}, tc {class}{}, ttl {ttl})", if bottom { ", [S]" } else { "" });
        if bottom {
            break;
        }
        before = separator;
    }
    let inner = layer.skip(cursor.at());
    let Some(first) = inner.bytes.first() else { return Ok(()) };
    match first >> 4 {
        4 => {
            p.text(separator);
            p.nested(|p| ipv4::print(p, inner))
        }
        6 => {
            p.text(separator);
            p.nested(|p| ipv6::print(p, inner))
        }
        _ => {
            p.payload(inner);
            Ok(())
        }
    }
}

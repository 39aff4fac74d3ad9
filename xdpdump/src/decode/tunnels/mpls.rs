//! Multiprotocol label switching (RFC 3032).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;

/// Prints a stack of MPLS labels and the packet after it, whose first bits tell the IP version.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("mpls");
    p.text("MPLS");
    let separator = if p.verbose() { "\n\t" } else { " " };
    let mut before = " ";
    let label = loop {
        if layer.len < cursor.at() + 4 {
            p.text(" (invalid)");
            return Ok(());
        }
        let entry = cursor.u32()?;
        let (label, class, ttl) = (entry >> 12, entry >> 9 & 7, entry & 0xff);
        let bottom = entry & 0x100 != 0;
        write!(p, "{before}(label {label}");
        if p.verbose() && label < 16 {
            write!(p, " ({})", reserved_name(label));
        }
        write!(p, ", tc {class}{}, ttl {ttl})", if bottom { ", [S]" } else { "" });
        if bottom {
            break label;
        }
        before = separator;
    };
    let inner = layer.skip(cursor.at());
    if inner.len == 0 {
        return Ok(());
    }
    let first = inner.cursor("mpls").u8()?;
    let version = match label {
        // The label itself tells what follows.
        0 | 3 => 4,
        2 => 6,
        _ => first >> 4,
    };
    match version {
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

/// Names of labels with a meaning of their own (RFC 3032 §2.1).
fn reserved_name(label: u32) -> &'static str {
    match label {
        0 => "IPv4 explicit NULL",
        1 => "router alert",
        2 => "IPv6 explicit NULL",
        3 => "implicit NULL",
        _ => "rsvd",
    }
}

//! The network service header (RFC 8300).

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::link::ethernet;
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;

const WORD: usize = 4;
/// Words of base header and service path header.
const BASE: usize = 2;

/// Prints the header and what it carries.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if layer.len < BASE * WORD {
        write!(p, " (packet length {} < {})", layer.len, BASE * WORD);
        return p.invalid(layer, "nsh");
    }
    p.text("NSH, ");
    let mut cursor = layer.cursor("nsh");
    let first = cursor.u16()?;
    let version = first >> 14;
    if p.style.verbosity > 1 {
        write!(p, "ver {version}, ");
    }
    if version != 0 {
        return Ok(());
    }
    p.text("flags [");
    p.flags(u32::from(first), &[(0x2000, "O")], "");
    p.text("], ");
    let words = usize::from(first & 0x3f);
    if p.style.verbosity > 2 {
        write!(p, "TTL {}, length {words}, ", first >> 6 & 0x3f);
    }
    let (kind, next) = (cursor.u8()? & 15, cursor.u8()?);
    if p.style.verbosity > 2 {
        write!(p, "md type {}, ", kind_name(kind));
    }
    if p.style.verbosity > 1 {
        write!(p, "next-protocol {}, ", protocol_name(next));
    }
    if words * WORD > layer.len {
        write!(p, " (too many headers for packet length {})", layer.len);
        return p.invalid(layer, "nsh");
    }
    let path = cursor.u32()?;
    write!(p, "service-path-id 0x{:06x}, service-index 0x{:x}", path >> 8, path & 0xff);
    if words < BASE {
        p.text(" (less than two headers)");
        return p.invalid(layer, "nsh");
    }
    if p.style.verbosity > 2 {
        let context = (words - BASE) * WORD;
        print_context(p, kind, layer.skip(BASE * WORD).cut(context).cursor("nsh"));
    }
    let inner = layer.skip(words * WORD);
    p.text(if p.verbose() { "\n    " } else { ": " });
    match next {
        1 => p.nested(|p| ipv4::print(p, inner)),
        2 => p.nested(|p| ipv6::print(p, inner)),
        3 => p.nested(|p| ethernet::print(p, inner)),
        _ => {
            p.text("ERROR: unknown-next-protocol");
            Ok(())
        }
    }
}

fn print_context(p: &mut Printer<'_>, kind: u8, mut cursor: Cursor<'_>) {
    if kind != 1 {
        return;
    }
    for number in 0.. {
        let Ok(context) = cursor.u32() else { break };
        write!(p, "\n        Context[{number:02}]: 0x{context:08x}");
    }
}

fn kind_name(kind: u8) -> &'static str {
    match kind {
        0 => "reserved",
        1 => "1",
        2 => "2",
        15 => "experimental",
        _ => "unassigned",
    }
}

fn protocol_name(next: u8) -> &'static str {
    match next {
        1 => "IPv4",
        2 => "IPv6",
        3 => "Ethernet",
        4 => "NSH",
        5 => "MPLS",
        254 => "Experiment 1",
        255 => "Experiment 2",
        _ => "unknown",
    }
}

//! Virtual extensible LAN (RFC 7348), its generic protocol extension, and Cisco's overlay transport virtualization, which
//! has a header like them.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ethernet;
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;
use crate::decode::tunnels::nsh;

const HEADER: usize = 8;
const GENERIC_FLAGS: [(u32, &str); 4] = [(0x08, "I"), (0x04, "P"), (0x02, "B"), (0x01, "O")];

/// Prints a VXLAN packet; the frame inside begins a line of its own.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("VXLAN");
    if layer.len < HEADER {
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
    p.nested(|p| ethernet::print(p, layer.skip(HEADER)))
}

/// Prints a packet of the generic protocol extension (draft-ietf-nvo3-vxlan-gpe).
pub(in crate::decode) fn print_generic(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("VXLAN-GPE, ");
    let mut cursor = layer.cursor("vxlan_gpe");
    if layer.len < HEADER {
        write!(p, " (len {} < {HEADER})", layer.len);
        return p.invalid(layer, "vxlan_gpe");
    }
    p.text("flags [");
    p.flags(u32::from(cursor.u8()?), &GENERIC_FLAGS, "");
    p.text("], ");
    cursor.skip(2)?;
    let next = cursor.u8()?;
    write!(p, "vni {}", cursor.u24()?);
    cursor.skip(1)?;
    p.text(if p.verbose() { "\n    " } else { ": " });
    let inner = layer.skip(HEADER);
    match next {
        1 => p.nested(|p| ipv4::print(p, inner)),
        2 => p.nested(|p| ipv6::print(p, inner)),
        3 => p.nested(|p| ethernet::print(p, inner)),
        4 => p.nested(|p| nsh::print(p, inner)),
        _ => {
            p.text("ERROR: unknown-next-protocol");
            p.invalid(layer, "vxlan_gpe")
        }
    }
}

/// Prints a packet of overlay transport virtualization (draft-hasmit-otv).
pub(in crate::decode) fn print_overlay(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("OTV, ");
    if layer.len < HEADER {
        write!(p, "[length {} < {HEADER}]", layer.len);
        return p.invalid(layer, "otv");
    }
    let mut cursor = layer.cursor("otv");
    let flags = cursor.u8()?;
    write!(p, "flags [{}] (0x{flags:02x}), ", if flags & 8 == 0 { "." } else { "I" });
    write!(p, "overlay {}, ", cursor.u24()?);
    writeln!(p, "instance {}", cursor.u24()?);
    cursor.skip(1)?;
    p.nested(|p| ethernet::print(p, layer.skip(HEADER)))
}

//! Tunnels: GRE (RFC 2784, RFC 2890), VXLAN (RFC 7348) and MPLS (RFC 3032).

use super::cursor::{Layer, Printed};
use super::{Printer, ethernet, ethertype, ipv4, ipv6};

const TRANSPARENT_ETHERNET: u16 = 0x6558;

const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;

/// Prints a GRE packet.
pub(super) fn print_gre(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("gre");
    let flags = cursor.u16()?;
    let version = flags & 7;
    write!(p, "GREv{version}");
    if version > 1 {
        p.text(" ERROR: unknown-version");
        return Ok(());
    }
    if p.verbose() {
        print_gre_flags(p, flags);
    }
    let protocol = cursor.u16()?;
    if version == 1 {
        write!(p, " ip-proto-47 {}", layer.len);
        return Ok(());
    }
    if flags & CHECKSUM != 0 {
        let checksum = cursor.u16()?;
        if p.verbose() {
            write!(p, ", sum 0x{checksum:x}");
        }
        write!(p, ", off 0x{:x}", cursor.u16()?);
    }
    if flags & KEY != 0 {
        write!(p, ", key=0x{:x}", cursor.u32()?);
    }
    if flags & SEQUENCE != 0 {
        write!(p, ", seq {}", cursor.u32()?);
    }
    if p.style.link_header {
        let name = ethertype::name(protocol).unwrap_or("unknown");
        write!(p, ", proto {name} (0x{protocol:04x})");
    }
    write!(p, ", length {}", layer.len);
    p.text(if p.verbose() { "\n\t" } else { ": " });
    let inner = layer.skip(cursor.at());
    match protocol {
        ethertype::IPV4 => p.nested(|p| ipv4::print(p, inner)),
        ethertype::IPV6 => p.nested(|p| ipv6::print(p, inner)),
        ethertype::MPLS => p.nested(|p| print_mpls(p, inner)),
        TRANSPARENT_ETHERNET => p.nested(|p| ethernet::print(p, inner)),
        _ => {
            write!(p, "gre-proto-0x{protocol:x}");
            Ok(())
        }
    }
}

fn print_gre_flags(p: &mut Printer<'_>, flags: u16) {
    let names = [
        (CHECKSUM, "checksum present"),
        (0x4000, "routing present"),
        (KEY, "key present"),
        (SEQUENCE, "sequence# present"),
        (0x0800, "source routing present"),
    ];
    p.text(", Flags [");
    let mut separator = "";
    for (bit, name) in names {
        if flags & bit != 0 {
            write!(p, "{separator}{name}");
            separator = ", ";
        }
    }
    p.text(if separator.is_empty() { "none]" } else { "]" });
}

/// Prints a VXLAN packet; the frame inside begins a line of its own.
pub(super) fn print_vxlan(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
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

/// Prints a stack of MPLS labels and the packet after it, whose first bits tell the IP version.
pub(super) fn print_mpls(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
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

//! Generic routing encapsulation (RFC 2784, RFC 2890, RFC 1701), and its version for PPTP (RFC 2637).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::link::{ethernet, ethertype, ppp};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;
use crate::decode::tunnels::mpls;

const TRANSPARENT_ETHERNET: u16 = 0x6558;
const PPP: u16 = 0x880b;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGMENT: u16 = 0x0080;
const FLAGS: [(u32, &str); 6] = [
    (0x8000, "checksum present"),
    (0x4000, "routing present"),
    (0x2000, "key present"),
    (0x1000, "sequence# present"),
    (0x0800, "source routing present"),
    (0x0080, "ack present"),
];

/// Prints a GRE packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("gre");
    let flags = cursor.u16()?;
    let version = flags & 7;
    write!(p, "GREv{version}");
    if version > 1 {
        p.text(" ERROR: unknown-version");
        return Ok(());
    }
    if p.verbose() {
        p.text(", Flags [");
        p.flags(u32::from(flags), &FLAGS, ", ");
        p.text("]");
    }
    let protocol = cursor.u16()?;
    if version == 1 {
        print_pptp(p, flags, protocol, cursor, layer)
    } else {
        print_0(p, flags, protocol, cursor, layer)
    }
}

fn print_proto_and_length(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>) {
    if p.style.link_header {
        let name = ethertype::name(protocol).unwrap_or("unknown");
        write!(p, ", proto {name} (0x{protocol:04x})");
    }
    write!(p, ", length {}", layer.len);
}

fn print_0(
    p: &mut Printer<'_>,
    flags: u16,
    protocol: u16,
    mut cursor: Cursor<'_>,
    layer: Layer<'_>,
) -> Printed {
    if flags & (CHECKSUM | ROUTING) != 0 {
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
    if flags & ROUTING != 0 {
        print_routing(p, &mut cursor)?;
    }
    print_proto_and_length(p, protocol, layer);
    p.text(if p.verbose() { "\n\t" } else { ": " });
    let inner = layer.skip(cursor.at());
    match protocol {
        ethertype::IPV4 => p.nested(|p| ipv4::print(p, inner)),
        ethertype::IPV6 => p.nested(|p| ipv6::print(p, inner)),
        ethertype::MPLS => p.nested(|p| mpls::print(p, inner)),
        TRANSPARENT_ETHERNET => p.nested(|p| ethernet::print(p, inner)),
        _ => {
            write!(p, "gre-proto-0x{protocol:x}");
            Ok(())
        }
    }
}

/// Prints source routes (RFC 1701), which a route without a family ends.
fn print_routing(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    loop {
        let family = cursor.u16()?;
        let (offset, len) = (cursor.u8()?, cursor.u8()?);
        if len == 0 {
            return Ok(());
        }
        print_route(p, family, offset, len, cursor)?;
    }
}

fn print_route(
    p: &mut Printer<'_>,
    family: u16,
    offset: u8,
    len: u8,
    cursor: &mut Cursor<'_>,
) -> Result<(), Truncated> {
    let width = match family {
        0x0800 => 4,
        0xfffe => 2,
        _ => {
            write!(p, ", (rtaf=0x{family:x})");
            return cursor.skip(len.into());
        }
    };
    p.text(if width == 4 { ", (rtaf=ip" } else { ", (rtaf=asn" });
    let mut entries = Cursor::new("gre", cursor.take(len.into())?);
    if !offset.is_multiple_of(width) {
        write!(p, ", badoffset={offset}");
    } else if !len.is_multiple_of(width) {
        write!(p, ", badlength={len}");
    } else if offset >= len {
        write!(p, ", badoff/len={offset}/{len}");
    } else {
        for at in (0..len).step_by(width.into()) {
            p.text(if at == offset { " *" } else { " " });
            if width == 4 {
                write!(p, "{}", Ipv4::read(&mut entries)?);
            } else {
                write!(p, "{:x}", entries.u16()?);
            }
        }
    }
    p.text(")");
    Ok(())
}

fn print_pptp(
    p: &mut Printer<'_>,
    flags: u16,
    protocol: u16,
    mut cursor: Cursor<'_>,
    layer: Layer<'_>,
) -> Printed {
    if flags & KEY != 0 {
        // The upper half is the payload's length.
        write!(p, ", call {}", cursor.u32()? & 0xffff);
    }
    if flags & SEQUENCE != 0 {
        write!(p, ", seq {}", cursor.u32()?);
    }
    if flags & ACKNOWLEDGMENT != 0 {
        write!(p, ", ack {}", cursor.u32()?);
    }
    if flags & SEQUENCE == 0 {
        p.text(", no-payload");
    }
    print_proto_and_length(p, protocol, layer);
    if flags & SEQUENCE == 0 {
        return Ok(());
    }
    p.text(if p.verbose() { "\n\t" } else { ": " });
    let inner = layer.skip(cursor.at());
    if protocol == PPP {
        return p.nested(|p| ppp::print(p, inner));
    }
    write!(p, "gre-proto-0x{protocol:x}");
    Ok(())
}

//! Generic routing encapsulation (RFC 2784, RFC 2890).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::{ethernet, ethertype};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;
use crate::decode::tunnels::mpls;

const TRANSPARENT_ETHERNET: u16 = 0x6558;

const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const FLAGS: [(u32, &str); 5] = [
    (0x8000, "checksum present"),
    (0x4000, "routing present"),
    (0x2000, "key present"),
    (0x1000, "sequence# present"),
    (0x0800, "source routing present"),
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
        ethertype::MPLS => p.nested(|p| mpls::print(p, inner)),
        TRANSPARENT_ETHERNET => p.nested(|p| ethernet::print(p, inner)),
        _ => {
            write!(p, "gre-proto-0x{protocol:x}");
            Ok(())
        }
    }
}

//! Generic network virtualization encapsulation (RFC 8926).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::{ethernet, ethertype};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;
use crate::decode::tunnels::mpls;

const HEADER: usize = 8;
const TRANSPARENT_ETHERNET: u16 = 0x6558;
const FLAGS: [(u32, &str); 8] = [
    (0x80, "O"),
    (0x40, "C"),
    (0x20, "R1"),
    (0x10, "R2"),
    (0x08, "R3"),
    (0x04, "R4"),
    (0x02, "R5"),
    (0x01, "R6"),
];

/// Prints a packet and what it carries.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("Geneve");
    if layer.len < HEADER {
        write!(p, " [length {} < {HEADER}]", layer.len);
        return p.invalid(layer, "geneve");
    }
    let mut cursor = layer.cursor("geneve");
    cursor.need(HEADER)?;
    let first = cursor.u8()?;
    if first >> 6 != 0 {
        write!(p, " ERROR: unknown-version {}", first >> 6);
        return Ok(());
    }
    p.text(", Flags [");
    p.flags(u32::from(cursor.u8()?), &FLAGS, "");
    p.text("]");
    let protocol = cursor.u16()?;
    let network = cursor.u32()?;
    write!(p, ", vni 0x{:x}", network >> 8);
    if network & 0xff != 0 {
        write!(p, ", rsvd 0x{:x}", network & 0xff);
    }
    if p.style.link_header {
        let name = ethertype::name(protocol).unwrap_or("unknown");
        write!(p, ", proto {name} (0x{protocol:04x})");
    }
    let options = usize::from(first & 0x3f) * 4;
    let rest = layer.skip(HEADER);
    if rest.len < options {
        write!(p, " truncated-geneve - {} bytes missing", options - rest.len);
        return Ok(());
    }
    rest.cursor("geneve").need(options)?;
    if options > 0 {
        p.text(", options [");
        if p.verbose() {
            print_options(p, rest.cut(options))?;
        } else {
            write!(p, "{options} bytes");
        }
        p.text("]");
    }
    p.text(if p.verbose() { "\n\t" } else { ": " });
    let inner = rest.skip(options);
    match protocol {
        ethertype::IPV4 => p.nested(|p| ipv4::print(p, inner)),
        ethertype::IPV6 => p.nested(|p| ipv6::print(p, inner)),
        ethertype::MPLS | ethertype::MPLS_MULTICAST => p.nested(|p| mpls::print(p, inner)),
        TRANSPARENT_ETHERNET => p.nested(|p| ethernet::print(p, inner)),
        _ => {
            write!(p, "geneve-proto-0x{protocol:x}");
            Ok(())
        }
    }
}

fn print_options(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("geneve");
    let mut separator = "";
    while !cursor.rest().is_empty() {
        p.text(separator);
        separator = ", ";
        let class = cursor.u16()?;
        let kind = cursor.u8()?;
        let len = usize::from(cursor.u8()? & 31) * 4;
        let critical = if kind & 0x80 == 0 { "" } else { "(C)" };
        write!(p, "class {} (0x{class:x}) type 0x{kind:x}{critical} len {}", class_name(class), len + 4);
        let Ok(data) = cursor.take(len) else {
            p.text(" [bad length]");
            return Ok(());
        };
        if p.style.verbosity > 1 && len > 0 {
            p.text(" data");
            for word in data.chunks(4) {
                p.text(" ");
                p.digits(word);
            }
        }
    }
    Ok(())
}

/// Names of option classes (IANA).
fn class_name(class: u16) -> &'static str {
    match class {
        0..=0xff => "Standard",
        0x0100 => "Linux",
        0x0101 => "Open vSwitch",
        0x0102 => "Open Virtual Networking (OVN)",
        0x0103 => "In-band Network Telemetry (INT)",
        0x0104 => "VMware",
        0xfff0..=0xffff => "Experimental",
        _ => "Unknown",
    }
}

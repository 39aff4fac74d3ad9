//! The header that Broadcom's switches put before intercepted packets (no public specification).

use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::link::ethernet;
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;

/// Prints the header, and the packet after it with `-v`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    const DIRECTIONS: [&str; 4] = ["unknown", "unused", "egress", "ingress"];
    const TAGS: [&str; 4] = ["unknown", "single VLAN tag", "double VLAN tag", "untagged"];
    if layer.len < 4 {
        write!(p, " (length {} < 4) (invalid)", layer.len);
        return Ok(());
    }
    let header = layer.cursor("bcm_li").u32()?;
    let direction = DIRECTIONS.get((header >> 29) as usize).unwrap_or(&"unknown");
    let kind = header >> 25 & 15;
    let name = match kind {
        4 => "undecided",
        5 => "ipv4",
        6 => "ipv6",
        7 => "ethernet",
        _ => "unknown",
    };
    let tags = TAGS.get((header >> 22 & 7) as usize).unwrap_or(&"unknown");
    let id = header & 0x003f_ffff;
    p.text(if p.verbose() { "\n    " } else { "" });
    write!(p, "BCM-LI-SHIM: direction {direction}, pkt-type {name}, pkt-subtype {tags}, li-id {id}");
    if !p.verbose() {
        return if layer.bytes.len() < layer.len { Err(Truncated("bcm_li")) } else { Ok(()) };
    }
    p.text("\n    ");
    let packet = layer.skip(4);
    match kind {
        4 => match packet.cursor("bcm_li").u8()? >> 4 {
            4 => p.nested(|p| ipv4::print(p, packet)),
            6 => p.nested(|p| ipv6::print(p, packet)),
            _ => {
                p.text("unknown payload");
                Ok(())
            }
        },
        5 => p.nested(|p| ipv4::print(p, packet)),
        6 => p.nested(|p| ipv6::print(p, packet)),
        7 => p.nested(|p| ethernet::print(p, packet)),
        _ => {
            p.text(" (invalid)");
            Ok(())
        }
    }
}

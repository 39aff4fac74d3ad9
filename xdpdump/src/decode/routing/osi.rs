//! What the network layer protocol identifiers of OSI stand for (ISO/IEC TR 9577), and the checksum of its protocols.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;
use crate::decode::routing::{clnp, esis, isis};

const NULL: u8 = 0x00;
const CLNP: u8 = 0x81;
const ESIS: u8 = 0x82;
const ISIS: u8 = 0x83;
const IPV6: u8 = 0x8e;
const IPV4: u8 = 0xcc;

/// Names of network layer protocols.
pub(super) fn name(id: u8) -> Option<&'static str> {
    Some(match id {
        NULL => "NULL",
        0x08 => "Q.933",
        0x09 => "LMI",
        0x80 => "SNAP",
        CLNP => "CLNP",
        ESIS => "ES-IS",
        ISIS => "IS-IS",
        0x84 => "CONS",
        0x85 => "IDRP",
        0x8a => "X25 ES-IS",
        IPV6 => "IPv6",
        0xb1 => "FRF.15",
        0xc1 => "ISIS_SPB",
        IPV4 => "IPv4",
        0xcf => "PPP",
        _ => return None,
    })
}

/// Prints a packet that begins with such an identifier.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let id = layer.cursor("isoclns").u8()?;
    let separator = if p.style.link_header { "" } else { ", " };
    if p.style.link_header {
        write!(p, "OSI NLPID {} (0x{id:02x}): ", name(id).unwrap_or("Unknown"));
    }
    let understood = match id {
        CLNP => clnp::print(p, layer)?,
        ESIS => {
            esis::print(p, layer)?;
            true
        }
        ISIS => isis::print(p, layer)?,
        IPV4 => return p.nested(|p| ipv4::print(p, layer.skip(1))),
        IPV6 => return p.nested(|p| ipv6::print(p, layer.skip(1))),
        NULL => {
            write!(p, "{separator}length: {}", layer.len);
            true
        }
        _ => {
            if !p.style.link_header {
                write!(p, "OSI NLPID 0x{id:02x} unknown");
            }
            write!(p, "{separator}length: {}", layer.len);
            layer.len <= 1
        }
    };
    if !understood {
        p.hex("\n\t", layer.bytes);
    }
    Ok(())
}

/// Prints whether the checksum of ISO 8473 is right: of `bytes` from the offset `from` of a packet, with the field at offset
/// 24 of a link state packet.
pub(super) fn print_checksum(p: &mut Printer<'_>, bytes: Option<&[u8]>, field: u16, from: usize) {
    /// Offset of the checksum in a link state packet.
    const FIELD: usize = 24;
    print_checksum_at(p, bytes, field, FIELD.saturating_sub(from));
}

/// Prints whether the checksum of ISO 8473 at offset `at` of `bytes` is right.
pub(super) fn print_checksum_at(p: &mut Printer<'_>, bytes: Option<&[u8]>, field: u16, at: usize) {
    match bytes.and_then(|bytes| checksum(bytes, at)) {
        // Zero means that there is none.
        _ if field == 0 => p.text(" (unverified)"),
        None => p.text(" (unverified)"),
        Some(right) if right == field => p.text(" (correct)"),
        Some(right) => write!(p, " (incorrect should be 0x{right:04x})"),
    }
}

/// Fletcher's checksum with its two bytes at offset `at` (RFC 1008 §7.2.1).
fn checksum(bytes: &[u8], at: usize) -> Option<u16> {
    if at + 2 > bytes.len() {
        return None;
    }
    let (mut first, mut second) = (0_u64, 0_u64);
    for (i, byte) in bytes.iter().enumerate() {
        let byte = if i == at || i == at + 1 { 0 } else { u64::from(*byte) };
        first = (first + byte) % 255;
        second = (second + first) % 255;
    }
    let after = (bytes.len() - at - 1) as u64;
    let x = match (after * first + 255 - second) % 255 {
        0 => 255,
        x => x,
    };
    let y = 510 - first - x;
    let y = if y > 255 { y - 255 } else { y };
    Some((x << 8 | y) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet with its checksum has sums of zero (RFC 1008 §7.2.2).
    #[test]
    fn checksums_make_both_sums_zero() {
        let mut bytes: Vec<u8> = (0..60_u8).map(|i| i.wrapping_mul(37)).collect();
        for at in [0, 7, 58] {
            let field = checksum(&bytes, at).unwrap().to_be_bytes();
            bytes[at..at + 2].copy_from_slice(&field);
            let (mut first, mut second) = (0_u32, 0_u32);
            for byte in &bytes {
                first = (first + u32::from(*byte)) % 255;
                second = (second + first) % 255;
            }
            assert_eq!((first, second), (0, 0), "checksum at {at}");
        }
        assert_eq!(checksum(&bytes, 59), None);
    }
}

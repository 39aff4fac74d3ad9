//! ARP (RFC 826), RARP (RFC 903) and `InARP` (RFC 2390).

use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ethertype;
use crate::decode::printer::Printer;

const REQUEST: u16 = 1;
const REPLY: u16 = 2;
const REVERSE_REQUEST: u16 = 3;
const REVERSE_REPLY: u16 = 4;
const INVERSE_REQUEST: u16 = 8;
const INVERSE_REPLY: u16 = 9;
const NACK: u16 = 10;

/// Prints an ARP packet; `layer` includes the frame's padding.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("arp");
    let hardware = cursor.u16()?;
    let protocol = cursor.u16()?;
    let hardware_len = usize::from(cursor.u8()?);
    let protocol_len = usize::from(cursor.u8()?);
    let operation = cursor.u16()?;
    // All four addresses must be there before anything is printed.
    let sender_mac = cursor.take(hardware_len)?;
    let sender = cursor.take(protocol_len)?;
    let target_mac = cursor.take(hardware_len)?;
    let target = cursor.take(protocol_len)?;

    if !p.style.link_header {
        p.text("ARP, ");
    }
    let is_ip = (protocol == ethertype::IPV4 || protocol == 0x1000) && protocol_len == 4 && hardware_len != 0;
    if !is_ip || p.verbose() {
        print_kinds(p, hardware, hardware_len, protocol, protocol_len);
        if !p.verbose() {
            write!(p, ", length {}", layer.len);
            return Ok(());
        }
        p.text(", ");
    }
    let text = |address| protocol_address(address, protocol, protocol_len);
    match operation {
        REQUEST => {
            write!(p, "Request who-has {}", text(target));
            if target_mac.iter().any(|byte| *byte != 0) {
                write!(p, " ({})", Mac(target_mac));
            }
            write!(p, " tell {}", text(sender));
        }
        REPLY => write!(p, "Reply {} is-at {}", text(sender), hardware_address(sender_mac)),
        REVERSE_REQUEST => {
            write!(
                p,
                "Reverse Request who-is {} tell {}",
                hardware_address(target_mac),
                hardware_address(sender_mac)
            );
        }
        REVERSE_REPLY => write!(p, "Reverse Reply {} at {}", hardware_address(target_mac), text(target)),
        INVERSE_REQUEST => {
            write!(
                p,
                "Inverse Request who-is {} tell {}",
                hardware_address(target_mac),
                hardware_address(sender_mac)
            );
        }
        INVERSE_REPLY => write!(p, "Inverse Reply {} at {}", hardware_address(sender_mac), text(sender)),
        _ => {
            if operation == NACK {
                p.text("NACK Reply ");
            } else {
                write!(p, "Unknown ({operation}) ");
            }
            p.hex_ascii("\n\t", layer.bytes);
            return Ok(());
        }
    }
    write!(p, ", length {}", layer.len);
    Ok(())
}

fn print_kinds(p: &mut Printer<'_>, hardware: u16, hardware_len: usize, protocol: u16, protocol_len: usize) {
    match hardware_name(hardware) {
        Some(name) => write!(p, "{name} (len {hardware_len}), "),
        None => write!(p, "Unknown Hardware ({hardware}) (len {hardware_len}), "),
    }
    match ethertype::name(protocol) {
        Some(name) => write!(p, "{name} (len {protocol_len})"),
        None => write!(p, "Unknown Protocol (0x{protocol:04x}) (len {protocol_len})"),
    }
}

/// Hardware types (IANA ARP parameters) by the names tcpdump gives them.
fn hardware_name(hardware: u16) -> Option<&'static str> {
    Some(match hardware {
        1 => "Ethernet",
        6 => "TokenRing",
        7 => "ArcNet",
        15 => "FrameRelay",
        17 => "Strip",
        24 => "IEEE 1394",
        32 => "InfiniBand",
        _ => return None,
    })
}

fn hardware_address(address: &[u8]) -> String {
    if address.is_empty() { "<empty>".into() } else { Mac(address).to_string() }
}

fn protocol_address(address: &[u8], protocol: u16, len: usize) -> String {
    match address.first_chunk::<4>() {
        _ if protocol != ethertype::IPV4 && protocol != 0x1000 => "<wrong proto type>".into(),
        Some(bytes) if len == 4 => Ipv4(*bytes).to_string(),
        _ => "<wrong len>".into(),
    }
}

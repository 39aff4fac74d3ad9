//! The loopback interfaces of BSD and macOS: a protocol family, and its packet.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;

const HEADER: usize = 4;
const INET: u32 = 2;
/// IPv6 has another number on NetBSD and OpenBSD, on FreeBSD, and on macOS.
const INET6: [u32; 3] = [24, 28, 30];

/// Prints a packet behind its protocol family, whose byte order is that of the capturing machine, or of the network.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let mut cursor = frame.cursor("null");
    let family = cursor.u32()?;
    // No family has so great a number.
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    if p.style.link_header {
        print_header(p, family, frame.len);
    }
    let packet = frame.skip(HEADER);
    match family {
        INET => ipv4::print(p, packet),
        _ if INET6.contains(&family) => ipv6::print(p, packet),
        _ => {
            if !p.style.link_header {
                print_header(p, family, frame.len);
            }
            p.payload(packet);
            Ok(())
        }
    }
}

fn print_header(p: &mut Printer<'_>, family: u32, len: usize) {
    let name = match family {
        INET => Some("IPv4"),
        6 => Some("NS"),
        7 => Some("ISO"),
        16 => Some("Appletalk"),
        23 => Some("IPX"),
        _ if INET6.contains(&family) => Some("IPv6"),
        _ => None,
    };
    match (p.style.quiet, name) {
        (false, name) => write!(p, "AF {} ({family})", name.unwrap_or("Unknown")),
        (true, Some(name)) => p.text(name),
        (true, None) => write!(p, "Unknown AF {family}"),
    }
    write!(p, ", length {len}: ");
}

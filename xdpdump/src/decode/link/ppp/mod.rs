//! The point-to-point protocol (RFC 1661); its control protocols have a file each.

mod auth;
mod ccp;
mod control;
mod ipcp;
mod lcp;
pub(in crate::decode) mod links;

use crate::decode::cursor::{Layer, Printed};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;
use crate::decode::tunnels::mpls;

const IPV4: u16 = 0x0021;
/// TCP whose header is not compressed (RFC 1144); tcpdump prints it as an IP packet.
const UNCOMPRESSED: u16 = 0x002f;
const IPV6: u16 = 0x0057;
const IPX: u16 = 0x002b;
const MULTILINK: u16 = 0x003d;
const COMPRESSED: u16 = 0x00fd;
const MPLS: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;
const IPCP: u16 = 0x8021;
const OSICP: u16 = 0x8023;
const IPV6CP: u16 = 0x8057;
const CCP: u16 = 0x80fd;
const MPLSCP: u16 = 0x8281;
const LCP: u16 = 0xc021;
const PAP: u16 = 0xc023;
const BACP: u16 = 0xc02b;
const BAP: u16 = 0xc02d;
const CHAP: u16 = 0xc223;

/// Prints a frame whose address and control may be missing, and whose protocol may be a byte (RFC 1661 §6).
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    layer.cursor("ppp").need(2)?;
    let is_framed = layer.bytes.starts_with(&[0xff, 3]);
    print_numbered(p, layer.skip(if is_framed { 2 } else { 0 }), layer.len)
}

/// Prints what begins with the number of a protocol; the frame has `total` bytes.
fn print_numbered(p: &mut Printer<'_>, layer: Layer<'_>, total: usize) -> Printed {
    let mut cursor = layer.cursor("ppp");
    cursor.need(2)?;
    let first = cursor.u8()?;
    // The last byte of a protocol is odd.
    let protocol =
        if first & 1 == 1 { u16::from(first) } else { u16::from(first) << 8 | u16::from(cursor.u8()?) };
    if p.style.link_header {
        write!(p, "{} (0x{protocol:04x}), length {total}", name(protocol).unwrap_or("unknown"));
        if name(protocol).is_none() {
            return Ok(());
        }
        p.text(": ");
    }
    let len = layer.len;
    print_protocol(p, protocol, layer.skip(cursor.at()), len)
}

/// Prints what a protocol carries; `total` are the bytes with the protocol itself.
fn print_protocol(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>, total: usize) -> Printed {
    match protocol {
        LCP | IPCP | OSICP | IPV6CP | CCP | MPLSCP | BACP => control::print(p, protocol, layer, total),
        IPV4 | UNCOMPRESSED => p.nested(|p| ipv4::print(p, layer)),
        IPV6 => p.nested(|p| ipv6::print(p, layer)),
        MPLS | MPLS_MULTICAST => p.nested(|p| mpls::print(p, layer)),
        IPX => crate::decode::link::ipx::print(p, layer),
        MULTILINK => {
            multilink(p, layer);
            Ok(())
        }
        PAP => auth::print_pap(p, layer),
        CHAP => auth::print_chap(p, layer),
        BAP => Ok(()),
        COMPRESSED => {
            p.text("compressed PPP data");
            Ok(())
        }
        // What begins with a flag of asynchronous lines is read from the byte after it.
        0x7e00..0x7f00 => {
            let mut cursor = layer.cursor("ppp");
            let second = cursor.u8()?;
            let protocol = protocol << 8 | u16::from(second);
            if protocol >> 8 == 0x7e {
                write!(p, "(protocol 0x{protocol:04x} invalid)");
                return Ok(());
            }
            print_protocol(p, protocol, layer.skip(1), total.saturating_sub(1))
        }
        _ => {
            match name(protocol) {
                Some(name) => write!(p, "{name} "),
                None => write!(p, "unknown PPP protocol (0x{protocol:04x}) "),
            }
            p.hex("\n\t", layer.bytes);
            Ok(())
        }
    }
}

/// Prints a fragment of the multilink protocol (RFC 1990).
fn multilink(p: &mut Printer<'_>, layer: Layer<'_>) {
    if !p.style.link_header {
        p.text("MLPPP, ");
    }
    let Ok(first) = layer.cursor("ppp").u16() else {
        p.text("[|mlppp]");
        return;
    };
    write!(p, "seq 0x{:03x}, Flags [", first & 0xfff);
    p.flags(u32::from(first >> 8), &[(0x80, "begin"), (0x40, "end")], ", ");
    write!(p, "], length {}", layer.len);
}

/// Names of protocols (IANA PPP numbers, as tcpdump writes them).
fn name(protocol: u16) -> Option<&'static str> {
    Some(match protocol {
        IPV4 => "IP",
        0x0023 => "OSI",
        0x0025 => "NS",
        0x0027 => "DECNET",
        0x0029 => "APPLE",
        IPX => "IPX",
        0x002d => "VJC IP",
        UNCOMPRESSED => "VJNC IP",
        0x0031 => "BRPDU",
        0x0033 => "STII",
        0x0035 => "VINES",
        MULTILINK => "MLPPP",
        IPV6 => "IP6",
        COMPRESSED => "Compressed",
        0x0201 => "HELLO",
        0x0231 => "LUXCOM",
        0x0233 => "SNS",
        MPLS | MPLS_MULTICAST => "MPLS",
        IPCP => "IPCP",
        OSICP => "OSICP",
        0x8025 => "NSCP",
        0x8027 => "DECNETCP",
        0x8029 => "APPLECP",
        0x802b => "IPXCP",
        0x8033 => "STIICP",
        0x8035 => "VINESCP",
        IPV6CP => "IP6CP",
        CCP => "CCP",
        MPLSCP => "MPLSCP",
        LCP => "LCP",
        PAP => "PAP",
        0xc025 => "LQM",
        0xc027 => "SPAP",
        BACP => "BACP",
        BAP => "BAP",
        0xc03d => "MLPPP-CP",
        0xc123 => "Old-SPAP",
        CHAP => "CHAP",
        0xc227 => "EAP",
        _ => return None,
    })
}

//! PPP (RFC 1661); `links.rs` has the kinds of links.

pub(in crate::decode) mod links;

use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;
use crate::decode::tunnels::mpls;

const NAME: &str = "ppp";
/// Address "all stations" and control "unnumbered information" (RFC 1662).
const ADDRESS: u8 = 0xff;
const CONTROL: u8 = 0x03;

const IPV4: u16 = 0x0021;
const UNCOMPRESSED: u16 = 0x002f;
const IPV6: u16 = 0x0057;
const COMPRESSED: u16 = 0x00fd;
const MPLS: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;

/// Prints a frame whose address and control may be missing.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let is_framed = frame.bytes.starts_with(&[ADDRESS, CONTROL]);
    print_numbered(p, frame.skip(if is_framed { 2 } else { 0 }), frame.len)
}

/// Prints what begins with the number of a protocol, which may be compressed to one byte; the frame has `total` bytes.
pub(super) fn print_numbered(p: &mut Printer<'_>, layer: Layer<'_>, total: usize) -> Printed {
    let mut cursor = layer.cursor(NAME);
    if layer.len < 2 {
        return Err(cursor.truncated());
    }
    let first = cursor.u8()?;
    let protocol = if first % 2 == 1 { first.into() } else { u16::from_be_bytes([first, cursor.u8()?]) };
    if p.style.link_header {
        write!(p, "{} (0x{protocol:04x}), length {total}", name(protocol).unwrap_or("unknown"));
        if name(protocol).is_none() {
            return Ok(());
        }
        p.text(": ");
    }
    print_protocol(p, protocol, layer.skip(cursor.at()), layer.len)
}

/// Prints what follows the number of the protocol; both have `total` bytes.
fn print_protocol(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>, total: usize) -> Printed {
    match protocol {
        IPV4 | UNCOMPRESSED => p.nested(|p| ipv4::print(p, layer)),
        IPV6 => p.nested(|p| ipv6::print(p, layer)),
        MPLS | MPLS_MULTICAST => p.nested(|p| mpls::print(p, layer)),
        COMPRESSED => {
            p.text("compressed PPP data");
            Ok(())
        }
        0x8021 | 0x8023 | 0x8281 | 0x8057 | 0x80fd | 0xc02b | 0xc021 => {
            print_control(p, protocol, layer, total)
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

/// Prints a packet of a control protocol (RFC 1661, section 5).
fn print_control(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>, total: usize) -> Printed {
    let name = name(protocol).unwrap_or("unknown");
    write!(p, "{name}, ");
    let mut cursor = layer.cursor(name);
    let header = if layer.len < 4 { Err(Truncated(name)) } else { cursor.array::<2>() };
    let Ok([code, id]) = header else {
        write!(p, "[|{name}]");
        return Ok(());
    };
    let what = match code {
        0 => "Vendor-Extension",
        1 => "Conf-Request",
        2 => "Conf-Ack",
        3 => "Conf-Nack",
        4 => "Conf-Reject",
        5 => "Term-Request",
        6 => "Term-Ack",
        7 => "Code-Reject",
        8 => "Prot-Reject",
        9 => "Echo-Request",
        10 => "Echo-Reply",
        11 => "Disc-Req",
        12 => "Ident",
        13 => "Time-Rem",
        14 => "Reset-Req",
        15 => "Reset-Ack",
        _ => "Unknown Opcode",
    };
    write!(p, "{what} (0x{code:02x}), id {id}, length {total}");
    if p.verbose() {
        let length = cursor.u16()?;
        match usize::from(length) {
            ..4 => write!(p, "\n\tencoded length {length} (< 4))"),
            long if long > layer.len => {
                write!(p, "\n\tencoded length {length} (> packet length {}))", layer.len);
            }
            _ => {
                write!(p, "\n\tencoded length {length} (=Option(s) length {})", length - 4);
                if matches!(code, 9..=11) && length >= 8 {
                    write!(p, "\n\t  Magic-Num 0x{:08x}", cursor.u32()?);
                }
            }
        }
    }
    Ok(())
}

/// The name tcpdump gives a protocol.
fn name(protocol: u16) -> Option<&'static str> {
    Some(match protocol {
        IPV4 => "IP",
        0x0023 => "OSI",
        0x0025 => "NS",
        0x0027 => "DECNET",
        0x0029 => "APPLE",
        0x002b => "IPX",
        0x002d => "VJC IP",
        UNCOMPRESSED => "VJNC IP",
        0x0031 => "BRPDU",
        0x0033 => "STII",
        0x0035 => "VINES",
        MPLS | MPLS_MULTICAST => "MPLS",
        COMPRESSED => "Compressed",
        0x003d => "MLPPP",
        IPV6 => "IP6",
        0x0201 => "HELLO",
        0x0231 => "LUXCOM",
        0x0233 => "SNS",
        0x8021 => "IPCP",
        0x8023 => "OSICP",
        0x8025 => "NSCP",
        0x8027 => "DECNETCP",
        0x8029 => "APPLECP",
        0x802b => "IPXCP",
        0x8033 => "STIICP",
        0x8035 => "VINESCP",
        0x8057 => "IP6CP",
        0x8281 => "MPLSCP",
        0xc021 => "LCP",
        0xc023 => "PAP",
        0xc025 => "LQM",
        0xc223 => "CHAP",
        0xc227 => "EAP",
        0xc027 => "SPAP",
        0xc123 => "Old-SPAP",
        0xc02b => "BACP",
        0xc02d => "BAP",
        0xc03d => "MLPPP-CP",
        0x80fd => "CCP",
        _ => return None,
    })
}

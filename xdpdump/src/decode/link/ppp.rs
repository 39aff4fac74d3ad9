//! PPP (RFC 1661), by itself and framed like HDLC (RFC 1662).

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

/// Prints a frame of a link of either kind.
pub(in crate::decode) fn print_frame(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    frame.cursor(NAME).need(4)?;
    print(p, frame)
}

/// Prints a frame of a link that frames like HDLC.
pub(in crate::decode) fn print_hdlc(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let mut cursor = frame.cursor("ppp_hdlc");
    cursor.need(4)?;
    let (address, control, protocol) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    if p.style.link_header {
        write!(p, "{address:02x} {control:02x} {} ", frame.len);
    }
    if address != ADDRESS {
        let [address, control] = protocol.to_be_bytes();
        write!(p, "unknown addr {address:02x}; ctrl {control:02x}");
        return Ok(());
    }
    match name(protocol) {
        Some(name) => write!(p, "{name}: "),
        None => write!(p, "unknown PPP protocol (0x{protocol:04x}): "),
    }
    print_protocol(p, protocol, frame.skip(4))
}

/// Prints a frame, which may begin with address and control, and whose protocol may be compressed to one byte.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let mut cursor = frame.cursor(NAME);
    if frame.len < 2 {
        return Err(cursor.truncated());
    }
    let mut header = 0;
    if let [address @ (0 | 1 | ADDRESS), CONTROL] = cursor.array()? {
        header = 2;
        match address {
            // Directions that the PPP daemon of Linux writes.
            0 if p.style.link_header => p.text("In  "),
            1 if p.style.link_header => p.text("Out "),
            _ => {}
        }
    }
    let mut cursor = frame.skip(header).cursor(NAME);
    let first = cursor.u8()?;
    let (protocol, width) =
        if first % 2 == 1 { (first.into(), 1) } else { (u16::from_be_bytes([first, cursor.u8()?]), 2) };
    header += width;
    if p.style.link_header {
        write!(p, "{} (0x{protocol:04x}), length {}", name(protocol).unwrap_or("unknown"), frame.len);
        if name(protocol).is_none() {
            return Ok(());
        }
        p.text(": ");
    }
    print_protocol(p, protocol, frame.skip(header))
}

/// Prints what follows the number of the protocol.
fn print_protocol(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>) -> Printed {
    match protocol {
        IPV4 | UNCOMPRESSED => p.nested(|p| ipv4::print(p, layer)),
        IPV6 => p.nested(|p| ipv6::print(p, layer)),
        MPLS | MPLS_MULTICAST => p.nested(|p| mpls::print(p, layer)),
        COMPRESSED => {
            p.text("compressed PPP data");
            Ok(())
        }
        0x8021 | 0x8023 | 0x8281 | 0x8057 | 0x80fd | 0xc02b | 0xc021 => print_control(p, protocol, layer),
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
fn print_control(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>) -> Printed {
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
    write!(p, "{what} (0x{code:02x}), id {id}, length {}", layer.len + 2);
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

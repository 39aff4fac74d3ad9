//! The lines of the original XDP demo: `28228.714182 IP 10.0.0.2:9203 > 10.0.0.1:0 TCP seq 437136853, length 6`.
//!
//! "length" is what follows the fixed headers in the frame (20-byte TCP, 8-byte UDP), so TCP options and
//! Ethernet padding count. Frames the demo left out or printed garbage for get a line in the same spirit.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::decode::hex::digits;
use crate::packet::{LinkType, Packet};

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;
const TCP: usize = 20;
const UDP: usize = 8;

/// Appends the packet's line without a newline.
pub(super) fn print(out: &mut Vec<u8>, packet: &Packet<'_>, link_type: LinkType) {
    let nanos = packet.uptime.unwrap_or_else(|| packet.timestamp.0.max(0).unsigned_abs());
    let line = describe(packet.frame, packet.frame_len as usize, link_type);
    // Appending to memory does not fail.
    let _ = write!(out, "{}.{:06} ", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000);
    let _ = match line {
        Line::Ip { name, src, dst, transport, length } => match transport {
            Transport::Tcp { ports: [from, to], seq } => {
                write!(out, "{name} {src}:{from} > {dst}:{to} TCP seq {seq}, length {length}")
            }
            Transport::Udp { ports: [from, to] } => {
                write!(out, "{name} {src}:{from} > {dst}:{to} UDP, length {length}")
            }
            Transport::Icmp => write!(out, "{name} {src}:0 > {dst}:0 ICMP, length {length}"),
            Transport::Other => write!(out, "{name} {src}:0 > {dst}:0 , length {length}"),
        },
        Line::Arp { length } => write!(out, "ARP, length {length}"),
        Line::Other { ethertype, length } => write!(out, "{ethertype:04x}, length {length}"),
        Line::Short { length } => write!(out, "truncated, length {length}"),
    };
}

/// Appends the frame: a tab, then groups of two bytes, 16 bytes a line.
pub(super) fn hex(out: &mut Vec<u8>, frame: &[u8]) {
    for line in frame.chunks(16) {
        out.extend_from_slice(b"\n\t");
        for (i, byte) in line.iter().enumerate() {
            if i > 0 && i % 2 == 0 {
                out.push(b' ');
            }
            digits(out, *byte);
        }
    }
}

enum Line {
    Ip { name: &'static str, src: IpAddr, dst: IpAddr, transport: Transport, length: usize },
    Arp { length: usize },
    Other { ethertype: u16, length: usize },
    Short { length: usize },
}

enum Transport {
    Tcp { ports: [u16; 2], seq: u32 },
    Udp { ports: [u16; 2] },
    Icmp,
    Other,
}

fn describe(frame: &[u8], frame_len: usize, link_type: LinkType) -> Line {
    let short = Line::Short { length: frame_len };
    let (ethertype, start) = match (link_type, frame) {
        (LinkType::RAW, [first, ..]) => (if first >> 4 == 6 { 0x86dd } else { 0x0800 }, 0),
        (_, [_, _, _, _, _, _, _, _, _, _, _, _, high, low, ..]) => {
            (u16::from_be_bytes([*high, *low]), ETHERNET)
        }
        _ => return short,
    };
    let length = frame_len.saturating_sub(start);
    let packet = frame.get(start..).unwrap_or_default();
    match ethertype {
        0x0800 => ipv4(packet, length).unwrap_or(short),
        0x86dd => ipv6(packet, length).unwrap_or(short),
        0x0806 => Line::Arp { length },
        _ => Line::Other { ethertype, length },
    }
}

fn ipv4(packet: &[u8], length: usize) -> Option<Line> {
    let header = packet.first_chunk::<IPV4>()?;
    let header_len = (usize::from(header[0] & 15) * 4).max(IPV4);
    let later_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x1fff != 0;
    let address = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        IpAddr::V4(Ipv4Addr::from(bytes))
    };
    let payload = if later_fragment { &[] } else { packet.get(header_len..).unwrap_or_default() };
    let (transport, transport_len) = match header[9] {
        1 => (Transport::Icmp, 0),
        protocol => ports(protocol, payload),
    };
    let length = length.saturating_sub(header_len + transport_len);
    Some(Line::Ip { name: "IP", src: address(12), dst: address(16), transport, length })
}

fn ipv6(packet: &[u8], length: usize) -> Option<Line> {
    let header = packet.first_chunk::<IPV6>()?;
    let address = |bytes: [u8; 16]| IpAddr::V6(Ipv6Addr::from(bytes));
    let (_, addresses) = header.split_last_chunk::<32>()?;
    let (src, dst) = addresses.split_at(16);
    let (src, dst) = (src.try_into().ok()?, dst.try_into().ok()?);
    let (transport, transport_len) = ports(header[6], packet.get(IPV6..).unwrap_or_default());
    let length = length.saturating_sub(IPV6 + transport_len);
    Some(Line::Ip { name: "IP6", src: address(src), dst: address(dst), transport, length })
}

/// The transport header's fields and its fixed size, or 0 where there is none to read.
fn ports(protocol: u8, payload: &[u8]) -> (Transport, usize) {
    let (size, ports) = match (protocol, payload) {
        (6, [a, b, c, d, ..]) if payload.len() >= TCP => (TCP, [a, b, c, d]),
        (17, [a, b, c, d, ..]) if payload.len() >= UDP => (UDP, [a, b, c, d]),
        _ => return (Transport::Other, 0),
    };
    let [a, b, c, d] = ports.map(|byte| *byte);
    let ports = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    match payload {
        [_, _, _, _, a, b, c, d, ..] if size == TCP => {
            (Transport::Tcp { ports, seq: u32::from_be_bytes([*a, *b, *c, *d]) }, size)
        }
        _ => (Transport::Udp { ports }, size),
    }
}

//! The lines of the original XDP demo: `28228.714182 IP 10.0.0.2:9203 > 10.0.0.1:0 TCP seq 437136853, length 6`.
//!
//! "length" counts the bytes of the frame after the fixed headers (20-byte TCP, 8-byte UDP), so it includes TCP options and
//! Ethernet padding. Frames that the demo ignored or printed wrongly get a line in the same style.

use std::io::Write as _;

use crate::decode::headers::{self, Headers, Ip, Transport};
use crate::decode::hex::digits;
use crate::packet::{LinkType, Packet};

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const IPV6: u16 = 0x86dd;

/// Appends the packet's line without a newline.
pub(super) fn print(out: &mut Vec<u8>, packet: &Packet<'_>, link_type: LinkType) {
    let nanos = packet.uptime.unwrap_or_else(|| packet.timestamp.0.max(0).unsigned_abs());
    let line = describe(packet.frame, packet.frame_len as usize, link_type);
    // Writing to a `Vec` does not fail.
    let _ = write!(out, "{}.{:06} ", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1000);
    let _ = match line {
        Line::Ip { ip: Ip { src, dst, transport, .. }, length } => {
            let name = if src.is_ipv6() { "IP6" } else { "IP" };
            match transport {
                Transport::Tcp { ports: [from, to], seq } => {
                    write!(out, "{name} {src}:{from} > {dst}:{to} TCP seq {seq}, length {length}")
                }
                Transport::Udp { ports: [from, to] } => {
                    write!(out, "{name} {src}:{from} > {dst}:{to} UDP, length {length}")
                }
                Transport::Icmp => write!(out, "{name} {src}:0 > {dst}:0 ICMP, length {length}"),
                Transport::Other => write!(out, "{name} {src}:0 > {dst}:0 , length {length}"),
            }
        }
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
    Ip { ip: Ip, length: usize },
    Arp { length: usize },
    Other { ethertype: u16, length: usize },
    Short { length: usize },
}

fn describe(frame: &[u8], frame_len: usize, link_type: LinkType) -> Line {
    let short = Line::Short { length: frame_len };
    let Some(Headers { ethertype, link_len, ip, cut }) = headers::parse(link_type, frame) else {
        return short;
    };
    let length = frame_len.saturating_sub(link_len);
    match (ethertype, ip) {
        (IPV4 | IPV6, Some(ip)) => {
            Line::Ip { ip, length: length.saturating_sub(ip.len + ip.transport.fixed_len()) }
        }
        (IPV4 | IPV6, None) if cut => short,
        (ARP, _) => Line::Arp { length },
        _ => Line::Other { ethertype, length },
    }
}

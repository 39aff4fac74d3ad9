//! Frames written as one line each: what carries the bytes, and the bytes in hex.

use crate::build::{Ipv4, Ipv6, ethernet, hex, udp};

/// The frame of a line:
///
/// * `eth BYTES`: an Ethernet frame from its type on;
/// * `llc BYTES`: an 802.3 frame with its length, padded;
/// * `ip N BYTES`, `ip6 N BYTES`: a packet of IP protocol N;
/// * `udp PORT BYTES`, `udp6 PORT BYTES`: a datagram to this port.
pub fn frame(line: &str) -> Vec<u8> {
    let (kind, rest) = line.split_once(' ').unwrap();
    if kind == "eth" {
        let bytes = hex(rest);
        return ethernet(u16::from_be_bytes([bytes[0], bytes[1]]), &bytes[2..]);
    }
    if kind == "llc" {
        let bytes = hex(rest);
        let padding = vec![0; 46_usize.saturating_sub(bytes.len())];
        return ethernet(bytes.len() as u16, &[&bytes[..], &padding].concat());
    }
    let (number, bytes) = rest.split_once(' ').unwrap();
    let (number, bytes) = (number.parse::<u16>().unwrap(), hex(bytes));
    match kind {
        "ip" => Ipv4::default().frame(number as u8, &bytes),
        "ip6" => Ipv6::default().frame(number as u8, &bytes),
        "udp" => Ipv4::default().frame(17, &udp(40_000, number, &bytes)),
        "udp6" => Ipv6::default().frame(17, &udp(40_000, number, &bytes)),
        _ => panic!("{kind}"),
    }
}

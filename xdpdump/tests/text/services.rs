//! Frames of the protocols that services use, from `services.txt`: valid and invalid messages of each.

use crate::build::{Ipv4, Ipv6, Tcp, hex, udp};

/// Protocol (`udp`, `udp6` or `tcp`), source and destination port, and payload in hex, one frame a line.
const FRAMES: &str = include_str!("services.txt");

/// All frames.
pub fn frames() -> Vec<Vec<u8>> {
    FRAMES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(frame).collect()
}

fn frame(line: &str) -> Vec<u8> {
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap();
    let protocol = word();
    let mut port = || word().parse().unwrap();
    let (src, dst) = (port(), port());
    let payload = hex(words.next().unwrap_or_default());
    match protocol {
        "udp" => Ipv4::default().frame(17, &udp(src, dst, &payload)),
        "udp6" => Ipv6::default().summed(17, 6, &udp(src, dst, &payload)),
        "tcp" => Ipv4::default().frame(6, &Tcp { src, dst, flags: 0x18, ..Tcp::default() }.segment(&payload)),
        _ => panic!("unknown protocol {protocol}"),
    }
}

//! Tests of `inner`, which matches the frame inside a tunnel.

use xdpdump::{
    filter::{Filter, Frame},
    packet::LinkType,
};
use xdpdump_testing::filters::made;

fn matches(expression: &str, bytes: &[u8]) -> bool {
    let filter = Filter::compile(expression, LinkType::ETHERNET).unwrap();
    filter.matches(&Frame { bytes, len: bytes.len() as u32, ..Frame::default() })
}

#[test]
fn what_is_in_a_tunnel_is_found() {
    for (name, frame) in made::tunnels() {
        for expression in [
            "inner tcp port 80",
            "inner dst port 443",
            "inner (tcp and not udp)",
            "inner (ip or ip6) and not tcp",
            "inner (host 10.0.0.1 or host 2001:db8::1)",
            "inner tcp or arp",
        ] {
            assert!(matches(expression, &frame), "{name}: {expression}");
        }
        for expression in
            ["tcp port 80", "inner udp", "inner port 81", "inner arp", "not inner tcp", "inner inner ip"]
        {
            assert!(!matches(expression, &frame), "{name}: {expression}");
        }
        for cut in 0..frame.len() {
            assert!(!matches("inner udp", &frame[..cut]), "{name}: {cut}");
        }
    }
}

#[test]
fn only_bridged_frames_have_mac_addresses() {
    let with_ethernet =
        ["VXLAN", "VXLAN of old", "GENEVE", "GRE with all fields", "VXLAN in two VLANs", "VXLAN over IPv6"];
    for (name, frame) in made::tunnels() {
        let expected = with_ethernet.contains(&name);
        assert_eq!(matches("inner ether src 02:00:00:00:00:02", &frame), expected, "{name}");
    }
}

#[test]
fn tunnels_in_tunnels() {
    let (_, inside) = made::tunnels().swap_remove(0);
    let vxlan = [&[8, 0, 0, 0, 0, 0, 9, 0][..], &inside].concat();
    let frame = made::ethernet(made::IPV4, &made::ipv4(17, 0, &[], &made::udp(1, 4789, &vxlan)));
    assert!(matches("inner inner tcp port 80", &frame));
    assert!(matches("inner (udp port 4789 and inner tcp)", &frame));
    assert!(!matches("inner tcp", &frame));
    // What follows `inner` in the text still refers to the outer frame.
    assert!(matches("inner inner tcp and udp dst port 4789", &frame));
}

#[test]
fn a_frame_without_a_tunnel_has_nothing_inside() {
    let frame = made::ethernet(made::IPV4, &made::ipv4(6, 0, &[], &made::tcp(4789, 4789)));
    assert!(!matches("inner ip", &frame));
    assert!(matches("not inner ip", &frame));
    let later_fragment =
        made::ethernet(made::IPV4, &made::ipv4(17, 0x2005, &[], &made::udp(1, 4789, &[8; 80])));
    assert!(!matches("inner ip", &later_fragment));
}

/// A VLAN tag inside the tunnel is matched like a tag outside.
#[test]
fn vlan_tags_in_tunnels() {
    let tagged =
        made::ethernet(0x8100, &made::vlan(5, made::IPV4, &made::ipv4(6, 0, &[], &made::tcp(80, 443))));
    let frame = made::ethernet(
        made::IPV4,
        &made::ipv4(17, 0, &[], &made::udp(1, 6081, &made::geneve(0x6558, 1, &tagged))),
    );
    assert!(matches("inner (vlan 5 and tcp port 80)", &frame));
    assert!(!matches("inner tcp port 80", &frame));
    assert!(!matches("inner vlan 6", &frame));
}

/// GTP-U does not name the protocol of its payload. If that is not IP, its flags (here 4) must not be mistaken for a
/// protocol number (here IP in IP).
#[test]
fn what_gtp_carries_is_ip_or_nothing() {
    let gtp = |flags: u8, payload: &[u8]| {
        let header = [flags, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        let datagram = made::udp(1, 2152, &[&header[..], payload].concat());
        made::ethernet(made::IPV4, &made::ipv4(17, 0, &[], &datagram))
    };
    for flags in [0x34, 0x32, 0x31, 0x37] {
        assert!(matches("inner ip", &gtp(flags, &made::ipv4(6, 0, &[], &made::tcp(80, 443)))), "{flags:#x}");
        for first in [0x00, 0x12, 0x54, 0x81] {
            let frame = gtp(flags, &[first; 60]);
            assert!(!matches("inner ip or inner ip6 or inner tcp", &frame), "{flags:#x}, {first:#x}");
            assert!(matches("not inner ip", &frame), "{flags:#x}, {first:#x}");
        }
    }
}

//! Frames with every construct that changes the offsets of headers.

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;
/// The protocol number of an Ethernet frame in a tunnel.
pub const ETHERNET_IN_TUNNEL: u16 = 0x6558;

/// Frames with nested layers.
pub fn frames() -> Vec<Vec<u8>> {
    let tcp = tcp(80, 443);
    let packets: Vec<(u16, Vec<u8>)> = vec![
        (IPV4, ipv4(6, 0, &[], &tcp)),
        (IPV4, ipv4(6, 0, &[1, 1, 1, 1, 7, 4, 0, 0], &tcp)),
        (IPV4, ipv4(17, 0, &[], &udp(53, 5353, b"text"))),
        (IPV4, ipv4(17, 0x2000, &[], &udp(53, 5353, b"first fragment"))),
        (IPV4, ipv4(17, 0x2005, &[], &udp(53, 5353, b"later fragment"))),
        (IPV4, ipv4(132, 0, &[], &udp(80, 22, b"sctp begins as udp"))),
        (IPV4, ipv4(1, 0, &[], &[8, 0, 0, 0, 0, 1, 0, 2])),
        (IPV4, ipv4(2, 0, &[1, 1, 1, 1], &[0x16, 0, 0, 0, 224, 0, 0, 1])),
        (IPV4, ipv4(51, 0, &[], &[&[6, 4, 0, 0][..], &[0; 20], &tcp].concat())),
        (IPV6, ipv6(6, &tcp)),
        (IPV6, ipv6(17, &udp(443, 80, b"text"))),
        (IPV6, ipv6(58, &[135, 0, 0, 0, 0, 0, 0, 0])),
        (IPV6, ipv6(44, &[&[6, 0, 0, 1, 0, 0, 0, 9][..], &tcp].concat())),
        (
            IPV6,
            ipv6(0, &[&[60, 0, 1, 4, 0, 0, 0, 0][..], &[43, 1], &[0; 14], &[6, 0], &[0; 6], &tcp].concat()),
        ),
        (IPV6, ipv6(60, &[&[51, 0, 0, 0, 0, 0, 0, 0][..], &[17, 4], &[0; 22], &udp(1, 2, b"")].concat())),
        (IPV6, ipv6(51, &[&[60, 4][..], &[0; 22], &[17, 0], &[0; 6], &udp(1, 2, b"")].concat())),
        (IPV6, ipv6(59, &[])),
        (0x0806, arp([10, 0, 0, 1], [10, 0, 0, 2])),
        (0x8035, arp([10, 0, 0, 2], [192, 168, 1, 1])),
        (
            0x6003,
            [&[20, 0, 0x06, 0, 0, 0xaa, 0, 4, 0, 5, 4, 0, 0, 0, 0xaa, 0, 4, 0, 6, 4][..], &[0; 20]].concat(),
        ),
        (0x8137, vec![0xff; 30]),
        (0x809b, vec![1; 40]),
        (0x80f3, vec![2; 40]),
        (0x8863, vec![0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0]),
    ];
    let mut frames = Vec::new();
    for (ether_type, packet) in &packets {
        frames.push(ethernet(*ether_type, packet));
        frames.push(ethernet(0x8100, &vlan(100, *ether_type, packet)));
        frames.push(ethernet(0x88a8, &vlan(7, 0x8100, &vlan(4000, *ether_type, packet))));
        frames.push(ethernet(0x9100, &vlan(0xfff, *ether_type, packet)));
        frames.push(ethernet(0x8847, &mpls(16, true, packet)));
        frames.push(ethernet(0x8847, &mpls(16, false, &mpls(1000, true, packet))));
        frames.push(ethernet(0x8864, &pppoe(5, *ether_type, packet)));
        frames.push(ethernet(0x8100, &vlan(100, 0x8864, &pppoe(6, *ether_type, packet))));
        for options in [0, 2] {
            let bridged = geneve(0x6558, options, &ethernet(*ether_type, packet));
            let routed = geneve(*ether_type, options, packet);
            for inner in [bridged, routed] {
                let datagram = udp(4000, 6081, &inner);
                frames.push(ethernet(IPV4, &ipv4(17, 0, &[], &datagram)));
                frames.push(ethernet(IPV6, &ipv6(17, &datagram)));
            }
        }
    }
    frames.extend(llc());
    frames.extend(tunnels().into_iter().map(|(_, frame)| frame));
    frames
}

/// Tunnels by name, each with a TCP segment from 10.0.0.1 to 192.168.1.1, ports 80 to 443, inside.
pub fn tunnels() -> Vec<(&'static str, Vec<u8>)> {
    let packet = ipv4(6, 0, &[], &tcp(80, 443));
    let packet6 = ipv6(6, &tcp(80, 443));
    let bridged = ethernet(IPV4, &packet);
    let vxlan = [&[8, 0, 0, 0, 0, 0, 9, 0][..], &bridged].concat();
    let over_udp = |port, payload: &[u8]| ipv4(17, 0, &[], &udp(1, port, payload));
    let gre = |flags: u8, protocol: u16, payload: &[u8]| {
        let optional = vec![0xee; 4 * (flags & 0xb0).count_ones() as usize];
        ipv4(47, 0, &[], &[&[flags, 0][..], &protocol.to_be_bytes(), &optional, payload].concat())
    };
    let gtp = |flags: u8, optional: &[u8]| {
        over_udp(2152, &[&[flags, 255, 0, 0, 0, 0, 0, 1][..], optional, &packet].concat())
    };
    let outer: Vec<(&str, Vec<u8>)> = vec![
        ("VXLAN", over_udp(4789, &vxlan)),
        ("VXLAN of old", over_udp(8472, &vxlan)),
        ("GENEVE", over_udp(6081, &geneve(0x6558, 0, &bridged))),
        ("GENEVE with options", over_udp(6081, &geneve(IPV4, 3, &packet))),
        ("GRE", gre(0, IPV4, &packet)),
        ("GRE with key", gre(0x20, IPV4, &packet)),
        ("GRE with all fields", gre(0xb0, 0x6558, &bridged)),
        ("GTP-U", gtp(0x30, &[])),
        ("GTP-U with sequence number", gtp(0x32, &[0, 7, 0, 0])),
        ("GTP-U with extension headers", gtp(0x34, &[0, 0, 0, 0x85, 1, 0, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0])),
        ("IP in IP", ipv4(4, 0, &[], &packet)),
    ];
    let mut frames: Vec<_> = outer.iter().map(|(name, packet)| (*name, ethernet(IPV4, packet))).collect();
    frames.push(("VXLAN in two VLANs", ethernet(0x88a8, &vlan(1, 0x8100, &vlan(2, IPV4, &outer[0].1)))));
    frames.push(("VXLAN over IPv6", ethernet(IPV6, &ipv6(17, &udp(1, 4789, &vxlan)))));
    frames.push(("IPv6 in GRE", ethernet(IPV4, &gre(0, IPV6, &packet6))));
    frames.push(("IPv6 in IPv4", ethernet(IPV4, &ipv4(41, 0, &[], &packet6))));
    frames
}

/// Frames with a length in place of the EtherType: LLC, SNAP, IPX without either, IS-IS.
fn llc() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for header in [
        &[0x42, 0x42, 3][..],
        &[0xe0, 0xe0, 3],
        &[0xff, 0xff, 0, 30],
        &[0xf0, 0xf0, 0x7f],
        &[6, 6, 3, 0x45],
        &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
        &[0xaa, 0xaa, 3, 8, 0, 7, 0x80, 0x9b],
        &[0xaa, 0xaa, 3, 0, 0, 0, 0x80, 0xf3],
        &[0xaa, 0xaa, 3, 0, 0, 0, 0x81, 0x37],
        &[0x42, 0x43, 0, 0],
        &[0x42, 0x43, 5, 0],
        &[0x42, 0x43, 9, 0],
        &[0x42, 0x43, 0x63],
        &[0xfe, 0xfe, 3, 0x81],
        &[0xfe, 0xfe, 3, 0x82],
    ] {
        frames.push(ethernet(50, &[header, &[0; 40]].concat()));
    }
    for kind in [15, 16, 17, 18, 20, 24, 25, 26, 27, 30] {
        frames.push(ethernet(60, &[&[0xfe, 0xfe, 3, 0x83, 0, 0, 0, kind][..], &[0; 40]].concat()));
    }
    frames
}

/// An Ethernet frame.
pub fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &ether_type.to_be_bytes(), payload].concat()
}

/// A payload with a VLAN tag before it; the tag of the frame that carries it has the type before this one.
pub fn vlan(number: u16, ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&(0x6000 | number).to_be_bytes()[..], &ether_type.to_be_bytes(), payload].concat()
}

fn mpls(label: u32, last: bool, payload: &[u8]) -> Vec<u8> {
    [&(label << 12 | u32::from(last) << 8 | 64).to_be_bytes()[..], payload].concat()
}

fn pppoe(session: u16, ether_type: u16, payload: &[u8]) -> Vec<u8> {
    let protocol: u16 = match ether_type {
        IPV4 => 0x21,
        IPV6 => 0x57,
        other => other,
    };
    let length = payload.len() as u16 + 2;
    [&[0x11, 0][..], &session.to_be_bytes(), &length.to_be_bytes(), &protocol.to_be_bytes(), payload].concat()
}

/// A GENEVE header with so many words of options, and its payload.
pub fn geneve(protocol: u16, options: u8, payload: &[u8]) -> Vec<u8> {
    let options_bytes = vec![0x55; usize::from(options) * 4];
    [&[options, 0][..], &protocol.to_be_bytes(), &[0, 0, 9, 0], &options_bytes, payload].concat()
}

/// An IPv4 packet.
pub fn ipv4(protocol: u8, fragment: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let header_len = 20 + options.len();
    let total = (header_len + payload.len()) as u16;
    let mut packet = vec![0x40 | (header_len / 4) as u8, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 1]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, protocol, 0, 0, 10, 0, 0, 1, 192, 168, 1, 1]);
    packet.extend(options);
    packet.extend(payload);
    packet
}

/// An IPv6 packet.
pub fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next, 64]);
    packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 2]);
    packet.extend(payload);
    packet
}

/// A TCP header without options.
pub fn tcp(source: u16, destination: u16) -> Vec<u8> {
    [
        &source.to_be_bytes()[..],
        &destination.to_be_bytes(),
        &[0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0],
    ]
    .concat()
}

/// A UDP datagram.
pub fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16 + 8;
    [&source.to_be_bytes()[..], &destination.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

fn arp(sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    [&[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2][..], &sender, &[0; 6], &target].concat()
}

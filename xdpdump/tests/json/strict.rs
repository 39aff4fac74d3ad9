//! What etherparse's strict parser says about a frame, which it only does if everything in it fits.

use std::net::IpAddr;

use etherparse::{
    Icmpv4Slice, Icmpv6Slice, LinkExtSlice, LinkSlice, NetSlice, SlicedPacket, TcpSlice, TransportSlice,
    UdpSlice, ether_type,
};
use serde_json::{Value, json};
use xdpdump::packet::LinkType;

use crate::Frame;

/// Asserts that the line of a frame says the same. Where the strict parser refuses a frame, or sees headers where there are
/// none (in later fragments), nothing is compared.
pub fn compare(frame: &Frame, line: &Value) {
    let view = match frame.link_type {
        LinkType::ETHERNET => SlicedPacket::from_ethernet(&frame.bytes).ok(),
        LinkType::RAW => SlicedPacket::from_ip(&frame.bytes).ok(),
        _ => None,
    };
    let Some(view) = view else { return };
    if let Some(LinkSlice::Ethernet2(header)) = &view.link {
        assert_eq!(line["eth"]["src"], mac(header.source()), "{line}");
        assert_eq!(line["eth"]["dst"], mac(header.destination()), "{line}");
        let ether_type = header.ether_type().0;
        let next = ["type", "len", "invalid_lentype"].map(|name| line["eth"][name].clone());
        assert_eq!(next.into_iter().find(|next| !next.is_null()), Some(json!(ether_type)), "{line}");
    }
    let mut announced = view.link.as_ref().and_then(LinkSlice::ether_payload).map(|next| next.ether_type);
    for (at, header) in view.link_exts.iter().enumerate() {
        // Nothing is said about MACsec and what is behind it.
        let LinkExtSlice::Vlan(header) = header else { return };
        announced = Some(header.ether_type());
        assert_eq!(line["vlan"][at]["id"], json!(header.vlan_identifier().value()), "{line}");
        assert_eq!(line["vlan"][at]["priority"], json!(header.priority_code_point().value()), "{line}");
    }
    let (version, object) = match &view.net {
        Some(NetSlice::Ipv4(_)) => (ether_type::IPV4, "ip"),
        Some(NetSlice::Ipv6(_)) => (ether_type::IPV6, "ipv6"),
        Some(NetSlice::Arp(packet)) => {
            assert_eq!(line["arp"]["opcode"], json!(packet.operation().0), "{line}");
            return;
        }
        None => return,
    };
    // The strict parser believes the version of the packet.
    if announced.is_some_and(|announced| announced != version) {
        assert!(line["malformed"].is_string() && line.get(object).is_none(), "{line}");
        return;
    }
    let (src, dst, is_fragment): (IpAddr, IpAddr, bool) = match view.net.as_ref().unwrap() {
        NetSlice::Ipv4(packet) => {
            let header = packet.header();
            assert_eq!(line["ip"]["len"], json!(header.total_len()), "{line}");
            assert_eq!(line["ip"]["ttl"], json!(header.ttl()), "{line}");
            assert_eq!(line["ip"]["proto"], json!(header.protocol().0), "{line}");
            (header.source_addr().into(), header.destination_addr().into(), packet.is_payload_fragmented())
        }
        NetSlice::Ipv6(packet) => {
            let header = packet.header();
            assert_eq!(line["ipv6"]["flow"], json!(header.flow_label().value()), "{line}");
            assert_eq!(line["ipv6"]["hlim"], json!(header.hop_limit()), "{line}");
            assert_eq!(line["ipv6"]["nxt"], json!(header.next_header().0), "{line}");
            (header.source_addr().into(), header.destination_addr().into(), packet.is_payload_fragmented())
        }
        NetSlice::Arp(_) => unreachable!("compared above"),
    };
    assert_eq!(line[object]["src"], src.to_string(), "{line}");
    assert_eq!(line[object]["dst"], dst.to_string(), "{line}");
    if !is_fragment && let Some(transport) = &view.transport {
        compare_transport(transport, line);
    }
}

fn compare_transport(transport: &TransportSlice<'_>, line: &Value) {
    match transport {
        TransportSlice::Tcp(header) => compare_tcp(header, &line["tcp"]),
        TransportSlice::Udp(header) => compare_udp(header, &line["udp"]),
        TransportSlice::Icmpv4(message) => compare_icmp(message, &line["icmp"]),
        TransportSlice::Icmpv6(message) => compare_icmpv6(message, &line["icmpv6"]),
        TransportSlice::Igmp(message) => assert_eq!(line["igmp"]["type"], json!(message.type_u8()), "{line}"),
    }
}

fn compare_tcp(header: &TcpSlice<'_>, tcp: &Value) {
    assert_eq!(tcp["srcport"], json!(header.source_port()), "{tcp}");
    assert_eq!(tcp["dstport"], json!(header.destination_port()), "{tcp}");
    assert_eq!(tcp["seq_raw"], json!(header.sequence_number()), "{tcp}");
    assert_eq!(tcp["ack_raw"], json!(header.acknowledgment_number()), "{tcp}");
    assert_eq!(tcp["hdr_len"], json!(header.header_len()), "{tcp}");
    assert_eq!(tcp["window_size_value"], json!(header.window_size()), "{tcp}");
    assert_eq!(tcp["checksum"], json!(header.checksum()), "{tcp}");
    for (name, flag) in [
        ("flags.fin", header.fin()),
        ("flags.syn", header.syn()),
        ("flags.reset", header.rst()),
        ("flags.push", header.psh()),
        ("flags.ack", header.ack()),
        ("flags.urg", header.urg()),
        ("flags.ece", header.ece()),
        ("flags.cwr", header.cwr()),
    ] {
        assert_eq!(tcp[name], json!(flag), "{name} {tcp}");
    }
}

fn compare_udp(header: &UdpSlice<'_>, udp: &Value) {
    assert_eq!(udp["srcport"], json!(header.source_port()), "{udp}");
    assert_eq!(udp["dstport"], json!(header.destination_port()), "{udp}");
    assert_eq!(udp["length"], json!(header.length()), "{udp}");
}

fn compare_icmp(message: &Icmpv4Slice<'_>, icmp: &Value) {
    assert_eq!(icmp["type"], json!(message.type_u8()), "{icmp}");
    assert_eq!(icmp["code"], json!(message.code_u8()), "{icmp}");
    assert_eq!(icmp["checksum"], json!(message.checksum()), "{icmp}");
}

fn compare_icmpv6(message: &Icmpv6Slice<'_>, icmp: &Value) {
    assert_eq!(icmp["type"], json!(message.type_u8()), "{icmp}");
    assert_eq!(icmp["code"], json!(message.code_u8()), "{icmp}");
    assert_eq!(icmp["checksum"], json!(message.checksum()), "{icmp}");
}

fn mac(bytes: [u8; 6]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).join(":")
}

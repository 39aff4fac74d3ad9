//! The headers of a frame as objects, an object for each protocol. A name in it, with the protocol's name and a dot before
//! it, is a field's name in Wireshark.

use super::object::Object;
use crate::decode::layers::{
    Arp, Authentication, Ethernet, Extensions, Icmp, Igmp, Ipv4, Ipv6, Layers, Network, Next, Tag, Tcp,
    Transport, Udp,
};

/// The names of the flags of TCP, from the lowest bit up.
const TCP_FLAGS: [&str; 8] = [
    "flags.fin",
    "flags.syn",
    "flags.reset",
    "flags.push",
    "flags.ack",
    "flags.urg",
    "flags.ece",
    "flags.cwr",
];

pub(super) fn write(line: &mut Object<'_>, layers: &Layers) {
    if let Some(header) = &layers.ethernet {
        line.object("eth", |object| ethernet(object, header));
    }
    if layers.tags[0].is_some() {
        line.array("vlan", layers.tags.into_iter().flatten(), tag);
    }
    match &layers.network {
        Some(Network::Arp(packet)) => line.object("arp", |object| arp(object, packet)),
        Some(Network::Ipv4(header)) => line.object("ip", |object| ipv4(object, header)),
        Some(Network::Ipv6(header)) => line.object("ipv6", |object| ipv6(object, header)),
        None => {}
    }
    if let Some(header) = &layers.authentication {
        line.object("ah", |object| authentication(object, header));
    }
    match &layers.transport {
        Some(Transport::Tcp(header)) => line.object("tcp", |object| tcp(object, header)),
        Some(Transport::Udp(header)) => line.object("udp", |object| udp(object, *header)),
        Some(Transport::Icmp(message)) => {
            line.object("icmp", |object| icmp(object, message, ["ident", "seq"]));
        }
        Some(Transport::Icmpv6(message)) => {
            line.object("icmpv6", |object| {
                icmp(object, message, ["echo.identifier", "echo.sequence_number"]);
            });
        }
        Some(Transport::Igmp(message)) => line.object("igmp", |object| igmp(object, *message)),
        None => {}
    }
    if let Some(name) = layers.truncated {
        line.string("truncated", name);
    }
    if let Some(name) = layers.malformed {
        line.string("malformed", name);
    }
}

fn ethernet(object: &mut Object<'_>, header: &Ethernet) {
    object.mac("dst", header.dst);
    object.mac("src", header.src);
    match header.next {
        Next::Type(number) => object.number("type", number),
        Next::Length(number) => object.number("len", number),
        Next::Neither(number) => object.number("invalid_lentype", number),
    }
}

fn tag(object: &mut Object<'_>, tag: Tag) {
    object.number("priority", tag.priority);
    object.boolean("dei", tag.drop_eligible);
    object.number("id", tag.id);
    match tag.next {
        Next::Type(number) | Next::Neither(number) => object.number("etype", number),
        Next::Length(number) => object.number("len", number),
    }
}

fn arp(object: &mut Object<'_>, packet: &Arp) {
    object.number("hw.type", packet.hardware_type);
    object.number("proto.type", packet.protocol_type);
    object.number("hw.size", packet.hardware_len);
    object.number("proto.size", packet.protocol_len);
    object.number("opcode", packet.operation);
    if let Some([sender, target]) = packet.macs {
        object.mac("src.hw_mac", sender);
        object.mac("dst.hw_mac", target);
    }
    if let Some([sender, target]) = packet.ips {
        object.address("src.proto_ipv4", sender);
        object.address("dst.proto_ipv4", target);
    }
}

fn ipv4(object: &mut Object<'_>, header: &Ipv4) {
    object.number("hdr_len", header.header_len);
    object.number("dsfield.dscp", header.service >> 2);
    object.number("dsfield.ecn", header.service & 3);
    object.number("len", header.total_len);
    object.number("id", header.id);
    object.boolean("flags.df", header.dont_fragment);
    object.boolean("flags.mf", header.more_fragments);
    object.number("frag_offset", header.fragment_offset);
    object.number("ttl", header.ttl);
    object.number("proto", header.protocol);
    object.number("checksum", header.checksum);
    object.address("src", header.src);
    object.address("dst", header.dst);
}

fn ipv6(object: &mut Object<'_>, header: &Ipv6) {
    object.number("tclass.dscp", header.traffic_class >> 2);
    object.number("tclass.ecn", header.traffic_class & 3);
    object.number("flow", header.flow_label);
    object.number("plen", header.payload_len);
    object.number("nxt", header.next_header);
    object.number("hlim", header.hop_limit);
    object.address("src", header.src);
    object.address("dst", header.dst);
    extensions(object, &header.extensions);
}

fn extensions(object: &mut Object<'_>, extensions: &Extensions) {
    if let Some(next) = extensions.hop_by_hop {
        object.number("hopopts.nxt", next);
    }
    if let Some(next) = extensions.destination {
        object.number("dstopts.nxt", next);
    }
    if let Some(header) = extensions.routing {
        object.number("routing.nxt", header.next_header);
        object.number("routing.type", header.kind);
        object.number("routing.segleft", header.segments_left);
    }
    if let Some(header) = extensions.fragment {
        object.number("fraghdr.nxt", header.next_header);
        object.number("fraghdr.offset", header.offset);
        object.boolean("fraghdr.more", header.more);
        object.number("fraghdr.ident", header.id);
    }
}

fn authentication(object: &mut Object<'_>, header: &Authentication) {
    object.number("next_header", header.next_header);
    object.number("spi", header.spi);
    object.number("sequence", header.sequence);
}

fn tcp(object: &mut Object<'_>, header: &Tcp) {
    let [from, to] = header.ports;
    object.number("srcport", from);
    object.number("dstport", to);
    if let Some(len) = header.payload_len {
        object.number("len", len as u64);
    }
    object.number("seq_raw", header.seq);
    object.number("ack_raw", header.ack);
    object.number("hdr_len", header.header_len);
    object.number("flags", header.flags);
    for (bit, name) in TCP_FLAGS.into_iter().enumerate() {
        object.boolean(name, header.flags >> bit & 1 != 0);
    }
    object.number("window_size_value", header.window);
    object.number("checksum", header.checksum);
    object.number("urgent_pointer", header.urgent);
}

fn udp(object: &mut Object<'_>, header: Udp) {
    let [from, to] = header.ports;
    object.number("srcport", from);
    object.number("dstport", to);
    object.number("length", header.len);
    object.number("checksum", header.checksum);
}

/// The names are those of the identifier and the sequence number of an echo.
fn icmp(object: &mut Object<'_>, message: &Icmp, [id, seq]: [&str; 2]) {
    object.number("type", message.kind);
    object.number("code", message.code);
    object.number("checksum", message.checksum);
    if let Some(echo) = message.echo {
        object.number(id, echo.id);
        object.number(seq, echo.seq);
    }
}

fn igmp(object: &mut Object<'_>, message: Igmp) {
    object.number("type", message.kind);
    object.number("checksum", message.checksum);
    if let Some(group) = message.group {
        object.address("maddr", group);
    }
}

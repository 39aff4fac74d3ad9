//! ARP, IPv4 and IPv6.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{
    ArpPacketSlice, EtherType, Ipv4HeaderSlice, Ipv6HeaderSlice, LaxNetSlice, LaxSlicedPacket,
    err::packet::SliceError, ether_type,
};

use super::{End, Extensions, Layers, Rest, extensions, transport};

/// The hardware types with addresses of Ethernet: Ethernet and IEEE 802 (IANA, ARP parameters).
const ETHERNET: [u16; 2] = [1, 6];

/// The header behind the link-level header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Arp(Arp),
    Ipv4(Ipv4),
    Ipv6(Ipv6),
}

/// An ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arp {
    pub(crate) hardware_type: u16,
    pub(crate) protocol_type: u16,
    pub(crate) hardware_len: u8,
    pub(crate) protocol_len: u8,
    pub(crate) operation: u16,
    /// Of the sender and the target, if they are of Ethernet.
    pub(crate) macs: Option<[[u8; 6]; 2]>,
    /// Of the sender and the target, if they are of IPv4.
    pub(crate) ips: Option<[Ipv4Addr; 2]>,
}

/// An IPv4 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ipv4 {
    /// In bytes, options included.
    pub(crate) header_len: u8,
    /// DSCP and ECN.
    pub(crate) service: u8,
    pub(crate) total_len: u16,
    pub(crate) id: u16,
    pub(crate) dont_fragment: bool,
    pub(crate) more_fragments: bool,
    /// In units of 8 bytes.
    pub(crate) fragment_offset: u16,
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    pub(crate) checksum: u16,
    pub(crate) src: Ipv4Addr,
    pub(crate) dst: Ipv4Addr,
}

/// An IPv6 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ipv6 {
    /// DSCP and ECN.
    pub(crate) traffic_class: u8,
    pub(crate) flow_label: u32,
    /// Bytes behind this header; 0 in jumbograms, and in frames that the adapter has not yet cut into segments.
    pub(crate) payload_len: u16,
    pub(crate) next_header: u8,
    pub(crate) hop_limit: u8,
    pub(crate) src: Ipv6Addr,
    pub(crate) dst: Ipv6Addr,
    pub(crate) extensions: Extensions,
}

/// Reads the packet of the type that was announced, and what is in it. `rest` begins with it.
pub(super) fn read(layers: &mut Layers, view: &LaxSlicedPacket<'_>, ether_type: EtherType, rest: Rest<'_>) {
    let (name, version) = match ether_type {
        ether_type::IPV4 => ("ip", Some(4)),
        ether_type::IPV6 => ("ipv6", Some(6)),
        ether_type::ARP => ("arp", None),
        _ => return,
    };
    // etherparse believes the packet's own version, whatever was announced.
    let found = rest.bytes.first().map(|first| first >> 4);
    let is_other = version.is_some() && found.is_some() && found != version;
    match (&view.net, &view.stop_err) {
        _ if is_other => layers.note(End::Malformed(name)),
        (Some(LaxNetSlice::Arp(packet)), _) => layers.network = Some(Network::Arp(arp(packet))),
        (Some(LaxNetSlice::Ipv4(packet)), _) => ipv4(layers, packet.header(), rest),
        (Some(LaxNetSlice::Ipv6(packet)), _) => ipv6(layers, packet.header(), rest),
        (None, Some((SliceError::Len(error), _))) => layers.note(rest.missing(name, error.required_len)),
        (None, _) => layers.note(End::Malformed(name)),
    }
}

fn arp(packet: &ArpPacketSlice<'_>) -> Arp {
    let (hardware_type, protocol_type) = (packet.hw_addr_type().0, packet.proto_addr_type());
    let macs = || Some([packet.sender_hw_addr().try_into().ok()?, packet.target_hw_addr().try_into().ok()?]);
    let ip = |bytes: &[u8]| bytes.first_chunk::<4>().filter(|ip| ip.len() == bytes.len()).copied();
    let ips = || Some([ip(packet.sender_protocol_addr())?, ip(packet.target_protocol_addr())?]);
    Arp {
        hardware_type,
        protocol_type: protocol_type.0,
        hardware_len: packet.hw_addr_size(),
        protocol_len: packet.proto_addr_size(),
        operation: packet.operation().0,
        macs: if ETHERNET.contains(&hardware_type) { macs() } else { None },
        ips: if protocol_type == ether_type::IPV4 { ips().map(|ips| ips.map(Into::into)) } else { None },
    }
}

fn ipv4(layers: &mut Layers, header: Ipv4HeaderSlice<'_>, rest: Rest<'_>) {
    let header_len = header.slice().len();
    let total_len = header.total_len();
    let offset = header.fragments_offset();
    layers.network = Some(Network::Ipv4(Ipv4 {
        // At most 60.
        header_len: header_len as u8,
        service: header.dcp().value() << 2 | header.ecn().value(),
        total_len,
        id: header.identification(),
        dont_fragment: header.dont_fragment(),
        more_fragments: header.more_fragments(),
        fragment_offset: offset.value(),
        ttl: header.ttl(),
        protocol: header.protocol().0,
        checksum: header.header_checksum(),
        src: header.source_addr(),
        dst: header.destination_addr(),
    }));
    let packet = match usize::from(total_len) {
        // A frame that the adapter has not yet cut into segments.
        0 => rest,
        total_len if total_len < header_len => {
            layers.note(End::Malformed("ip"));
            return;
        }
        total_len => {
            if total_len > rest.whole {
                layers.note(End::Malformed("ip"));
            }
            rest.within(total_len)
        }
    };
    // What a later fragment begins with is no header.
    if offset.value() != 0 {
        return;
    }
    let behind = packet.behind(header_len);
    if let Some((protocol, behind)) = extensions::of_ipv4(layers, header.protocol(), behind) {
        transport::read(layers, protocol, behind, header.more_fragments());
    }
}

fn ipv6(layers: &mut Layers, header: Ipv6HeaderSlice<'_>, rest: Rest<'_>) {
    let payload_len = header.payload_length();
    let behind = rest.behind(header.header_len());
    if usize::from(payload_len) > behind.whole {
        layers.note(End::Malformed("ipv6"));
    }
    let behind = if payload_len == 0 { behind } else { behind.within(payload_len.into()) };
    let mut extensions = Extensions::default();
    let next = extensions::of_ipv6(layers, &mut extensions, header.next_header(), behind);
    layers.network = Some(Network::Ipv6(Ipv6 {
        traffic_class: header.traffic_class(),
        flow_label: header.flow_label().value(),
        payload_len,
        next_header: header.next_header().0,
        hop_limit: header.hop_limit(),
        src: header.source_addr(),
        dst: header.destination_addr(),
        extensions,
    }));
    if let Some((protocol, behind)) = next {
        let is_fragment = extensions.fragment.is_some_and(|fragment| fragment.more);
        transport::read(layers, protocol, behind, is_fragment);
    }
}

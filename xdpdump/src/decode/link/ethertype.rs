//! `EtherType` numbers (IEEE 802 Numbers, IANA) and the dispatch on them.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::lldp;
use crate::decode::network::arp;
use crate::decode::network::ipv4;
use crate::decode::network::ipv6;
use crate::decode::printer::Printer;
use crate::decode::routing::osi;
use crate::decode::tunnels::mpls;

pub(in crate::decode) const IPV4: u16 = 0x0800;
pub(in crate::decode) const ARP: u16 = 0x0806;
pub(in crate::decode) const RARP: u16 = 0x8035;
pub(in crate::decode) const VLAN: u16 = 0x8100;
pub(in crate::decode) const IPV6: u16 = 0x86dd;
pub(in crate::decode) const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
pub(in crate::decode) const QINQ: u16 = 0x88a8;
pub(in crate::decode) const LLDP: u16 = 0x88cc;
pub(in crate::decode) const QINQ_9100: u16 = 0x9100;
pub(in crate::decode) const QINQ_9200: u16 = 0x9200;
pub(in crate::decode) const LOOPBACK: u16 = 0x9000;
const OSI: u16 = 0xfefe;

/// The name tcpdump gives an `EtherType`.
pub(in crate::decode) fn name(ethertype: u16) -> Option<&'static str> {
    Some(match ethertype {
        0x0600 => "NS",
        IPV4 => "IPv4",
        ARP => "ARP",
        0x1000 => "Trail",
        0x1111 => "CALM FAST",
        0x6001 => "MOP DL",
        0x6002 => "MOP RC",
        0x6003 => "DN",
        0x6004 => "LAT",
        0x6007 => "SCA",
        0x6558 => "TEB",
        RARP => "Reverse ARP",
        0x8038 => "Lanbridge",
        0x803c => "DEC DNS",
        0x803e => "DEC DTS",
        0x805b => "VEXP",
        0x805c => "VPROD",
        0x809b => "Appletalk",
        0x80f3 => "Appletalk ARP",
        VLAN => "802.1Q",
        0x8137 => "IPX",
        IPV6 => "IPv6",
        0x8808 => "MPCP",
        0x8809 => "Slow Protocols",
        0x880b => "PPP",
        MPLS => "MPLS unicast",
        MPLS_MULTICAST => "MPLS multicast",
        0x8863 => "PPPoE D",
        0x8864 => "PPPoE S",
        0x886f => "MS NLB heartbeat",
        0x888e => "EAPOL",
        0x8899 => "Realtek protocols",
        0x88a2 => "AoE",
        QINQ => "802.1Q-QinQ",
        0x88ca => "TIPC",
        LLDP => "LLDP",
        0x88e5 => "802.1AE MACsec",
        0x88f7 => "PTP",
        0x8902 => "CFM",
        0x893a => "IEEE1905.1",
        0x8947 => "GeoNet",
        0x894f => "NSH",
        LOOPBACK => "Loopback",
        QINQ_9100 => "802.1Q-9100",
        QINQ_9200 => "802.1Q-9200",
        0xd28b => "Arista Vendor Specific Protocol",
        OSI => "OSI",
        _ => return None,
    })
}

/// Prints the payload that an Ethernet header or a tag announces; `None` when there is no decoder for it.
pub(in crate::decode) fn print(p: &mut Printer<'_>, ethertype: u16, layer: Layer<'_>) -> Option<Printed> {
    Some(match ethertype {
        IPV4 => ipv4::print(p, layer),
        IPV6 => ipv6::print(p, layer),
        ARP | RARP => arp::print(p, layer),
        LLDP => lldp::print(p, layer),
        MPLS | MPLS_MULTICAST => mpls::print(p, layer),
        OSI => osi::print(p, layer.skip(1)),
        _ => return None,
    })
}

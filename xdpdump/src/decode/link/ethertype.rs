//! `EtherType` numbers (IEEE 802 Numbers, IANA) and the dispatch on them.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ethernet::Addresses;
use crate::decode::link::{aoe, appletalk, cfm, eap, geonet, ipx, lldp, loopback, mpcp, msnlb};
use crate::decode::link::{ppp, pppoe, ptp, realtek, slow, tipc};
use crate::decode::network::arp;
use crate::decode::network::ipv4;
use crate::decode::network::ipv6;
use crate::decode::printer::Printer;
use crate::decode::routing::osi;
use crate::decode::tunnels::{mpls, nsh};

pub(in crate::decode) const IPV4: u16 = 0x0800;
pub(in crate::decode) const ARP: u16 = 0x0806;
pub(in crate::decode) const RARP: u16 = 0x8035;
pub(in crate::decode) const VLAN: u16 = 0x8100;
pub(in crate::decode) const IPV6: u16 = 0x86dd;
pub(in crate::decode) const MPLS: u16 = 0x8847;
pub(in crate::decode) const MPLS_MULTICAST: u16 = 0x8848;
const GEONET_OLD: u16 = 0x0707;
const CALM_FAST: u16 = 0x1111;
const APPLETALK: u16 = 0x809b;
const AARP: u16 = 0x80f3;
const IPX: u16 = 0x8137;
const PPP: u16 = 0x880b;
const PPPOE_DISCOVERY: u16 = 0x8863;
const PPPOE: u16 = 0x8864;
const HEARTBEAT: u16 = 0x886f;
const REALTEK: u16 = 0x8899;
const AOE: u16 = 0x88a2;
const TIPC: u16 = 0x88ca;
const PTP: u16 = 0x88f7;
const CFM: u16 = 0x8902;
const GEONET: u16 = 0x8947;
const NSH: u16 = 0x894f;
const CFM_OLD: u16 = 0xabcd;
pub(in crate::decode) const ARISTA: u16 = 0xd28b;
const MPCP: u16 = 0x8808;
const SLOW: u16 = 0x8809;
const EAPOL: u16 = 0x888e;
pub(in crate::decode) const MACSEC: u16 = 0x88e5;
pub(in crate::decode) const QINQ: u16 = 0x88a8;
pub(in crate::decode) const LLDP: u16 = 0x88cc;
pub(in crate::decode) const QINQ_9100: u16 = 0x9100;
pub(in crate::decode) const QINQ_9200: u16 = 0x9200;
pub(in crate::decode) const LOOPBACK: u16 = 0x9000;
const OSI: u16 = 0xfefe;

/// The name tcpdump gives an `EtherType`.
pub(in crate::decode) fn name(ethertype: u16) -> Option<&'static str> {
    Some(match ethertype {
        0x00fe => "GRE-OSI",
        0x0200 => "PUP",
        0x0500 => "Sprite",
        0x0600 => "NS",
        GEONET_OLD => "GeoNet (old)",
        IPV4 => "IPv4",
        ARP => "ARP",
        0x1000 => "Trail",
        CALM_FAST => "CALM FAST",
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
        APPLETALK => "Appletalk",
        AARP => "Appletalk ARP",
        VLAN => "802.1Q",
        IPX => "IPX",
        IPV6 => "IPv6",
        MPCP => "MPCP",
        SLOW => "Slow Protocols",
        PPP => "PPP",
        MPLS => "MPLS unicast",
        MPLS_MULTICAST => "MPLS multicast",
        PPPOE_DISCOVERY => "PPPoE D",
        PPPOE => "PPPoE S",
        HEARTBEAT => "MS NLB heartbeat",
        0x8870 => "Jumbo",
        EAPOL => "EAPOL",
        REALTEK => "Realtek protocols",
        AOE => "AoE",
        QINQ => "802.1Q-QinQ",
        TIPC => "TIPC",
        LLDP => "LLDP",
        MACSEC => "802.1AE MACsec",
        PTP => "PTP",
        CFM => "CFM",
        0x893a => "IEEE1905.1",
        GEONET => "GeoNet",
        NSH => "NSH",
        LOOPBACK => "Loopback",
        QINQ_9100 => "802.1Q-9100",
        QINQ_9200 => "802.1Q-9200",
        CFM_OLD => "CFM (old)",
        ARISTA => "Arista Vendor Specific Protocol",
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
        AARP => appletalk::print_resolution(p, layer),
        AOE => aoe::print(p, layer),
        APPLETALK => {
            if p.verbose() {
                p.text("et1 ");
            }
            appletalk::print(p, layer)
        }
        CFM | CFM_OLD => cfm::print(p, layer),
        EAPOL => eap::print_frame(p, layer),
        HEARTBEAT => msnlb::print(p, layer),
        IPX => {
            p.text("(NOV-ETHII) ");
            ipx::print(p, layer)
        }
        LOOPBACK => loopback::print(p, layer),
        MPCP => mpcp::print(p, layer),
        NSH => nsh::print(p, layer),
        PPP => {
            p.text(": ");
            p.nested(|p| ppp::print(p, layer))
        }
        PPPOE_DISCOVERY | PPPOE => pppoe::print(p, layer),
        PTP => ptp::print(p, layer),
        SLOW => slow::print(p, layer),
        TIPC => tipc::print(p, layer),
        _ => return None,
    })
}

/// Like [`print`], also for protocols that print the addresses of their frame.
pub(in crate::decode) fn print_from(
    p: &mut Printer<'_>,
    addresses: Addresses<'_>,
    ethertype: u16,
    layer: Layer<'_>,
) -> Option<Printed> {
    Some(match ethertype {
        CALM_FAST => geonet::print_calm(p, addresses, layer),
        GEONET | GEONET_OLD => geonet::print(p, addresses, layer),
        REALTEK => realtek::print(p, addresses, layer),
        _ => return print(p, ethertype, layer),
    })
}

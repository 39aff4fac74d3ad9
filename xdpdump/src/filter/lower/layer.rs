//! Where the headers are that the next primitive refers to.

use crate::packet::LinkType;

use super::super::ir::{ValueId, Width};

pub(super) const IPV4: u32 = 0x0800;
pub(super) const IPV6: u32 = 0x86dd;
pub(super) const ARP: u32 = 0x0806;
pub(super) const RARP: u32 = 0x8035;
pub(super) const MPLS: u32 = 0x8847;
pub(super) const PPPOE_DISCOVERY: u32 = 0x8863;
pub(super) const PPPOE_SESSION: u32 = 0x8864;
/// An Ethernet frame inside a tunnel (Transparent Ethernet Bridging).
pub(super) const BRIDGED: u32 = 0x6558;
/// IEEE 802.1Q, 802.1ad, and the value used before 802.1ad.
pub(super) const VLAN_TAGS: [u32; 3] = [0x8100, 0x88a8, 0x9100];
/// Length of an Ethernet header in bytes.
pub(super) const ETHERNET_HEADER: u32 = 14;
/// Length of an IPv6 header in bytes.
pub(super) const IPV6_HEADER: u32 = 40;

/// An offset in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub base: Option<ValueId>,
    pub offset: u32,
}

impl Position {
    pub fn at(offset: u32) -> Self {
        Self { base: None, offset }
    }

    pub fn computed(base: ValueId) -> Self {
        Self { base: Some(base), offset: 0 }
    }

    pub fn plus(self, offset: u32) -> Self {
        Self { base: self.base, offset: self.offset.wrapping_add(offset) }
    }
}

/// How the link level identifies the protocol of its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Ethernet,
    /// By the version field in the first byte.
    RawIp,
    /// By an EtherType, or the number of another kind of Ethernet frame (`ETH_P_802_2`, include/uapi/linux/if_ether.h).
    Cooked {
        /// Where the header says whether the frame was sent.
        direction: (u32, Width),
    },
    /// By the address family of an operating system.
    Loopback,
    Ppp,
    /// By a value that was computed, an EtherType, when the tunnel was found.
    Tunnelled {
        ether_type: ValueId,
    },
}

/// The headers that the next primitive refers to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers {
    pub link: Link,
    /// Where the link-level header begins.
    pub header: Position,
    /// Where the field is that identifies the payload's protocol; not used for raw IP.
    pub type_field: Position,
    /// Where the payload of the link-level header begins.
    pub payload: Position,
    /// Bytes from there to the network header; MPLS labels may come between.
    pub network: u32,
    /// The same for frames with an LLC header before the network header.
    pub network_after_llc: u32,
    /// Number of MPLS labels before the network header.
    pub labels: u32,
    /// Whether this is inside a GENEVE tunnel, which may carry packets without a link-level header.
    pub in_geneve: bool,
}

impl Layers {
    /// The layers at the beginning of a frame; `None` if filters do not support this link type.
    pub fn new(link_type: LinkType) -> Option<Self> {
        let (link, type_field, payload) = match link_type {
            LinkType::ETHERNET => (Link::Ethernet, 12, ETHERNET_HEADER),
            LinkType::RAW => (Link::RawIp, 0, 0),
            LinkType::LINUX_SLL => (Link::Cooked { direction: (0, Width::Half) }, 14, 16),
            LinkType::LINUX_SLL2 => (Link::Cooked { direction: (10, Width::Byte) }, 0, 20),
            LinkType::NULL | LinkType::LOOP => (Link::Loopback, 0, 4),
            // After two bytes of HDLC, or six of PPPoE.
            LinkType::PPP | LinkType::PPP_SERIAL | LinkType::PPP_PPPD => (Link::Ppp, 2, 4),
            LinkType::PPP_ETHER => (Link::Ppp, 6, 8),
            _ => return None,
        };
        Some(Self {
            link,
            header: Position::at(0),
            type_field: Position::at(type_field),
            payload: Position::at(payload),
            network: 0,
            network_after_llc: if link == Link::Ethernet { 3 } else { 0 },
            labels: 0,
            in_geneve: false,
        })
    }

    /// Where the network header begins.
    pub fn network_header(&self) -> Position {
        self.payload.plus(self.network)
    }
}

//! Where in the frame the headers are that the next primitive looks at.

use crate::packet::LinkType;

use super::super::ir::ValueId;

pub(super) const IPV4: u32 = 0x0800;
pub(super) const IPV6: u32 = 0x86dd;
pub(super) const ARP: u32 = 0x0806;
pub(super) const RARP: u32 = 0x8035;
pub(super) const MPLS: u32 = 0x8847;
pub(super) const PPPOE_DISCOVERY: u32 = 0x8863;
pub(super) const PPPOE_SESSION: u32 = 0x8864;
/// Ethernet in a tunnel.
pub(super) const BRIDGED: u32 = 0x6558;
/// IEEE 802.1Q, 802.1ad, and what was used before that.
pub(super) const VLAN_TAGS: [u32; 3] = [0x8100, 0x88a8, 0x9100];
/// Length of an Ethernet header.
pub(super) const ETHERNET_HEADER: u32 = 14;
/// Length of an IPv6 header.
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

/// How a link says what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Ethernet,
    /// By the version in the first byte.
    RawIp,
    Ppp,
    /// The header in a tunnel; its protocol, as an EtherType, was found when the tunnel was looked into.
    Tunnelled {
        ether_type: ValueId,
    },
}

/// The headers that the next primitive looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers {
    pub link: Link,
    /// The link-level header.
    pub header: Position,
    /// The field that says what the link carries; means nothing for raw IP.
    pub type_field: Position,
    /// What the link carries.
    pub payload: Position,
    /// From the payload to the network header, as MPLS labels stand between.
    pub network: u32,
    /// The same where an LLC header stands between.
    pub network_after_llc: u32,
    /// MPLS labels seen.
    pub labels: u32,
    /// A GENEVE tunnel, which may carry frames without a link-level header.
    pub in_geneve: bool,
}

impl Layers {
    /// Those a frame begins with.
    pub fn new(link_type: LinkType) -> Self {
        let raw = link_type == LinkType::RAW;
        Self {
            link: if raw { Link::RawIp } else { Link::Ethernet },
            header: Position::at(0),
            type_field: Position::at(if raw { 0 } else { 12 }),
            payload: Position::at(if raw { 0 } else { ETHERNET_HEADER }),
            network: 0,
            network_after_llc: if raw { 0 } else { 3 },
            labels: 0,
            in_geneve: false,
        }
    }

    /// The network header.
    pub fn network_header(&self) -> Position {
        self.payload.plus(self.network)
    }
}

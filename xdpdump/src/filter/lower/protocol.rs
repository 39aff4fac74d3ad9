//! Lowers tests of the protocol of a frame.

use super::{
    super::{
        error::{Complaint, Span},
        ir::Width,
        names::{SCTP, TCP, UDP},
        syntax::Protocol,
    },
    Lowered, Lowering,
    layer::{ARP, IPV4, IPV6, IPV6_HEADER, RARP},
    link, misplaced,
};

/// Protocol numbers of IP (<https://www.iana.org/assignments/protocol-numbers>).
pub(super) const ICMP: u32 = 1;
const IGMP: u32 = 2;
const IGRP: u32 = 9;
pub(super) const FRAGMENT: u32 = 44;
const ESP: u32 = 50;
pub(super) const AH: u32 = 51;
pub(super) const ICMPV6: u32 = 58;
const PIM: u32 = 103;
const VRRP: u32 = 112;

/// ISO network layer protocol identifiers.
const CLNP: u32 = 0x81;
const ESIS: u32 = 0x82;
const ISIS: u32 = 0x83;

/// IS-IS PDU types (ISO 10589).
const LEVEL1_HELLO: u32 = 15;
const LEVEL2_HELLO: u32 = 16;
const POINT_TO_POINT_HELLO: u32 = 17;
const LEVEL1_LINK_STATE: u32 = 18;
const LEVEL2_LINK_STATE: u32 = 20;
const LEVEL1_COMPLETE: u32 = 24;
const LEVEL2_COMPLETE: u32 = 25;
const LEVEL1_PARTIAL: u32 = 26;
const LEVEL2_PARTIAL: u32 = 27;

impl Lowering {
    /// Lowers a protocol that stands alone: `tcp`, `arp`, …
    pub(super) fn protocol(&mut self, protocol: Protocol, span: &Span) -> Lowered {
        match protocol {
            Protocol::Link => Err(misplaced(protocol, "meaning alone", span)),
            Protocol::Ip => self.ether_type(IPV4, span),
            Protocol::Ipv6 => self.ether_type(IPV6, span),
            Protocol::Arp => self.ether_type(ARP, span),
            Protocol::Rarp => self.ether_type(RARP, span),
            Protocol::Atalk => self.ether_type(link::ATALK, span),
            Protocol::Aarp => self.ether_type(link::AARP, span),
            Protocol::Decnet => self.ether_type(link::DECNET, span),
            Protocol::Sca => self.ether_type(0x6007, span),
            Protocol::Lat => self.ether_type(0x6004, span),
            Protocol::MopDl => self.ether_type(0x6001, span),
            Protocol::MopRc => self.ether_type(0x6002, span),
            Protocol::Iso => self.ether_type(link::SAP_ISO, span),
            Protocol::Stp => self.ether_type(link::SAP_STP, span),
            Protocol::Ipx => self.ether_type(link::SAP_IPX, span),
            Protocol::NetBeui => self.ether_type(link::SAP_NETBEUI, span),
            Protocol::Sctp => self.protocol_number(None, SCTP, span),
            Protocol::Tcp => self.protocol_number(None, TCP, span),
            Protocol::Udp => self.protocol_number(None, UDP, span),
            Protocol::Pim => self.protocol_number(None, PIM, span),
            Protocol::Ah => self.protocol_number(None, AH, span),
            Protocol::Esp => self.protocol_number(None, ESP, span),
            Protocol::Icmp => self.protocol_number(Some(Protocol::Ip), ICMP, span),
            Protocol::Igmp => self.protocol_number(Some(Protocol::Ip), IGMP, span),
            Protocol::Igrp => self.protocol_number(Some(Protocol::Ip), IGRP, span),
            Protocol::Vrrp | Protocol::Carp => self.protocol_number(Some(Protocol::Ip), VRRP, span),
            Protocol::Icmpv6 => self.protocol_number(Some(Protocol::Ipv6), ICMPV6, span),
            Protocol::EsIs => self.protocol_number(Some(Protocol::Iso), ESIS, span),
            Protocol::IsIs => self.protocol_number(Some(Protocol::Iso), ISIS, span),
            Protocol::Clnp => self.protocol_number(Some(Protocol::Iso), CLNP, span),
            Protocol::IsIsLevel1 => self.isis_types(
                &[LEVEL1_PARTIAL, LEVEL1_COMPLETE, LEVEL1_LINK_STATE, LEVEL1_HELLO, POINT_TO_POINT_HELLO],
                span,
            ),
            Protocol::IsIsLevel2 => self.isis_types(
                &[LEVEL2_PARTIAL, LEVEL2_COMPLETE, LEVEL2_LINK_STATE, LEVEL2_HELLO, POINT_TO_POINT_HELLO],
                span,
            ),
            Protocol::IsIsHello => self.isis_types(&[POINT_TO_POINT_HELLO, LEVEL1_HELLO, LEVEL2_HELLO], span),
            Protocol::IsIsLinkState => self.isis_types(&[LEVEL1_LINK_STATE, LEVEL2_LINK_STATE], span),
            Protocol::IsIsSequence => {
                self.isis_types(&[LEVEL2_PARTIAL, LEVEL1_PARTIAL, LEVEL1_COMPLETE, LEVEL2_COMPLETE], span)
            }
            Protocol::IsIsCompleteSequence => self.isis_types(&[LEVEL1_COMPLETE, LEVEL2_COMPLETE], span),
            Protocol::IsIsPartialSequence => self.isis_types(&[LEVEL1_PARTIAL, LEVEL2_PARTIAL], span),
        }
    }

    /// Lowers `ip proto 6`: the payload of the first protocol has this protocol number.
    pub(super) fn protocol_number(
        &mut self,
        protocol: Option<Protocol>,
        number: u32,
        span: &Span,
    ) -> Lowered {
        match protocol {
            None => {
                let ipv4 = self.protocol_number(Some(Protocol::Ip), number, span)?;
                let ipv6 = self.protocol_number(Some(Protocol::Ipv6), number, span)?;
                Ok(self.builder.or(ipv4, ipv6))
            }
            Some(Protocol::Link) => self.ether_type(number, span),
            Some(Protocol::Ip) => {
                let ip = self.ether_type(IPV4, span)?;
                let field = self.load(self.layers.network_header(), 9, Width::Byte);
                let field = self.builder.equals(field, number);
                Ok(self.builder.and(ip, field))
            }
            Some(Protocol::Ipv6) => {
                let ip = self.ether_type(IPV6, span)?;
                let next = self.load(self.layers.network_header(), 6, Width::Byte);
                let directly = self.builder.equals(next, number);
                let fragment = self.builder.equals(next, FRAGMENT);
                let behind = self.load(self.layers.network_header(), IPV6_HEADER, Width::Byte);
                let behind = self.builder.equals(behind, number);
                let behind = self.builder.and(fragment, behind);
                let any = self.builder.or(directly, behind);
                Ok(self.builder.and(ip, any))
            }
            Some(Protocol::Iso) => {
                let iso = self.ether_type(link::SAP_ISO, span)?;
                let field = self.load(self.after_llc(), 0, Width::Byte);
                let field = self.builder.equals(field, number);
                Ok(self.builder.and(iso, field))
            }
            Some(Protocol::IsIs) => {
                let isis = self.protocol_number(Some(Protocol::Iso), ISIS, span)?;
                let field = self.load(self.after_llc(), 4, Width::Byte);
                let field = self.builder.equals(field, number);
                Ok(self.builder.and(isis, field))
            }
            Some(protocol) => Err(Complaint::new(
                span.clone(),
                format!(
                    "'proto' cannot follow '{}'; only ether, ip, ip6, iso and isis carry other protocols",
                    protocol.word()
                ),
            )),
        }
    }

    fn isis_types(&mut self, types: &[u32], span: &Span) -> Lowered {
        let mut any = self.builder.always(false);
        for &number in types {
            let one = self.protocol_number(Some(Protocol::IsIs), number, span)?;
            any = self.builder.or(any, one);
        }
        Ok(any)
    }

    fn after_llc(&self) -> super::Position {
        self.layers.payload.plus(self.layers.network_after_llc)
    }
}

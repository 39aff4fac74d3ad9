//! Common to IPv4 and IPv6: protocol numbers (IANA) and the dispatch on them.

use crate::decode::address::Address;
use crate::decode::checksum::Checksum;
use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::link::ethernet;
use crate::decode::network::icmp;
use crate::decode::network::icmpv6;
use crate::decode::network::igmp;
use crate::decode::network::ipv4;
use crate::decode::network::ipv6;
use crate::decode::network::mobility;
use crate::decode::printer::Printer;
use crate::decode::routing::{eigrp, igrp, ospf, pim, rsvp, vrrp};
use crate::decode::transport::dccp;
use crate::decode::transport::pgm;
use crate::decode::transport::sctp;
use crate::decode::transport::tcp;
use crate::decode::transport::udp;
use crate::decode::tunnels::gre;

pub(in crate::decode) const HOP_BY_HOP: u8 = 0;
pub(in crate::decode) const ICMP: u8 = 1;
pub(in crate::decode) const IGMP: u8 = 2;
pub(in crate::decode) const IPIP: u8 = 4;
pub(in crate::decode) const TCP: u8 = 6;
const IGRP: u8 = 9;
pub(in crate::decode) const UDP: u8 = 17;
pub(in crate::decode) const DCCP: u8 = 33;
pub(in crate::decode) const IPV6: u8 = 41;
pub(in crate::decode) const ROUTING: u8 = 43;
pub(in crate::decode) const FRAGMENT: u8 = 44;
const RSVP: u8 = 46;
const GRE: u8 = 47;
pub(in crate::decode) const ESP: u8 = 50;
pub(in crate::decode) const AH: u8 = 51;
pub(in crate::decode) const ICMPV6: u8 = 58;
pub(in crate::decode) const NO_NEXT: u8 = 59;
pub(in crate::decode) const DESTINATION: u8 = 60;
/// The number of mobility headers before they had one of their own.
const MOBILITY_OLD: u8 = 62;
const SUN_ND: u8 = 77;
const EIGRP: u8 = 88;
const OSPF: u8 = 89;
pub(in crate::decode) const PIM: u8 = 103;
const COMPRESSED: u8 = 108;
pub(in crate::decode) const VRRP: u8 = 112;
const PGM: u8 = 113;
pub(in crate::decode) const SCTP: u8 = 132;
const MOBILITY: u8 = 135;
const ETHERNET: u8 = 143;

/// The protocol's name in `-v` output.
pub(in crate::decode) fn name(protocol: u8) -> &'static str {
    match protocol {
        HOP_BY_HOP => "Options",
        ICMP => "ICMP",
        IGMP => "IGMP",
        IPIP => "IPIP",
        TCP => "TCP",
        8 => "EGP",
        IGRP => "IGRP",
        UDP => "UDP",
        DCCP => "DCCP",
        IPV6 => "IPv6",
        ROUTING => "Routing",
        FRAGMENT => "Fragment",
        RSVP => "RSVP",
        GRE => "GRE",
        ESP => "ESP",
        AH => "AH",
        55 => "Mobile IP",
        ICMPV6 => "ICMPv6",
        MOBILITY_OLD => "Mobile IP (old)",
        EIGRP => "EIGRP",
        OSPF => "OSPF",
        PIM => "PIM",
        COMPRESSED => "Compressed IP",
        VRRP => "VRRP",
        PGM => "PGM",
        SCTP => "SCTP",
        MOBILITY => "Mobility",
        ETHERNET => "Ethernet",
        _ => "unknown",
    }
}

/// The fields of an IP header that its transport layer prints or includes in a checksum.
#[derive(Clone, Copy)]
pub(in crate::decode) struct Header {
    pub(in crate::decode) src: Address,
    pub(in crate::decode) dst: Address,
    /// The last address of a source route, over which checksums are instead of over the destination.
    pub(in crate::decode) route_end: Option<Address>,
    /// Whether the transport header follows directly, so that it prints `src.port > dst.port` itself.
    pub(in crate::decode) direct: bool,
    /// Whether the packet is a fragment: its checksum cannot be verified.
    pub(in crate::decode) fragment: bool,
    /// IPv4 time to live or IPv6 hop limit.
    pub(in crate::decode) ttl: u8,
}

impl Header {
    /// The checksum over pseudo header and `len` bytes of a message; `None` unless all were captured.
    pub(in crate::decode) fn sum(&self, protocol: u8, bytes: &[u8], len: usize) -> Option<u16> {
        let bytes = bytes.get(..len)?;
        Some(
            Checksum::default()
                .pseudo(self.src, self.route_end.unwrap_or(self.dst), protocol, len)
                .add(bytes)
                .finish(),
        )
    }

    /// Whether this is IPv6.
    pub(in crate::decode) fn is_v6(&self) -> bool {
        matches!(self.src, Address::V6(_))
    }
}

/// Prints a packet that starts at its IP header, of either version.
pub(in crate::decode) fn print_raw(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if p.style.link_header {
        p.text("ip: ");
    }
    match layer.bytes.first().ok_or(Truncated("ip"))? >> 4 {
        4 => ipv4::print(p, layer),
        6 => ipv6::print(p, layer),
        version => {
            write!(p, "unknown ip {version}");
            Ok(())
        }
    }
}

/// Prints the payload of an IP packet.
pub(in crate::decode) fn print_payload(
    p: &mut Printer<'_>,
    header: &Header,
    protocol: u8,
    layer: Layer<'_>,
) -> Printed {
    let requires = match protocol {
        ICMP | IGMP if header.is_v6() => Some("IPv4"),
        ICMPV6 | ETHERNET if !header.is_v6() => Some("IPv6"),
        _ => None,
    };
    if let Some(version) = requires {
        write!(p, "[{} requires {version}] (invalid)", name(protocol));
        return Ok(());
    }
    match protocol {
        TCP => tcp::print(p, header, layer),
        UDP => udp::print(p, header, layer),
        ICMP => icmp::print(p, header, layer),
        IGMP => igmp::print(p, layer),
        ICMPV6 => icmpv6::print(p, header, layer),
        IPIP => p.nested(|p| ipv4::print(p, layer)),
        IPV6 => p.nested(|p| ipv6::print(p, layer)),
        GRE => p.nested(|p| gre::print(p, layer)),
        IGRP => igrp::print(p, layer),
        RSVP => rsvp::print(p, layer),
        EIGRP => eigrp::print(p, layer),
        OSPF => ospf::print(p, header.is_v6(), layer),
        PIM => pim::print(p, header, layer),
        VRRP => vrrp::print(p, header, layer),
        ESP => print_esp(p, layer),
        AH => print_ah(p, header, layer),
        SCTP => sctp::print(p, header, layer),
        PGM => pgm::print(p, header, layer),
        DCCP => dccp::print(p, header, layer),
        MOBILITY | MOBILITY_OLD if header.is_v6() => mobility::print(p, layer),
        ETHERNET => p.nested(|p| ethernet::print(p, layer)),
        COMPRESSED => {
            write!(p, "IPComp(cpi=0x{:04x})", layer.skip(2).cursor("ipcomp").u16()?);
            Ok(())
        }
        SUN_ND => {
            write!(p, " nd {}", layer.len);
            Ok(())
        }
        NO_NEXT => {
            p.text("no next header");
            Ok(())
        }
        _ => {
            write!(p, " ip-proto-{protocol} {}", layer.len);
            Ok(())
        }
    }
}

/// Prints Encapsulating Security Payload (RFC 4303): the fields that can be read without keys.
pub(in crate::decode) fn print_esp(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("esp");
    // The header and at least one byte of the protected data.
    cursor.need(9)?;
    let (spi, seq) = (cursor.u32()?, cursor.u32()?);
    write!(p, "ESP(spi=0x{spi:08x},seq=0x{seq:x}), length {}", layer.len);
    Ok(())
}

/// Prints an Authentication Header (RFC 4302), then the payload that it authenticates.
fn print_ah(p: &mut Printer<'_>, header: &Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ah");
    let next = cursor.u8()?;
    let words = cursor.u8()?;
    let len = (usize::from(words) + 2) * 4;
    p.text("AH(");
    if p.verbose() {
        write!(p, "length={words}({len}-bytes),");
    }
    if cursor.u16()? != 0 {
        write!(p, "reserved[not MBZ],");
    }
    write!(p, "spi=0x{:08x},", cursor.u32()?);
    write!(p, "seq=0x{:x},icv=0x", cursor.u32()?);
    while cursor.at() < len {
        write!(p, "{:02x}", cursor.u8()?);
    }
    p.text("): ");
    let header = Header { direct: false, ..*header };
    p.nested(|p| print_payload(p, &header, next, layer.skip(len)))
}

//! The headers of a frame as values: etherparse's lax view of it, and where that ends and why.
//!
//! A header is here if all of it was captured; of TCP and ICMP, which etherparse does not parse without their options and
//! bodies, the fixed part is enough. What a tunnel carries is not looked into.

mod extensions;
mod network;
mod transport;

use etherparse::{
    LaxLinkExtSlice, LaxSlicedPacket, LinkSlice, err::Layer, err::packet::SliceError, ether_type,
};

use crate::packet::LinkType;
pub(crate) use extensions::{Authentication, Extensions};
pub(crate) use network::{Arp, Ipv4, Ipv6, Network};
pub(crate) use transport::{Icmp, Igmp, Tcp, Transport, Udp};

/// Values of a type field up to this one are lengths (IEEE 802.3, 3.2.6).
const LARGEST_LENGTH: u16 = 1500;
/// Values from this one on are EtherTypes.
const SMALLEST_ETHERTYPE: u16 = 0x600;

/// The headers of a frame, from the outside in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layers {
    pub(crate) ethernet: Option<Ethernet>,
    /// VLAN tags; the rest is empty. etherparse parses no more of them.
    pub(crate) tags: [Option<Tag>; LaxSlicedPacket::LINK_EXTS_CAP],
    pub(crate) network: Option<Network>,
    pub(crate) authentication: Option<Authentication>,
    pub(crate) transport: Option<Transport>,
    /// The header that was captured in part, if there is one.
    pub(crate) truncated: Option<&'static str>,
    /// The header that contradicts itself, or what is around it, if there is one: it is longer than the packet, or of another
    /// version than was announced.
    pub(crate) malformed: Option<&'static str>,
}

impl Layers {
    /// Notes what is wrong, unless it is known of an outer header already.
    fn note(&mut self, end: End) {
        match end {
            End::Complete => {}
            End::Truncated(name) => drop(self.truncated.get_or_insert(name)),
            End::Malformed(name) => drop(self.malformed.get_or_insert(name)),
        }
    }
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    Truncated(&'static str),
    Malformed(&'static str),
}

/// An Ethernet header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ethernet {
    pub(crate) dst: [u8; 6],
    pub(crate) src: [u8; 6],
    pub(crate) next: Next,
}

/// What follows an Ethernet header or a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A protocol.
    Type(u16),
    /// So many bytes of IEEE 802.2.
    Length(u16),
    /// A number that is neither.
    Neither(u16),
}

impl Next {
    fn new(number: u16) -> Self {
        match number {
            ..=LARGEST_LENGTH => Self::Length(number),
            SMALLEST_ETHERTYPE.. => Self::Type(number),
            _ => Self::Neither(number),
        }
    }
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) priority: u8,
    pub(crate) drop_eligible: bool,
    pub(crate) id: u16,
    pub(crate) next: Next,
}

/// The bytes behind a header.
#[derive(Clone, Copy, Debug)]
struct Rest<'a> {
    /// Those that were captured.
    bytes: &'a [u8],
    /// How many there were, within the packet of the header around them; beyond them nothing was cut off.
    whole: usize,
}

impl Rest<'_> {
    /// Behind a header of so many bytes.
    fn behind(self, header: usize) -> Self {
        Self { bytes: self.bytes.get(header..).unwrap_or_default(), whole: self.whole.saturating_sub(header) }
    }

    /// Within a packet of so many bytes.
    fn within(self, packet: usize) -> Self {
        Self { bytes: self.bytes.get(..packet).unwrap_or(self.bytes), whole: self.whole.min(packet) }
    }

    /// Why a header of so many bytes is not there.
    fn missing(self, name: &'static str, header: usize) -> End {
        if header > self.bytes.len() && header <= self.whole {
            End::Truncated(name)
        } else {
            End::Malformed(name)
        }
    }
}

/// Parses a frame of which `frame` was captured and that had `frame_len` bytes; `None` if nothing is known about its link
/// type.
pub(crate) fn parse(link_type: LinkType, frame: &[u8], frame_len: u32) -> Option<Layers> {
    let frame = Rest { bytes: frame, whole: frame.len().max(frame_len as usize) };
    match link_type.usual() {
        LinkType::ETHERNET => Some(from_ethernet(frame)),
        LinkType::RAW => Some(from_ip(frame)),
        _ => None,
    }
}

fn from_ethernet(frame: Rest<'_>) -> Layers {
    let mut layers = Layers::default();
    let view = match LaxSlicedPacket::from_ethernet(frame.bytes) {
        Ok(view) => view,
        Err(error) => {
            layers.note(frame.missing("eth", error.required_len));
            return layers;
        }
    };
    let Some(LinkSlice::Ethernet2(header)) = &view.link else { return layers };
    let mut ether_type = header.ether_type();
    let mut rest = frame.behind(header.header_len());
    let next = Next::new(ether_type.0);
    layers.ethernet = Some(Ethernet { dst: header.destination(), src: header.source(), next });
    if let Next::Neither(_) = next {
        layers.note(End::Malformed("eth"));
        return layers;
    }
    for (header, tag) in view.link_exts.iter().zip(&mut layers.tags) {
        // MACsec, and what is behind it, is not decoded.
        let LaxLinkExtSlice::Vlan(header) = header else { return layers };
        ether_type = header.ether_type();
        rest = rest.behind(header.header_len());
        let next = Next::new(ether_type.0);
        *tag = Some(Tag {
            priority: header.priority_code_point().value(),
            drop_eligible: header.drop_eligible_indicator(),
            id: header.vlan_identifier().value(),
            next,
        });
        if let Next::Neither(_) = next {
            layers.note(End::Malformed("vlan"));
            return layers;
        }
    }
    match &view.stop_err {
        Some((SliceError::Len(error), Layer::VlanHeader)) => {
            layers.note(rest.missing("vlan", error.required_len));
        }
        Some((_, Layer::MacsecHeader | Layer::MacsecPacket)) => {}
        _ => network::read(&mut layers, &view, ether_type, rest),
    }
    layers
}

/// A packet without a link-level header: its first four bits tell the version.
fn from_ip(packet: Rest<'_>) -> Layers {
    let mut layers = Layers::default();
    let ether_type = match packet.bytes.first().map(|first| first >> 4) {
        Some(4) => ether_type::IPV4,
        Some(6) => ether_type::IPV6,
        Some(_) => {
            layers.note(End::Malformed("ip"));
            return layers;
        }
        None => {
            layers.note(packet.missing("ip", 1));
            return layers;
        }
    };
    let view = LaxSlicedPacket::from_ether_type(ether_type, packet.bytes);
    network::read(&mut layers, &view, ether_type, packet);
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETHERNET: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

    fn ethernet(rest: &[u8]) -> Vec<u8> {
        [&ETHERNET[..], rest].concat()
    }

    /// An IPv4 packet with this field of fragments and protocol.
    fn ipv4(fragment: u16, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let [total, [f0, f1]] = [20 + payload.len() as u16, fragment].map(u16::to_be_bytes);
        let head = [8, 0, 0x45, 0, total[0], total[1], 0, 1, f0, f1, 64, protocol, 0, 0];
        ethernet(&[&head[..], &[10, 0, 0, 1, 10, 0, 0, 2], payload].concat())
    }

    /// An IPv6 packet.
    fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
        let [p0, p1] = (payload.len() as u16).to_be_bytes();
        ethernet(&[&[0x86, 0xdd, 0x60, 0, 0, 0, p0, p1, next, 64][..], &[0xfd; 32], payload].concat())
    }

    fn whole(frame: &[u8]) -> Layers {
        parse(LinkType::ETHERNET, frame, frame.len() as u32).unwrap()
    }

    /// What is missing if the rest of the frame was cut off, and if it never was.
    fn missing(frame: &[u8]) -> [Option<&'static str>; 4] {
        let cut = parse(LinkType::ETHERNET, frame, 1500).unwrap();
        let short = whole(frame);
        [cut.truncated, cut.malformed, short.truncated, short.malformed]
    }

    const TCP: [u8; 20] = [0, 80, 1, 187, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x12, 1, 0, 0, 0, 0, 0];

    #[test]
    fn what_was_cut_off_and_what_never_was_are_told_apart() {
        assert_eq!(missing(&ETHERNET), [Some("eth"), None, None, Some("eth")]);
        assert_eq!(missing(&ethernet(&[0x81, 0, 0])), [Some("vlan"), None, None, Some("vlan")]);
        assert_eq!(missing(&ethernet(&[8, 6, 0, 1])), [Some("arp"), None, None, Some("arp")]);
        assert_eq!(missing(&ethernet(&[8, 0])), [Some("ip"), None, None, Some("ip")]);
        assert_eq!(missing(&ipv6(6, &[])[..40]), [Some("ipv6"), None, None, Some("ipv6")]);
        // The packet says itself that it ends here.
        assert_eq!(missing(&ipv4(0, 6, &TCP[..10])), [None, Some("tcp"), None, Some("tcp")]);
        let frame = ipv4(0, 6, &TCP);
        assert_eq!(missing(&frame[..44]), [Some("tcp"), None, None, Some("ip")]);
        assert_eq!(missing(&frame), [None; 4]);
    }

    #[test]
    fn the_fixed_part_of_a_tcp_header_is_enough() {
        let mut tcp = [&TCP[..], &[1; 12]].concat();
        tcp[12] = 0x80;
        let frame = ipv4(0, 6, &tcp);
        let layers = parse(LinkType::ETHERNET, &frame[..54], frame.len() as u32).unwrap();
        let Some(Transport::Tcp(header)) = layers.transport else { panic!("{layers:?}") };
        assert_eq!((header.ports, header.header_len, header.payload_len), ([80, 443], 32, Some(0)));
        assert_eq!(layers.truncated, Some("tcp"));
    }

    #[test]
    fn what_a_later_fragment_begins_with_is_no_header() {
        let first = whole(&ipv4(0x2000, 6, &TCP));
        assert!(matches!(first.transport, Some(Transport::Tcp(Tcp { payload_len: None, .. }))), "{first:?}");
        for protocol in [6, 51] {
            let later = whole(&ipv4(1, protocol, &TCP));
            assert!(later.network.is_some() && later.transport.is_none(), "{later:?}");
            assert_eq!((later.authentication, later.malformed), (None, None));
        }
        // A fragment header, whose data looks like destination options.
        for (offset, has_options) in [([0, 1], true), ([0, 8], false)] {
            let fragment = [&[60, 0][..], &offset, &[0, 0, 0, 9], &[6, 0, 0, 0, 0, 0, 0, 0], &TCP].concat();
            let layers = whole(&ipv6(44, &fragment));
            let Some(Network::Ipv6(header)) = layers.network else { panic!("{layers:?}") };
            assert_eq!(header.extensions.destination.is_some(), has_options);
            assert_eq!(layers.transport.is_some(), has_options);
        }
    }

    #[test]
    fn extension_headers_are_read_as_far_as_they_go() {
        let hop_by_hop = [43, 0, 0, 0, 0, 0, 0, 0];
        let routing = [51, 0, 4, 1, 0, 0, 0, 0];
        let authentication = [6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 7, 0, 0, 0, 0];
        let chain = [&hop_by_hop[..], &routing, &authentication, &TCP].concat();
        let layers = whole(&ipv6(0, &chain));
        let Some(Network::Ipv6(header)) = layers.network else { panic!("{layers:?}") };
        assert_eq!(header.extensions.hop_by_hop, Some(43));
        let routing = extensions::Routing { next_header: 51, kind: 4, segments_left: 1 };
        assert_eq!(header.extensions.routing, Some(routing));
        assert_eq!(layers.authentication, Some(Authentication { next_header: 6, spi: 256, sequence: 7 }));
        assert!(matches!(layers.transport, Some(Transport::Tcp(_))));
        // etherparse would look for the header behind the last one that is there.
        assert_eq!(missing(&ipv6(0, &hop_by_hop)), [None, Some("ipv6.routing"), None, Some("ipv6.routing")]);
        let again = [&[60, 0, 0, 0, 0, 0, 0, 0], &[0_u8; 8][..], &[6, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(whole(&ipv6(0, &again)).malformed, Some("ipv6.hopopts"));
    }

    #[test]
    fn a_packet_is_of_the_version_that_was_announced() {
        let mut frame = ipv6(6, &TCP);
        frame[12..14].copy_from_slice(&[8, 0]);
        let layers = whole(&frame);
        assert_eq!((layers.network, layers.malformed), (None, Some("ip")));
    }

    #[test]
    fn at_most_three_tags_are_read() {
        let tags = [[0x81, 0, 0, 1], [0x81, 0, 0, 2], [0x88, 0xa8, 0xf0, 3]].concat();
        let three = whole(&ethernet(&[&tags[..], &ipv4(0, 6, &TCP)[12..]].concat()));
        assert_eq!(three.tags.map(|tag| tag.unwrap().id), [1, 2, 3]);
        assert!(three.transport.is_some());
        let four = whole(&ethernet(&[&[0x81, 0, 0, 9][..], &tags, &ipv4(0, 6, &TCP)[12..]].concat()));
        assert_eq!(four.tags.map(|tag| tag.unwrap().id), [9, 1, 2]);
        assert_eq!((four.network, four.malformed), (None, None));
    }

    #[test]
    fn a_segment_that_the_adapter_has_yet_to_cut_has_no_length() {
        let mut frame = ipv4(0, 6, &[&TCP[..], &[0; 100]].concat());
        frame[16..18].fill(0);
        let layers = whole(&frame);
        assert!(matches!(layers.transport, Some(Transport::Tcp(Tcp { payload_len: Some(100), .. }))));
        assert_eq!(layers.malformed, None);
    }
}

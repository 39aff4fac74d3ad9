//! The headers of a frame as values, for code that needs fields and not text: etherparse's lax view of the frame.
//!
//! The text output does not use it: tcpdump's lines describe headers that are cut or wrong, which this view leaves out.

use std::net::IpAddr;

use etherparse::{
    IpNumber, LaxNetSlice, LaxSlicedPacket, LinkSlice, err::packet::SliceError, ether_type, ip_number,
};

use crate::packet::LinkType;

/// Bytes of the fixed part of a transport header, which contains ports and sequence number; options may be cut.
const TCP: usize = 20;
const UDP: usize = 8;

/// The headers of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Headers {
    /// `EtherType` of the frame; for raw IP, the `EtherType` of the packet's IP version.
    pub(crate) ethertype: u16,
    /// Bytes of the link-level header.
    pub(crate) link_len: usize,
    /// The IP header, if it is complete and valid.
    pub(crate) ip: Option<Ip>,
    /// The capture ends within the headers.
    pub(crate) cut: bool,
}

/// An IPv4 header, or an IPv6 header without its extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    /// Bytes of the header, IPv4 options included.
    pub(crate) len: usize,
    pub(crate) transport: Transport,
}

/// The header that directly follows the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp {
        ports: [u16; 2],
        seq: u32,
    },
    Udp {
        ports: [u16; 2],
    },
    Icmp,
    /// Another protocol, an extension header, a later fragment or a header that was cut.
    Other,
}

impl Transport {
    /// Bytes of the header without options; 0 if none was read.
    pub(crate) fn fixed_len(self) -> usize {
        match self {
            Self::Tcp { .. } => TCP,
            Self::Udp { .. } => UDP,
            Self::Icmp | Self::Other => 0,
        }
    }
}

/// Parses a frame; `None` when its link-level header is cut.
pub(crate) fn parse(link_type: LinkType, frame: &[u8]) -> Option<Headers> {
    if link_type.usual() == LinkType::RAW {
        let ethertype = if frame.first()? >> 4 == 6 { ether_type::IPV6 } else { ether_type::IPV4 };
        let view = LaxSlicedPacket::from_ether_type(ethertype, frame);
        return Some(Headers { ethertype: ethertype.0, link_len: 0, ip: ip(&view), cut: is_cut(&view) });
    }
    let view = LaxSlicedPacket::from_ethernet(frame).ok()?;
    let Some(LinkSlice::Ethernet2(ethernet)) = &view.link else { return None };
    // The packet behind a tag does not count as the frame's own.
    let ip = if view.link_exts.is_empty() { ip(&view) } else { None };
    Some(Headers {
        ethertype: ethernet.ether_type().0,
        link_len: ethernet.header_len(),
        ip,
        cut: is_cut(&view),
    })
}

fn is_cut(view: &LaxSlicedPacket<'_>) -> bool {
    matches!(view.stop_err, Some((SliceError::Len(_), _)))
}

fn ip(view: &LaxSlicedPacket<'_>) -> Option<Ip> {
    let net = view.net.as_ref()?;
    let payload = net.ip_payload_ref()?.payload;
    match net {
        LaxNetSlice::Ipv4(packet) => {
            let header = packet.header();
            let later_fragment = header.fragments_offset().value() != 0;
            Some(Ip {
                src: IpAddr::V4(header.source_addr()),
                dst: IpAddr::V4(header.destination_addr()),
                len: header.slice().len(),
                transport: match header.protocol() {
                    ip_number::ICMP => Transport::Icmp,
                    _ if later_fragment => Transport::Other,
                    protocol => transport(protocol, payload),
                },
            })
        }
        LaxNetSlice::Ipv6(packet) => {
            let header = packet.header();
            Some(Ip {
                src: IpAddr::V6(header.source_addr()),
                dst: IpAddr::V6(header.destination_addr()),
                len: header.slice().len(),
                transport: transport(header.next_header(), payload),
            })
        }
        LaxNetSlice::Arp(_) => None,
    }
}

/// Reads only the fixed part: etherparse does not parse a header whose options were cut, which happens at small snap
/// lengths.
fn transport(protocol: IpNumber, payload: &[u8]) -> Transport {
    let word = |at: usize| payload.get(at..).and_then(|bytes| bytes.first_chunk().copied());
    let ports = |[a, b, c, d]: [u8; 4]| [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])];
    match (protocol, word(0), word(4)) {
        (ip_number::TCP, Some(first), Some(second)) if payload.len() >= TCP => {
            Transport::Tcp { ports: ports(first), seq: u32::from_be_bytes(second) }
        }
        (ip_number::UDP, Some(first), Some(_)) => Transport::Udp { ports: ports(first) },
        _ => Transport::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETHERNET: [u8; 14] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0];

    /// An IPv4 packet in a frame: `words` of header, whose options are zeros, and its payload.
    fn frame(words: u8, protocol: u8, fragment: u8, payload: &[u8]) -> Vec<u8> {
        let options = vec![0; usize::from(words).saturating_sub(5) * 4];
        let total = (20 + options.len() + payload.len()) as u8;
        let fixed =
            [0x40 | words, 0, 0, total, 0, 1, 0, fragment, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        [&ETHERNET[..], &fixed, &options, payload].concat()
    }

    fn parsed(frame: &[u8]) -> Headers {
        parse(LinkType::ETHERNET, frame).unwrap()
    }

    #[test]
    fn the_fixed_part_of_a_tcp_header_is_enough() {
        // Ten words of header, of which the capture has five.
        let tcp = [&[0x12, 0x34, 0, 80, 0, 0, 0, 9, 0, 0, 0, 0, 0xa0, 2][..], &[0; 6]].concat();
        let headers = parsed(&frame(6, 6, 0, &tcp));
        let ip = headers.ip.unwrap();
        assert_eq!((headers.link_len, ip.len), (14, 24));
        assert_eq!(ip.transport, Transport::Tcp { ports: [0x1234, 80], seq: 9 });
        assert_eq!(parsed(&frame(6, 6, 0, &tcp[..19])).ip.unwrap().transport, Transport::Other);
    }

    #[test]
    fn a_later_fragment_has_no_ports() {
        assert_eq!(parsed(&frame(5, 17, 1, &[0; 8])).ip.unwrap().transport, Transport::Other);
    }

    #[test]
    fn cut_and_malformed_headers_are_told_apart() {
        let whole = frame(6, 17, 0, &[0; 8]);
        for len in 14..whole.len() {
            let headers = parsed(&whole[..len]);
            assert_eq!((headers.ip.is_none(), headers.cut), (len < 14 + 24, true), "{len}");
        }
        let malformed = parsed(&frame(4, 17, 0, &[0; 8]));
        assert_eq!((malformed.ip, malformed.cut), (None, false));
        assert_eq!(parse(LinkType::ETHERNET, &whole[..13]), None);
        assert_eq!(parse(LinkType::RAW, &[]), None);
    }

    #[test]
    fn a_packet_behind_a_tag_is_not_the_frames_own() {
        let mut tagged = ETHERNET.to_vec();
        tagged[12..].copy_from_slice(&[0x81, 0]);
        tagged.extend([0, 5, 0x08, 0]);
        tagged.extend(&frame(5, 17, 0, &[0; 8])[14..]);
        let headers = parsed(&tagged);
        assert_eq!((headers.ethertype, headers.ip), (0x8100, None));
    }
}

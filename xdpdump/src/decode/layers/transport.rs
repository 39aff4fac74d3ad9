//! TCP, UDP, ICMP and IGMP: the fixed parts of their headers, which small snap lengths leave, and which etherparse does not
//! parse without the options behind them.

use std::net::Ipv4Addr;

use etherparse::{IpNumber, ip_number};

use super::{End, Layers, Rest};

/// Bytes of a TCP header without options.
const TCP: usize = 20;
/// Bytes of a UDP header, of an IGMP message, and the fewest of an ICMP message.
const SHORT: usize = 8;

/// The types of ICMP messages that carry an identifier and a sequence number: echo reply and request (RFC 792, RFC 4443).
const ICMP_ECHO: [u8; 2] = [0, 8];
const ICMPV6_ECHO: [u8; 2] = [128, 129];

/// The types of IGMP messages that carry one group: query, and reports and leave of versions 1 and 2 (RFC 3376, 4).
const IGMP_GROUP: [u8; 4] = [0x11, 0x12, 0x16, 0x17];

/// The header behind the IP headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp(Tcp),
    Udp(Udp),
    Icmp(Icmp),
    Icmpv6(Icmp),
    Igmp(Igmp),
}

/// A TCP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tcp {
    pub(crate) ports: [u16; 2],
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    /// In bytes, options included.
    pub(crate) header_len: u8,
    /// The 12 bits behind the header's length.
    pub(crate) flags: u16,
    /// As it is in the header, not scaled.
    pub(crate) window: u16,
    pub(crate) checksum: u16,
    pub(crate) urgent: u16,
    /// Bytes behind the header on the wire; `None` if the header or a fragment does not tell.
    pub(crate) payload_len: Option<usize>,
}

/// A UDP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Udp {
    pub(crate) ports: [u16; 2],
    pub(crate) len: u16,
    pub(crate) checksum: u16,
}

/// The beginning of an ICMP message, of version 4 or 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Icmp {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    pub(crate) checksum: u16,
    pub(crate) echo: Option<Echo>,
}

/// What an echo request and its reply have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Echo {
    pub(crate) id: u16,
    pub(crate) seq: u16,
}

/// The beginning of an IGMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Igmp {
    pub(crate) kind: u8,
    pub(crate) checksum: u16,
    pub(crate) group: Option<Ipv4Addr>,
}

/// Reads the header of this protocol, with which `rest` begins. `is_fragment`: the packet goes on in others.
pub(super) fn read(layers: &mut Layers, protocol: IpNumber, rest: Rest<'_>, is_fragment: bool) {
    let (transport, end) = match protocol {
        ip_number::TCP => tcp(rest, is_fragment),
        ip_number::UDP => udp(rest, is_fragment),
        ip_number::ICMP => icmp("icmp", ICMP_ECHO, rest, Transport::Icmp),
        ip_number::IPV6_ICMP => icmp("icmpv6", ICMPV6_ECHO, rest, Transport::Icmpv6),
        ip_number::IGMP => igmp(rest),
        _ => return,
    };
    layers.transport = transport;
    layers.note(end);
}

fn tcp(rest: Rest<'_>, is_fragment: bool) -> (Option<Transport>, End) {
    let Some(fixed) = rest.bytes.first_chunk::<TCP>() else { return (None, rest.missing("tcp", TCP)) };
    let [ports_seq_ack @ .., o, f, w0, w1, c0, c1, u0, u1] = *fixed;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3] = ports_seq_ack;
    let header_len = usize::from(o >> 4) * 4;
    let header = Tcp {
        ports: [u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])],
        seq: u32::from_be_bytes([q0, q1, q2, q3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        // At most 60.
        header_len: header_len as u8,
        flags: u16::from_be_bytes([o & 15, f]),
        window: u16::from_be_bytes([w0, w1]),
        checksum: u16::from_be_bytes([c0, c1]),
        urgent: u16::from_be_bytes([u0, u1]),
        payload_len: rest.whole.checked_sub(header_len).filter(|_| header_len >= TCP && !is_fragment),
    };
    let end = if header_len < TCP {
        End::Malformed("tcp")
    } else if rest.bytes.len() < header_len {
        rest.missing("tcp", header_len)
    } else {
        End::Complete
    };
    (Some(Transport::Tcp(header)), end)
}

fn udp(rest: Rest<'_>, is_fragment: bool) -> (Option<Transport>, End) {
    let Some([s0, s1, d0, d1, l0, l1, c0, c1]) = rest.bytes.first_chunk::<SHORT>().copied() else {
        return (None, rest.missing("udp", SHORT));
    };
    let len = u16::from_be_bytes([l0, l1]);
    let header = Udp {
        ports: [u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])],
        len,
        checksum: u16::from_be_bytes([c0, c1]),
    };
    // A length of 0 is that of a jumbogram (RFC 2675, 4).
    let is_right = match usize::from(len) {
        0 => rest.whole > usize::from(u16::MAX),
        len => len >= SHORT && (len <= rest.whole || is_fragment),
    };
    (Some(Transport::Udp(header)), if is_right { End::Complete } else { End::Malformed("udp") })
}

fn icmp(
    name: &'static str,
    echo: [u8; 2],
    rest: Rest<'_>,
    version: fn(Icmp) -> Transport,
) -> (Option<Transport>, End) {
    let end = if rest.bytes.len() < SHORT { rest.missing(name, SHORT) } else { End::Complete };
    let Some([kind, code, c0, c1]) = rest.bytes.first_chunk().copied() else { return (None, end) };
    let echo =
        rest.bytes.first_chunk().filter(|_| echo.contains(&kind)).map(|&[_, _, _, _, i0, i1, s0, s1]| Echo {
            id: u16::from_be_bytes([i0, i1]),
            seq: u16::from_be_bytes([s0, s1]),
        });
    let checksum = u16::from_be_bytes([c0, c1]);
    (Some(version(Icmp { kind, code, checksum, echo })), end)
}

fn igmp(rest: Rest<'_>) -> (Option<Transport>, End) {
    let Some([kind, _, c0, c1, group @ ..]) = rest.bytes.first_chunk::<SHORT>().copied() else {
        return (None, rest.missing("igmp", SHORT));
    };
    let group = IGMP_GROUP.contains(&kind).then(|| Ipv4Addr::from(group));
    (Some(Transport::Igmp(Igmp { kind, checksum: u16::from_be_bytes([c0, c1]), group })), End::Complete)
}

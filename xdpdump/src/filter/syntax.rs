//! The tree of a filter, as it is written; `lower` decides what it means for the bytes of a frame.

use std::net::Ipv6Addr;

use super::error::Span;

/// A part of a filter that is true or false for a frame, and its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `a and b or c`: evaluated from left to right, because `and` and `or` have the same precedence.
    Chain(Box<Expression>, Vec<(Connective, Expression)>),
    Not(Box<Expression>),
    /// True if the expression is true for the frame inside a tunnel.
    Inner(Box<Expression>),
    /// The frame contains this protocol.
    Protocol(Protocol),
    /// `src host 10.0.0.1`, `tcp port 80`, `ip proto 6`, …; with the place of the part after the qualifiers.
    Address(Qualifiers, Operand, Span),
    Relation(Relation, Arithmetic, Arithmetic),
    /// `byte 3 & 1`: a test of one byte of the frame.
    Byte {
        offset: u32,
        test: ByteTest,
        value: u32,
    },
    Broadcast(Option<Protocol>),
    Multicast(Option<Protocol>),
    /// The frame has at most this length in bytes on the wire.
    Less(u32),
    /// The frame has at least this length in bytes on the wire.
    Greater(u32),
    Inbound,
    Outbound,
    Vlan(Option<u32>),
    Mpls(Option<u32>),
    PppoeDiscovery,
    PppoeSession(Option<u32>),
    Geneve(Option<u32>),
    Llc(Llc),
    /// An XDP program returned this verdict (`enum xdp_action`).
    Verdict(u32),
    Queue(u32),
    Cpu(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connective {
    And,
    Or,
}

/// Protocols that are keywords of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Link,
    Ip,
    Arp,
    Rarp,
    Sctp,
    Tcp,
    Udp,
    Icmp,
    Igmp,
    Igrp,
    Pim,
    Vrrp,
    Carp,
    Atalk,
    Aarp,
    Decnet,
    Lat,
    Sca,
    MopDl,
    MopRc,
    Ipv6,
    Icmpv6,
    Ah,
    Esp,
    Iso,
    EsIs,
    IsIs,
    IsIsLevel1,
    IsIsLevel2,
    IsIsHello,
    IsIsLinkState,
    IsIsSequence,
    IsIsPartialSequence,
    IsIsCompleteSequence,
    Clnp,
    Stp,
    Ipx,
    NetBeui,
}

impl Protocol {
    /// Each protocol and its keyword.
    const WORDS: [(Self, &'static str); 38] = [
        (Self::Link, "ether"),
        (Self::Ip, "ip"),
        (Self::Arp, "arp"),
        (Self::Rarp, "rarp"),
        (Self::Sctp, "sctp"),
        (Self::Tcp, "tcp"),
        (Self::Udp, "udp"),
        (Self::Icmp, "icmp"),
        (Self::Igmp, "igmp"),
        (Self::Igrp, "igrp"),
        (Self::Pim, "pim"),
        (Self::Vrrp, "vrrp"),
        (Self::Carp, "carp"),
        (Self::Atalk, "atalk"),
        (Self::Aarp, "aarp"),
        (Self::Decnet, "decnet"),
        (Self::Lat, "lat"),
        (Self::Sca, "sca"),
        (Self::MopDl, "mopdl"),
        (Self::MopRc, "moprc"),
        (Self::Ipv6, "ip6"),
        (Self::Icmpv6, "icmp6"),
        (Self::Ah, "ah"),
        (Self::Esp, "esp"),
        (Self::Iso, "iso"),
        (Self::EsIs, "esis"),
        (Self::IsIs, "isis"),
        (Self::IsIsLevel1, "l1"),
        (Self::IsIsLevel2, "l2"),
        (Self::IsIsHello, "iih"),
        (Self::IsIsLinkState, "lsp"),
        (Self::IsIsSequence, "snp"),
        (Self::IsIsPartialSequence, "psnp"),
        (Self::IsIsCompleteSequence, "csnp"),
        (Self::Clnp, "clnp"),
        (Self::Stp, "stp"),
        (Self::Ipx, "ipx"),
        (Self::NetBeui, "netbeui"),
    ];

    /// The protocol that a keyword names.
    pub fn of_keyword(keyword: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, word)| *word == keyword).map(|&(protocol, _)| protocol)
    }

    /// The protocol's keyword.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(protocol, _)| *protocol == self).map_or("", |&(_, word)| word)
    }
}

/// The field that an address or a number is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Qualifiers {
    pub protocol: Option<Protocol>,
    pub side: Side,
    pub kind: AddressKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// No side was named: source or destination.
    Any,
    Source,
    Destination,
    /// `src or dst`
    Either,
    /// `src and dst`
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressKind {
    /// No kind was named, which means a host.
    Default,
    Host,
    Net,
    Port,
    PortRange,
    Protocol,
    ProtocolChain,
    Gateway,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Name(String),
    Number(u32),
    /// An address, and the number of its leading bits that were written.
    Ipv4(u32, u32),
    /// An address and a mask.
    Ipv4Net(u32, u32),
    /// An address and the length of its prefix in bits.
    Ipv6(Ipv6Addr, u32),
    Mac([u8; 6]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteTest {
    Equal,
    Less,
    Greater,
    /// At least one of these bits is set.
    And,
    /// The byte or the value has at least one bit set.
    Or,
}

/// Frames with an IEEE 802.2 LLC header, by its control field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Llc {
    Any,
    Information,
    Supervisory,
    Unnumbered,
    /// The value of a supervisory frame's control field.
    SupervisoryType(u32),
    /// The value of an unnumbered frame's control field.
    UnnumberedType(u32),
}

/// A number that is computed for each frame, modulo 2³².
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Number(u32),
    /// The frame's length on the wire in bytes.
    Length,
    /// `tcp[13]`, `ip[2:2]`: bytes of a protocol's header, in network byte order.
    Load {
        protocol: Protocol,
        index: Box<Arithmetic>,
        size: u32,
        span: Span,
    },
    Binary {
        operator: Operator,
        left: Box<Arithmetic>,
        right: Box<Arithmetic>,
        span: Span,
    },
    Negative(Box<Arithmetic>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

impl Operator {
    /// The operator's symbol.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
        }
    }

    /// The operator of a symbol, and its precedence; `None` for `%` and `^`, to which libpcap gives no precedence:
    /// their right operand is everything that follows.
    pub fn of_symbol(symbol: &str) -> Option<(Self, Option<u8>)> {
        Some(match symbol {
            "|" => (Self::Or, Some(1)),
            "&" => (Self::And, Some(2)),
            "<<" => (Self::ShiftLeft, Some(3)),
            ">>" => (Self::ShiftRight, Some(3)),
            "+" => (Self::Add, Some(4)),
            "-" => (Self::Subtract, Some(4)),
            "*" => (Self::Multiply, Some(5)),
            "/" => (Self::Divide, Some(5)),
            "%" => (Self::Remainder, None),
            "^" => (Self::Xor, None),
            _ => return None,
        })
    }
}

//! Computes where the headers of a frame end: after the transport header, in tunnels after the inner one.

use super::{
    super::{
        builder::{Builder, Fragment},
        ir::{Comparison, Program, Width},
        names::UDP,
        syntax::Operator,
    },
    Lowering, Position,
    inner::{GRE, Tunnel},
    layer::{ARP, IPV4, IPV6, IPV6_HEADER, Layers, Link, MPLS, PPPOE_SESSION, RARP},
    protocol::{AH, FRAGMENT},
    protocol_chain::{DESTINATION_OPTIONS, HOP_BY_HOP, ROUTING},
};
use crate::packet::LinkType;

/// Most nested frames that are examined; a tunnel in a tunnel has three.
const MAX_LEVELS: u32 = 3;
/// Most MPLS labels that are skipped. RFC 3032 sets no limit.
const MAX_LABELS: u32 = 4;
/// Most extension headers that are skipped; RFC 8200 defines seven.
const MAX_EXTENSIONS: usize = 7;

const TCP: u32 = 6;
/// Protocols and the length of their header, or of its fixed part: ICMP, IGMP, UDP, DCCP, GRE, ESP, ICMPv6, SCTP,
/// UDP-Lite.
const TRANSPORTS: [(u32, u32); 9] =
    [(1, 8), (2, 8), (UDP, 8), (33, 12), (GRE, 4), (50, 8), (58, 8), (132, 12), (136, 8)];
/// Length in bytes of an IPv4 header without options.
const IPV4_HEADER: u32 = 20;
/// A reserved number, which no protocol in an IP header has (<https://www.iana.org/assignments/protocol-numbers>).
const NO_PROTOCOL: u32 = 255;
const MPLS_MULTICAST: u32 = 0x8848;
/// PPP's protocol numbers of IPv4 and IPv6 (RFC 1332, RFC 5072).
const PPP_PROTOCOLS: [(u32, u32); 2] = [(0x21, IPV4), (0x57, IPV6)];

const SLOTS: Tunnel = Tunnel { protocol: 0, header: 1, payload: 2 };
/// The slot with the end of the headers that have been found so far.
const END: u8 = 3;

/// The program that computes the number of bytes up to the end of the headers, plus `more`.
///
/// If a frame ends within a header, or its link level is PPP or not supported, the result is the whole frame.
/// Bytes are counted as a header only if the protocol is known.
pub fn headers(more: u32, link_type: LinkType) -> Program {
    let Some(layers) = Layers::new(link_type) else {
        let mut builder = Builder::default();
        builder.slots = END + 1;
        let never = builder.always(false);
        return Program { result: Some(END), ..builder.finish(Some(never)) };
    };
    let mut lowering = Lowering::new(layers);
    lowering.builder.slots = END + 1;
    let fragment = match layers.link {
        Link::Ethernet | Link::Cooked { .. } => lowering.headers_by_type(),
        Link::RawIp | Link::Loopback => lowering.headers_by_version(),
        Link::Ppp | Link::Tunnelled { .. } => lowering.builder.always(false),
    };
    let end = lowering.builder.slot(END);
    // No frame is that long, and the sum does not wrap around.
    let more = lowering.builder.constant(more.min(u32::MAX / 2));
    let result = lowering.builder.binary(Operator::Add, end, more);
    let result = lowering.builder.store(END, result);
    let all = lowering.builder.and(fragment, result);
    Program { result: Some(END), ..lowering.builder.finish(Some(all)) }
}

impl Lowering {
    fn headers_by_type(&mut self) -> Fragment {
        let payload = self.store_offset(SLOTS.payload, self.layers.payload);
        let protocol = self.load(self.layers.type_field, 0, Width::Half);
        let protocol = self.builder.store(SLOTS.protocol, protocol);
        let level = self.level(MAX_LEVELS);
        self.every([payload, protocol, level])
    }

    fn headers_by_version(&mut self) -> Fragment {
        let payload = self.store_offset(SLOTS.payload, self.layers.payload);
        let version = self.by_version(self.layers.payload);
        let level = self.level(MAX_LEVELS);
        self.every([payload, version, level])
    }

    /// Sets the end after the headers of a frame whose payload and protocol are in the slots; always true.
    fn level(&mut self, left: u32) -> Fragment {
        let tags = [self.pass_tag(SLOTS), self.pass_tag(SLOTS)];
        let tags = self.every(tags);
        let labels = self.pass_labels();
        let ppp = self.pass_ppp();
        let here = Position::computed(self.builder.slot(SLOTS.payload));
        let link = self.store_offset(END, here);

        let arp = self.arp();
        let ipv4 = self.pass_ipv4();
        let ipv6 = self.pass_ipv6();
        let ip = self.builder.or(ipv4, ipv6);
        let extensions: Vec<_> = (0..MAX_EXTENSIONS).map(|_| self.pass_extension_header()).collect();
        let extensions = self.every(extensions);
        let transport = self.transport();
        let mut packet = self.every([ip, extensions, transport]);
        if left > 1 {
            let tunnel = self.tunnelled(SLOTS);
            let inside = self.level(left - 1);
            packet = self.every([packet, tunnel, inside]);
        }
        let network = self.builder.or(arp, packet);
        let network = self.if_any(network);
        self.every([tags, labels, ppp, link, network])
    }

    /// Skips a stack of MPLS labels, if there is one.
    fn pass_labels(&mut self) -> Fragment {
        let protocol = self.builder.slot(SLOTS.protocol);
        let kinds = [MPLS, MPLS_MULTICAST].map(|kind| self.builder.equals(protocol, kind));
        let labelled = self.any(kinds);
        let labels = self.labels(MAX_LABELS);
        let passed = self.builder.and(labelled, labels);
        self.if_any(passed)
    }

    fn labels(&mut self, left: u32) -> Fragment {
        if left == 0 {
            return self.builder.always(true);
        }
        let here = Position::computed(self.builder.slot(SLOTS.payload));
        let third = self.load(here, 2, Width::Byte);
        let last = self.builder.masked(third, 1, 1);
        let behind_last = self.store_offset(SLOTS.payload, here.plus(4));
        let version = self.by_version(here);
        let last = self.every([last, behind_last, version]);
        let behind = self.store_offset(SLOTS.payload, here.plus(4));
        let others = self.labels(left - 1);
        let others = self.builder.and(behind, others);
        self.builder.or(last, others)
    }

    /// Sets the protocol by the version field if an IP header begins here; always true.
    fn by_version(&mut self, here: Position) -> Fragment {
        let version = self.ip_version(SLOTS, here);
        self.if_any(version)
    }

    /// Skips the headers of a PPPoE session and of PPP, if there are any.
    fn pass_ppp(&mut self) -> Fragment {
        let protocol = self.builder.slot(SLOTS.protocol);
        let session = self.builder.equals(protocol, PPPOE_SESSION);
        let here = Position::computed(self.builder.slot(SLOTS.payload));
        let carried = self.load(here, 6, Width::Half);
        let carried = self.builder.store(SLOTS.protocol, carried);
        let payload = self.store_offset(SLOTS.payload, here.plus(8));
        let protocols = PPP_PROTOCOLS.map(|(number, ether_type)| {
            let is_it = self.builder.equals(protocol, number);
            let ether_type = self.builder.constant(ether_type);
            let stored = self.builder.store(SLOTS.protocol, ether_type);
            self.builder.and(is_it, stored)
        });
        let known = self.any(protocols);
        let known = self.if_any(known);
        let passed = self.every([session, carried, payload, known]);
        self.if_any(passed)
    }

    /// True for ARP, which is a header as a whole: 8 bytes, then two hardware and two protocol addresses (RFC 826).
    fn arp(&mut self) -> Fragment {
        let protocol = self.builder.slot(SLOTS.protocol);
        let kinds = [ARP, RARP].map(|kind| self.builder.equals(protocol, kind));
        let is_arp = self.any(kinds);
        let here = Position::computed(self.builder.slot(SLOTS.payload));
        let (hardware, address) = (self.load(here, 4, Width::Byte), self.load(here, 5, Width::Byte));
        let both = self.builder.binary(Operator::Add, hardware, address);
        let one = self.builder.constant(1);
        let both = self.builder.binary(Operator::ShiftLeft, both, one);
        let fixed = self.offset(here.plus(8));
        let end = self.builder.binary(Operator::Add, fixed, both);
        let end = self.builder.store(END, end);
        self.builder.and(is_arp, end)
    }

    /// True for the first fragment of an IPv4 packet; the slots then contain the protocol of its payload and where it
    /// begins. The end is set after the IP header in any case, and never before the end of its fixed part.
    fn pass_ipv4(&mut self) -> Fragment {
        let protocol = self.builder.slot(SLOTS.protocol);
        let is_ipv4 = self.builder.equals(protocol, IPV4);
        let here = Position::computed(self.builder.slot(SLOTS.payload));
        let fixed = self.store_offset(END, here.plus(IPV4_HEADER));
        let first = self.load(here, 0, Width::Byte);
        let mask = self.builder.constant(0x0f);
        let words = self.builder.binary(Operator::And, first, mask);
        let least = self.builder.constant(IPV4_HEADER / 4);
        let is_possible = self.builder.test(Comparison::GreaterEqual, words, least);
        let length = self.ipv4_header_length(here);
        let end = self.builder.store(END, length);
        let fragment = self.load(here, 6, Width::Half);
        let first_fragment = self.builder.masked(fragment, 0, 0x1fff);
        let carried = self.load(here, 9, Width::Byte);
        let carried = self.builder.store(SLOTS.protocol, carried);
        let payload = self.builder.slot(END);
        let payload = self.builder.store(SLOTS.payload, payload);
        self.every([is_ipv4, fixed, is_possible, end, first_fragment, carried, payload])
    }

    fn pass_ipv6(&mut self) -> Fragment {
        let protocol = self.builder.slot(SLOTS.protocol);
        let is_ipv6 = self.builder.equals(protocol, IPV6);
        let here = Position::computed(self.builder.slot(SLOTS.payload));
        let carried = self.load(here, 6, Width::Byte);
        let carried = self.builder.store(SLOTS.protocol, carried);
        let payload = self.store_offset(SLOTS.payload, here.plus(IPV6_HEADER));
        self.every([is_ipv6, carried, payload])
    }

    /// Skips an IPv6 extension header or an authentication header, if there is one, and sets the end after it.
    fn pass_extension_header(&mut self) -> Fragment {
        let protocol = self.builder.slot(SLOTS.protocol);
        let here = Position::computed(self.builder.slot(SLOTS.payload));
        let next = self.load(here, 0, Width::Byte);
        let units = self.load(here, 1, Width::Byte);

        let options =
            [HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS].map(|kind| self.builder.equals(protocol, kind));
        let options = self.any(options);
        let start = self.offset(here);
        let options_end = self.behind(start, units, 8, 8);
        let options_end = self.builder.store(END, options_end);
        let options = self.builder.and(options, options_end);
        let authentication = self.builder.equals(protocol, AH);
        let authentication_end = self.behind(start, units, 4, 8);
        let authentication_end = self.builder.store(END, authentication_end);
        let authentication = self.builder.and(authentication, authentication_end);
        let either = self.builder.or(options, authentication);
        let carried = self.builder.store(SLOTS.protocol, next);
        let header = self.builder.and(either, carried);

        let is_fragment = self.builder.equals(protocol, FRAGMENT);
        let fragment_end = self.store_offset(END, here.plus(8));
        let offset = self.load(here, 2, Width::Half);
        let carried = self.builder.store(SLOTS.protocol, next);
        let first = self.builder.masked(offset, 0, 0xfff8);
        let first = self.builder.and(carried, first);
        let none = self.builder.constant(NO_PROTOCOL);
        let other = self.builder.store(SLOTS.protocol, none);
        let either = self.builder.or(first, other);
        let fragment = self.every([is_fragment, fragment_end, either]);

        let any = self.builder.or(header, fragment);
        let payload = self.builder.slot(END);
        let payload = self.builder.store(SLOTS.payload, payload);
        let passed = self.builder.and(any, payload);
        self.if_any(passed)
    }

    /// Sets the end after the transport header; always true.
    fn transport(&mut self) -> Fragment {
        let protocol = self.builder.slot(SLOTS.protocol);
        let here = Position::computed(self.builder.slot(SLOTS.payload));
        let network = self.store_offset(END, here);

        let is_tcp = self.builder.equals(protocol, TCP);
        let fixed = self.store_offset(END, here.plus(20));
        // The upper four bits of the byte are the header's length in words of 4 bytes.
        let data_offset = self.load(here, 12, Width::Byte);
        let least = self.builder.constant(0x50);
        let with_options = self.builder.test(Comparison::GreaterEqual, data_offset, least);
        let (two, mask) = (self.builder.constant(2), self.builder.constant(0x3c));
        let length = self.builder.binary(Operator::ShiftRight, data_offset, two);
        let length = self.builder.binary(Operator::And, length, mask);
        let start = self.offset(here);
        let end = self.builder.binary(Operator::Add, start, length);
        let end = self.builder.store(END, end);
        let with_options = self.builder.and(with_options, end);
        let with_options = self.if_any(with_options);
        let tcp = self.every([is_tcp, fixed, with_options]);

        let others = TRANSPORTS.map(|(number, length)| {
            let is_it = self.builder.equals(protocol, number);
            let end = self.store_offset(END, here.plus(length));
            self.builder.and(is_it, end)
        });
        let others = self.any(others);
        let any = self.builder.or(tcp, others);
        let any = self.if_any(any);
        self.builder.and(network, any)
    }
}

//! Lowers `inner`, which is true if an expression is true for the frame inside a tunnel.
//!
//! Supported tunnels are VXLAN, GENEVE and GTP-U over UDP, GRE, and IP in IP; over IPv4 and IPv6, after up to two VLAN
//! tags. Unlike `geneve`, `inner` does not change the meaning of what follows it in the text.

use super::{
    super::{
        builder::Fragment,
        error::{Complaint, Span},
        ir::{ValueId, Width},
        names::UDP,
        syntax::{Expression, Operator},
    },
    Lowered, Lowering, Position,
    layer::{BRIDGED, ETHERNET_HEADER, IPV4, IPV6, IPV6_HEADER, Layers, Link, VLAN_TAGS},
};

pub(super) const GRE: u32 = 47;
const IPV4_IN_IP: u32 = 4;
const IPV6_IN_IP: u32 = 41;

/// UDP ports of VXLAN: from RFC 7348, and the one that Linux used before.
const VXLAN_PORTS: [u32; 2] = [4789, 8472];
/// UDP port of GENEVE (RFC 8926, 3.3).
const GENEVE_PORT: u32 = 6081;
/// UDP port of GTP-U (3GPP TS 29.281, 4.4.2).
const GTP_PORT: u32 = 2152;
/// GTP-U's message type for a packet, and the most extension headers that are skipped before the packet.
const GTP_PACKET: u32 = 255;
const GTP_EXTENSIONS: usize = 3;

/// The slots for one depth of nested tunnels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tunnel {
    /// The protocol of the last header found; at the end, the protocol of the inner frame as an EtherType.
    pub protocol: u8,
    /// The beginning of the inner frame.
    pub header: u8,
    /// The current offset of the search; at the end, the offset of the payload of the inner link-level header.
    pub payload: u8,
}

impl Lowering {
    pub(super) fn inner(&mut self, inside: &Expression, span: &Span) -> Lowered {
        let tunnel = self.tunnel_slots(span)?;
        let found = self.look_into(tunnel, span)?;
        let outside = self.layers;
        let payload = Position::computed(self.builder.slot(tunnel.payload));
        self.layers = Layers {
            link: Link::Tunnelled { ether_type: self.builder.slot(tunnel.protocol) },
            header: Position::computed(self.builder.slot(tunnel.header)),
            type_field: payload.plus(2u32.wrapping_neg()),
            payload,
            network: 0,
            network_after_llc: 3,
            labels: 0,
            in_geneve: false,
        };
        self.tunnels_open += 1;
        let inside = self.expression(inside);
        self.tunnels_open -= 1;
        self.layers = outside;
        Ok(self.builder.and(found, inside?))
    }

    fn tunnel_slots(&mut self, span: &Span) -> Result<Tunnel, Complaint> {
        if let Some(&tunnel) = self.tunnels.get(self.tunnels_open) {
            return Ok(tunnel);
        }
        let tunnel = Tunnel {
            protocol: self.new_slot(span)?,
            header: self.new_slot(span)?,
            payload: self.new_slot(span)?,
        };
        self.tunnels.push(tunnel);
        Ok(tunnel)
    }

    /// True if the frame contains a tunnel; the slots then describe the inner frame.
    fn look_into(&mut self, tunnel: Tunnel, span: &Span) -> Lowered {
        let network = self.outer_network(tunnel, span)?;
        let transport = self.outer_transport(tunnel);
        let tunnelled = self.tunnelled(tunnel);
        Ok(self.every([network, transport, tunnelled]))
    }

    /// True if the protocol over IP carries a frame or a packet; the slots then describe it.
    pub(super) fn tunnelled(&mut self, tunnel: Tunnel) -> Fragment {
        let ports = self.over_udp(tunnel);
        let gre = self.gre(tunnel);
        let ipv4 = self.ip_in_ip(tunnel, IPV4_IN_IP, IPV4);
        let ipv6 = self.ip_in_ip(tunnel, IPV6_IN_IP, IPV6);
        self.any([ports, gre, ipv4, ipv6])
    }

    /// Finds the outer network header.
    fn outer_network(&mut self, tunnel: Tunnel, span: &Span) -> Lowered {
        let start = self.store_offset(tunnel.payload, self.layers.network_header());
        if matches!(self.layers.link, Link::Ethernet | Link::Cooked { .. }) && self.layers.labels == 0 {
            let protocol = self.load(self.layers.type_field, 0, Width::Half);
            let protocol = self.builder.store(tunnel.protocol, protocol);
            let first = self.pass_tag(tunnel);
            let second = self.pass_tag(tunnel);
            return Ok(self.every([start, protocol, first, second]));
        }
        let mut versions = Vec::new();
        for version in [IPV4, IPV6] {
            let carried = self.ether_type(version, span)?;
            let number = self.builder.constant(version);
            let stored = self.builder.store(tunnel.protocol, number);
            versions.push(self.builder.and(carried, stored));
        }
        let version = self.any(versions);
        Ok(self.builder.and(start, version))
    }

    /// Skips a VLAN tag, if there is one.
    pub(super) fn pass_tag(&mut self, tunnel: Tunnel) -> Fragment {
        let protocol = self.builder.slot(tunnel.protocol);
        let tags = VLAN_TAGS.map(|tag| self.builder.equals(protocol, tag));
        let tagged = self.any(tags);
        let tag = Position::computed(self.builder.slot(tunnel.payload));
        let behind = self.load(tag, 2, Width::Half);
        let behind = self.builder.store(tunnel.protocol, behind);
        let payload = self.store_offset(tunnel.payload, tag.plus(4));
        let passed = self.every([tagged, behind, payload]);
        self.if_any(passed)
    }

    /// Skips the outer IP header; the protocol is then that of its payload.
    fn outer_transport(&mut self, tunnel: Tunnel) -> Fragment {
        let network = Position::computed(self.builder.slot(tunnel.payload));
        let protocol = self.builder.slot(tunnel.protocol);

        let is_ipv4 = self.builder.equals(protocol, IPV4);
        let fragment = self.load(network, 6, Width::Half);
        let first_fragment = self.builder.masked(fragment, 0, 0x1fff);
        let carried = self.load(network, 9, Width::Byte);
        let carried = self.builder.store(tunnel.protocol, carried);
        let length = self.ipv4_header_length(network);
        let payload = self.builder.store(tunnel.payload, length);
        let ipv4 = self.every([is_ipv4, first_fragment, carried, payload]);

        let is_ipv6 = self.builder.equals(protocol, IPV6);
        let carried = self.load(network, 6, Width::Byte);
        let carried = self.builder.store(tunnel.protocol, carried);
        let payload = self.store_offset(tunnel.payload, network.plus(IPV6_HEADER));
        let ipv6 = self.every([is_ipv6, carried, payload]);
        self.builder.or(ipv4, ipv6)
    }

    /// Tunnels that are identified by a UDP port.
    fn over_udp(&mut self, tunnel: Tunnel) -> Fragment {
        let protocol = self.builder.slot(tunnel.protocol);
        let udp = self.builder.equals(protocol, UDP);
        let datagram = Position::computed(self.builder.slot(tunnel.payload));
        let port = self.load(datagram, 2, Width::Half);
        let header = datagram.plus(8);

        let ports = VXLAN_PORTS.map(|number| self.builder.equals(port, number));
        let ports = self.any(ports);
        let flags = self.load(header, 0, Width::Byte);
        let has_network = self.builder.masked(flags, 0x08, 0x08);
        let ethernet = self.ethernet(tunnel, header.plus(8));
        let vxlan = self.every([ports, has_network, ethernet]);

        let is_geneve = self.builder.equals(port, GENEVE_PORT);
        let version = self.builder.masked(flags, 0, 0xc0);
        let carried = self.load(header, 2, Width::Half);
        let carried = self.builder.store(tunnel.protocol, carried);
        let payload = self.geneve_payload(header);
        let payload = self.builder.store(tunnel.payload, payload);
        let frame = self.frame_or_packet(tunnel);
        let geneve = self.every([is_geneve, version, carried, payload, frame]);

        let is_gtp = self.builder.equals(port, GTP_PORT);
        let gtp = self.gtp(tunnel, header);
        let gtp = self.builder.and(is_gtp, gtp);
        let any = self.any([vxlan, geneve, gtp]);
        self.builder.and(udp, any)
    }

    fn gtp(&mut self, tunnel: Tunnel, header: Position) -> Fragment {
        let flags = self.load(header, 0, Width::Byte);
        let version_1 = self.builder.masked(flags, 0x30, 0xf0);
        let message = self.load(header, 1, Width::Byte);
        let message = self.builder.equals(message, GTP_PACKET);
        // Whether the header has four more bytes, the last of which is the type of the first extension header.
        let mask = self.builder.constant(0x07);
        let optional = self.builder.binary(Operator::And, flags, mask);
        // Not stored in the slot of the protocol, which is tested again if this turns out not to be a packet in a
        // tunnel.
        let optional = self.builder.store(tunnel.header, optional);
        let payload = self.store_offset(tunnel.payload, header.plus(8));

        let optional_flags = self.builder.slot(tunnel.header);
        let any_optional = self.builder.equals(optional_flags, 0).negated();
        let here = Position::computed(self.builder.slot(tunnel.payload));
        let fields = self.store_offset(tunnel.payload, here.plus(4));
        let has_extension = self.builder.masked(optional_flags, 0x04, 0x04);
        let extensions: Vec<Fragment> =
            (0..GTP_EXTENSIONS).map(|_| self.pass_extension(tunnel, here)).collect();
        let extensions = self.every(extensions);
        let extensions = self.builder.and(has_extension, extensions);
        let extensions = self.if_any(extensions);
        let optional_fields = self.every([any_optional, fields, extensions]);
        let optional_fields = self.if_any(optional_fields);

        // The protocol of the packet is known only by its version field.
        let version = self.ip_version(tunnel, here);
        let packet = self.store_offset(tunnel.header, here);
        self.every([version_1, message, optional, payload, optional_fields, version, packet])
    }

    /// True if the byte here has the version of an IP header; sets the protocol to that version.
    pub(super) fn ip_version(&mut self, tunnel: Tunnel, here: Position) -> Fragment {
        let first = self.load(here, 0, Width::Byte);
        let versions = [(0x40, IPV4), (0x60, IPV6)].map(|(version, ether_type)| {
            let is_version = self.builder.masked(first, version, 0xf0);
            let ether_type = self.builder.constant(ether_type);
            let stored = self.builder.store(tunnel.protocol, ether_type);
            self.builder.and(is_version, stored)
        });
        self.any(versions)
    }

    /// Skips a GTP-U extension header, if the byte before says that there is one.
    fn pass_extension(&mut self, tunnel: Tunnel, here: Position) -> Fragment {
        let (start, one) = (self.offset(here), self.builder.constant(1));
        let before = self.builder.binary(Operator::Subtract, start, one);
        let kind = self.load(Position::computed(before), 0, Width::Byte);
        let is_extension = self.builder.equals(kind, 0).negated();
        let units = self.load(here, 0, Width::Byte);
        let four = self.builder.constant(4);
        let length = self.builder.binary(Operator::Multiply, units, four);
        let behind = self.builder.binary(Operator::Add, start, length);
        let behind = self.builder.store(tunnel.payload, behind);
        let passed = self.builder.and(is_extension, behind);
        self.if_any(passed)
    }

    /// GRE (RFC 2784 and RFC 2890).
    fn gre(&mut self, tunnel: Tunnel) -> Fragment {
        let protocol = self.builder.slot(tunnel.protocol);
        let is_gre = self.builder.equals(protocol, GRE);
        let header = Position::computed(self.builder.slot(tunnel.payload));
        let flags = self.load(header, 0, Width::Half);
        // Neither source routing nor another version.
        let known = self.builder.masked(flags, 0, 0x4007);
        let carried = self.load(header, 2, Width::Half);
        let carried = self.builder.store(tunnel.protocol, carried);
        // Checksum, key and sequence number have four bytes each.
        let mut length = self.offset(header.plus(4));
        for bit in [15, 13, 12] {
            let present = self.bit_times_4(flags, bit);
            length = self.builder.binary(Operator::Add, length, present);
        }
        let payload = self.builder.store(tunnel.payload, length);
        let frame = self.frame_or_packet(tunnel);
        self.every([is_gre, known, carried, payload, frame])
    }

    fn bit_times_4(&mut self, flags: ValueId, bit: u32) -> ValueId {
        let (shift, mask) = (self.builder.constant(bit - 2), self.builder.constant(4));
        let shifted = self.builder.binary(Operator::ShiftRight, flags, shift);
        self.builder.binary(Operator::And, shifted, mask)
    }

    fn ip_in_ip(&mut self, tunnel: Tunnel, number: u32, ether_type: u32) -> Fragment {
        let protocol = self.builder.slot(tunnel.protocol);
        let carried = self.builder.equals(protocol, number);
        let ether_type = self.builder.constant(ether_type);
        let ether_type = self.builder.store(tunnel.protocol, ether_type);
        let packet = Position::computed(self.builder.slot(tunnel.payload));
        let packet = self.store_offset(tunnel.header, packet);
        self.every([carried, ether_type, packet])
    }

    /// Finds the header of an Ethernet frame at the payload, if the protocol says so; otherwise of a packet without a
    /// link-level header.
    fn frame_or_packet(&mut self, tunnel: Tunnel) -> Fragment {
        let protocol = self.builder.slot(tunnel.protocol);
        let bridged = self.builder.equals(protocol, BRIDGED);
        let start = Position::computed(self.builder.slot(tunnel.payload));
        let frame = self.ethernet(tunnel, start);
        let frame = self.builder.and(bridged, frame);
        let packet = self.store_offset(tunnel.header, start);
        self.builder.or(frame, packet)
    }

    /// Describes the Ethernet frame that begins here.
    fn ethernet(&mut self, tunnel: Tunnel, start: Position) -> Fragment {
        let header = self.store_offset(tunnel.header, start);
        let frame = Position::computed(self.builder.slot(tunnel.header));
        let carried = self.load(frame, 12, Width::Half);
        let carried = self.builder.store(tunnel.protocol, carried);
        let payload = self.store_offset(tunnel.payload, frame.plus(ETHERNET_HEADER));
        self.every([header, carried, payload])
    }

    /// True if all are, evaluated in this order.
    pub(super) fn every(&mut self, fragments: impl IntoIterator<Item = Fragment>) -> Fragment {
        let all = fragments.into_iter().reduce(|all, next| self.builder.and(all, next));
        all.unwrap_or_else(|| self.builder.always(true))
    }

    /// True if at least one is, evaluated in this order.
    pub(super) fn any(&mut self, fragments: impl IntoIterator<Item = Fragment>) -> Fragment {
        let any = fragments.into_iter().reduce(|any, next| self.builder.or(any, next));
        any.unwrap_or_else(|| self.builder.always(false))
    }

    /// Evaluates the fragment, and is true whatever its result.
    pub(super) fn if_any(&mut self, fragment: Fragment) -> Fragment {
        let always = self.builder.always(true);
        self.builder.or(fragment, always)
    }
}

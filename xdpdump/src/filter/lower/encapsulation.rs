//! Lowers primitives for encapsulations: everything after them in the text refers to the encapsulated headers.

use super::{
    super::{
        builder::Fragment,
        error::{Complaint, Span},
        ir::{ValueId, Width},
        names::UDP,
        syntax::{Operator, Side},
    },
    Lowered, Lowering, Position,
    layer::{BRIDGED, ETHERNET_HEADER, IPV4, IPV6, IPV6_HEADER, Link, MPLS, PPPOE_SESSION, VLAN_TAGS},
    port::Ports,
};

/// PPP's protocol number of MPLS (RFC 3032, 4.3).
const PPP_MPLS: u32 = 0x0281;
/// UDP port of GENEVE (RFC 8926, 3.3).
const GENEVE_PORT: u16 = 6081;
const UDP_HEADER: u32 = 8;

impl Lowering {
    pub(super) fn vlan(&mut self, number: Option<u32>, span: &Span) -> Lowered {
        if self.layers.labels > 0 {
            return Err(Complaint::new(span.clone(), "a VLAN tag cannot follow MPLS labels"));
        }
        if !matches!(self.layers.link, Link::Ethernet | Link::Tunnelled { .. }) {
            return Err(Complaint::new(span.clone(), "'vlan' is only supported on Ethernet"));
        }
        let mut tagged: Option<Fragment> = None;
        for tag in VLAN_TAGS {
            let tag = self.ether_type(tag, span)?;
            tagged = Some(self.builder.or_also(tagged, tag));
        }
        let mut vlan = tagged.unwrap_or_else(|| self.builder.always(false));
        if let Some(number) = number {
            let field = self.load(self.layers.network_header(), 0, Width::Half);
            let same = self.builder.masked(field, number, 0xfff);
            vlan = self.builder.and(vlan, same);
        }
        if let Link::Tunnelled { .. } = self.layers.link {
            // After the tag, the type is in a field of the frame again.
            self.layers.link = Link::Ethernet;
        }
        self.layers.payload = self.layers.payload.plus(4);
        self.layers.type_field = self.layers.type_field.plus(4);
        Ok(vlan)
    }

    pub(super) fn mpls(&mut self, label: Option<u32>, span: &Span) -> Lowered {
        let mut mpls = if self.layers.labels > 0 {
            // The label before is not the last one of the stack.
            let before = self.load(self.layers.network_header(), 2u32.wrapping_neg(), Width::Byte);
            self.builder.masked(before, 0, 1)
        } else {
            match self.layers.link {
                Link::Ethernet | Link::Tunnelled { .. } => self.ether_type(MPLS, span)?,
                Link::Ppp => self.ether_type(PPP_MPLS, span)?,
                Link::RawIp | Link::Loopback | Link::Cooked { .. } => {
                    return Err(Complaint::new(span.clone(), "'mpls' is only supported on Ethernet and PPP"));
                }
            }
        };
        if let Some(label) = label {
            let field = self.load(self.layers.network_header(), 0, Width::Word);
            let same = self.builder.masked(field, label << 12, 0xffff_f000);
            mpls = self.builder.and(mpls, same);
        }
        self.layers.network += 4;
        self.layers.network_after_llc += 4;
        self.layers.labels += 1;
        Ok(mpls)
    }

    pub(super) fn pppoe_session(&mut self, session: Option<u32>, span: &Span) -> Lowered {
        let mut pppoe = self.ether_type(PPPOE_SESSION, span)?;
        if let Some(session) = session {
            let field = self.load(self.layers.network_header(), 0, Width::Word);
            let same = self.builder.masked(field, session, 0xffff);
            pppoe = self.builder.and(pppoe, same);
        }
        // A PPPoE header of 6 bytes, then PPP's protocol of 2 bytes.
        let ppp = self.layers.network_header().plus(6);
        self.layers.link = Link::Ppp;
        self.layers.header = ppp;
        self.layers.type_field = ppp;
        self.layers.payload = ppp.plus(2);
        self.layers.network = 0;
        self.layers.network_after_llc = 0;
        self.layers.in_geneve = false;
        Ok(pppoe)
    }

    pub(super) fn geneve(&mut self, network: Option<u32>, span: &Span) -> Lowered {
        let type_slot = self.new_slot(span)?;
        let header_slot = self.new_slot(span)?;
        let payload_slot = self.new_slot(span)?;

        // At first, the slot for the header contains the offset of the GENEVE header.
        let ipv4 = self.geneve_over(IPV4, network, header_slot, span)?;
        let ipv6 = self.geneve_over(IPV6, network, header_slot, span)?;
        let geneve = self.builder.or(ipv4, ipv6);

        let outer = Position::computed(self.builder.slot(header_slot));
        let behind = self.geneve_payload(outer);
        let payload = self.builder.store(payload_slot, behind);
        let type_field = self.store_offset(type_slot, outer.plus(2));

        // Then it contains the offset of the inner header: of an Ethernet frame, or of a payload without a link-level
        // header.
        let carried = self.load(outer, 2, Width::Half);
        let ethernet = self.builder.equals(carried, BRIDGED);
        let inner = Position::computed(self.builder.slot(payload_slot));
        let its_header = self.store_offset(header_slot, inner);
        let its_type = self.store_offset(type_slot, inner.plus(12));
        let its_payload = self.store_offset(payload_slot, inner.plus(ETHERNET_HEADER));
        let its_fields = self.builder.and(its_type, its_payload);
        let its_fields = self.builder.and(its_header, its_fields);
        let ethernet = self.builder.and(ethernet, its_fields);
        let other = self.store_offset(header_slot, inner);
        let either = self.builder.or(ethernet, other);

        self.layers.link = Link::Ethernet;
        self.layers.header = Position::computed(self.builder.slot(header_slot));
        self.layers.type_field = Position::computed(self.builder.slot(type_slot));
        self.layers.payload = Position::computed(self.builder.slot(payload_slot));
        self.layers.network = 0;
        self.layers.in_geneve = true;
        let offsets = self.builder.and(payload, type_field);
        let offsets = self.builder.and(offsets, either);
        Ok(self.builder.and(geneve, offsets))
    }

    /// True for GENEVE over one version of IP; the slot then contains the offset of the GENEVE header.
    fn geneve_over(&mut self, version: u32, network: Option<u32>, slot: u8, span: &Span) -> Lowered {
        let port = self.ports_of(Ports::One(GENEVE_PORT), Some(UDP), Side::Destination, version, span)?;
        let transport = if version == IPV4 {
            self.ipv4_payload()
        } else {
            self.layers.network_header().plus(IPV6_HEADER)
        };
        let header = transport.plus(UDP_HEADER);
        let flags = self.load(header, 0, Width::Byte);
        let version_0 = self.builder.masked(flags, 0, 0xc0);
        let mut geneve = self.builder.and(port, version_0);
        if let Some(network) = network {
            let field = self.load(header, 4, Width::Word);
            let same = self.builder.masked(field, network << 8, 0xffff_ff00);
            geneve = self.builder.and(geneve, same);
        }
        let header = self.store_offset(slot, header);
        Ok(self.builder.and(geneve, header))
    }

    /// The offset after a GENEVE header and its options.
    pub(super) fn geneve_payload(&mut self, header: Position) -> ValueId {
        let first = self.load(header, 0, Width::Byte);
        let (mask, four) = (self.builder.constant(0x3f), self.builder.constant(4));
        let options = self.builder.binary(Operator::And, first, mask);
        let options = self.builder.binary(Operator::Multiply, options, four);
        let fixed = self.offset(header.plus(8));
        self.builder.binary(Operator::Add, fixed, options)
    }

    /// A position as a computed number.
    pub(super) fn offset(&mut self, position: Position) -> ValueId {
        let offset = self.builder.constant(position.offset);
        match position.base {
            Some(base) => self.builder.binary(Operator::Add, base, offset),
            None => offset,
        }
    }

    pub(super) fn store_offset(&mut self, slot: u8, position: Position) -> Fragment {
        let offset = self.offset(position);
        self.builder.store(slot, offset)
    }
}

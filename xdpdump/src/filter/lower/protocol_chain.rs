//! Lowers `protochain`: a protocol after any IPv6 extension headers and authentication headers.

use super::{
    super::{
        builder::Fragment,
        error::{Complaint, Span},
        ir::{ValueId, Width},
        syntax::{Operator, Protocol},
    },
    Lowered, Lowering, Position,
    layer::{IPV4, IPV6, IPV6_HEADER},
    protocol::{AH, FRAGMENT},
};

/// Most extension headers that are skipped. RFC 8200 defines seven; a program in the kernel must terminate.
const MAX_HEADERS: u32 = 12;

pub(super) const HOP_BY_HOP: u32 = 0;
pub(super) const ROUTING: u32 = 43;
pub(super) const DESTINATION_OPTIONS: u32 = 60;

/// The slots of the walk: the protocol of the current header, and its offset.
struct Walk {
    next: u8,
    offset: u8,
}

impl Lowering {
    pub(super) fn protocol_chain(&mut self, protocol: Option<Protocol>, number: u32, span: &Span) -> Lowered {
        match protocol {
            None => {
                let ipv4 = self.protocol_chain(Some(Protocol::Ip), number, span)?;
                let ipv6 = self.protocol_chain(Some(Protocol::Ipv6), number, span)?;
                Ok(self.builder.or(ipv4, ipv6))
            }
            Some(Protocol::Ip) => {
                let ip = self.ether_type(IPV4, span)?;
                let first = self.load(self.layers.network_header(), 9, Width::Byte);
                let offset = self.ipv4_payload();
                let chain = self.walk(first, offset, &[AH], number, span)?;
                Ok(self.builder.and(ip, chain))
            }
            Some(Protocol::Ipv6) => {
                let ip = self.ether_type(IPV6, span)?;
                let network = self.layers.network_header();
                let first = self.load(network, 6, Width::Byte);
                let headers = [HOP_BY_HOP, DESTINATION_OPTIONS, ROUTING, FRAGMENT, AH];
                let chain = self.walk(first, network.plus(IPV6_HEADER), &headers, number, span)?;
                Ok(self.builder.and(ip, chain))
            }
            Some(protocol) => Err(Complaint::new(
                span.clone(),
                format!("'protochain' goes with 'ip' and 'ip6', not with '{}'", protocol.word()),
            )),
        }
    }

    /// True if `number` is among the protocols of the chain that begins with `first` at `position`.
    fn walk(
        &mut self,
        first: ValueId,
        position: Position,
        headers: &[u32],
        number: u32,
        span: &Span,
    ) -> Lowered {
        let walk = self.walk_slots(span)?;
        let offset = self.offset(position);
        let begin = self.advance(&walk, first, offset);
        let chain = self.step(&walk, headers, number, MAX_HEADERS);
        Ok(self.builder.and(begin, chain))
    }

    /// True if the current protocol or one of the next `left` ones is the wanted one.
    fn step(&mut self, walk: &Walk, headers: &[u32], number: u32, left: u32) -> Fragment {
        let next = self.builder.slot(walk.next);
        let found = self.builder.equals(next, number);
        if left == 0 {
            return found;
        }
        let mut extension: Option<Fragment> = None;
        for &header in headers.iter().filter(|&&header| header != AH) {
            let is_header = self.builder.equals(next, header);
            extension = Some(self.builder.or_also(extension, is_header));
        }
        let here = self.builder.slot(walk.offset);
        let protocol = self.load(Position::computed(here), 0, Width::Byte);
        let units = self.load(Position::computed(here), 1, Width::Byte);
        // An extension header's length is in units of 8 bytes, without the first unit (RFC 8200, 4.2 ff.) …
        let extension = extension.map(|extension| {
            let beyond = self.behind(here, units, 8, 8);
            let advance = self.advance(walk, protocol, beyond);
            self.builder.and(extension, advance)
        });
        // … and an authentication header's in units of 4 bytes, without the first two units (RFC 4302, 2.2).
        let is_authentication = self.builder.equals(next, AH);
        let beyond = self.behind(here, units, 4, 8);
        let advance = self.advance(walk, protocol, beyond);
        let authentication = self.builder.and(is_authentication, advance);
        let any = match extension {
            Some(extension) => self.builder.or(extension, authentication),
            None => authentication,
        };
        let rest = self.step(walk, headers, number, left - 1);
        let rest = self.builder.and(any, rest);
        self.builder.or(found, rest)
    }

    /// The offset after a header: `offset + units * unit + least`.
    pub(super) fn behind(&mut self, offset: ValueId, units: ValueId, unit: u32, least: u32) -> ValueId {
        let (unit, least) = (self.builder.constant(unit), self.builder.constant(least));
        let length = self.builder.binary(Operator::Multiply, units, unit);
        let length = self.builder.binary(Operator::Add, length, least);
        self.builder.binary(Operator::Add, offset, length)
    }

    /// Moves to the next header. The protocol is stored first, because it is loaded at the old offset.
    fn advance(&mut self, walk: &Walk, protocol: ValueId, offset: ValueId) -> Fragment {
        let protocol = self.builder.store(walk.next, protocol);
        let offset = self.builder.store(walk.offset, offset);
        self.builder.and(protocol, offset)
    }

    fn walk_slots(&mut self, span: &Span) -> Result<Walk, Complaint> {
        let (next, offset) = match self.chain_slots {
            Some(slots) => slots,
            None => (self.new_slot(span)?, self.new_slot(span)?),
        };
        self.chain_slots = Some((next, offset));
        Ok(Walk { next, offset })
    }
}

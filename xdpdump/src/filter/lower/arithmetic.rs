//! Lowers arithmetic on the bytes of a frame.

use super::{
    super::{
        builder::Fragment,
        error::{Complaint, Span},
        ir::{Comparison, Field, ValueId, Width},
        syntax::{Arithmetic, Operator, Protocol, Relation},
    },
    Lowered, Lowering, Position,
    layer::{IPV6, IPV6_HEADER},
    protocol::ICMPV6,
};

/// A number, and the condition under which it exists: that the frame has the protocols whose bytes it is computed from.
struct Number {
    value: ValueId,
    condition: Option<Fragment>,
}

impl Lowering {
    pub(super) fn relation(&mut self, relation: Relation, left: &Arithmetic, right: &Arithmetic) -> Lowered {
        let left = self.arithmetic(left)?;
        let right = self.arithmetic(right)?;
        let condition = self.both(left.condition, right.condition);
        let (comparison, negated) = match relation {
            Relation::Equal => (Comparison::Equal, false),
            Relation::NotEqual => (Comparison::Equal, true),
            Relation::Greater => (Comparison::Greater, false),
            Relation::LessEqual => (Comparison::Greater, true),
            Relation::GreaterEqual => (Comparison::GreaterEqual, false),
            Relation::Less => (Comparison::GreaterEqual, true),
        };
        let mut test = self.builder.test(comparison, left.value, right.value);
        if negated {
            test = test.negated();
        }
        Ok(match condition {
            Some(condition) => self.builder.and(condition, test),
            None => test,
        })
    }

    fn arithmetic(&mut self, arithmetic: &Arithmetic) -> Result<Number, Complaint> {
        match arithmetic {
            Arithmetic::Number(number) => {
                Ok(Number { value: self.builder.constant(*number), condition: None })
            }
            Arithmetic::Length => Ok(Number { value: self.builder.field(Field::Length), condition: None }),
            Arithmetic::Negative(negated) => {
                let Number { value, condition } = self.arithmetic(negated)?;
                let zero = self.builder.constant(0);
                Ok(Number { value: self.builder.binary(Operator::Subtract, zero, value), condition })
            }
            Arithmetic::Binary { operator, left, right, span } => {
                let left = self.arithmetic(left)?;
                let right = self.arithmetic(right)?;
                match (operator, self.builder.constant_of(right.value)) {
                    (Operator::Divide | Operator::Remainder, Some(0)) => {
                        return Err(Complaint::new(span.clone(), "this divides by zero"));
                    }
                    (Operator::ShiftLeft | Operator::ShiftRight, Some(32..)) => {
                        return Err(Complaint::new(
                            span.clone(),
                            "a number has 32 bits; this shifts by more than 31",
                        ));
                    }
                    _ => {}
                }
                let condition = self.both(left.condition, right.condition);
                Ok(Number { value: self.builder.binary(*operator, left.value, right.value), condition })
            }
            Arithmetic::Load { protocol, index, size, span } => self.bytes_of(*protocol, index, *size, span),
        }
    }

    /// Loads bytes of a protocol's header.
    fn bytes_of(
        &mut self,
        protocol: Protocol,
        index: &Arithmetic,
        size: u32,
        span: &Span,
    ) -> Result<Number, Complaint> {
        let index = self.arithmetic(index)?;
        let width = match size {
            1 => Width::Byte,
            2 => Width::Half,
            _ => Width::Word,
        };
        let (condition, header) = match protocol {
            Protocol::Link => (None, self.layers.header),
            Protocol::Ip
            | Protocol::Arp
            | Protocol::Rarp
            | Protocol::Atalk
            | Protocol::Decnet
            | Protocol::Sca
            | Protocol::Lat
            | Protocol::MopRc
            | Protocol::MopDl
            | Protocol::Ipv6 => (Some(self.protocol(protocol, span)?), self.layers.network_header()),
            Protocol::Sctp
            | Protocol::Tcp
            | Protocol::Udp
            | Protocol::Icmp
            | Protocol::Igmp
            | Protocol::Igrp
            | Protocol::Pim
            | Protocol::Vrrp
            | Protocol::Carp => {
                // The header is found with the length of the IPv4 header. Like libpcap, this also tests whether IPv6
                // carries the protocol.
                let ip = self.protocol(Protocol::Ip, span)?;
                let carried = self.protocol(protocol, span)?;
                let first = self.first_fragment();
                let transport = self.builder.and(carried, first);
                (Some(self.builder.and(ip, transport)), self.ipv4_payload())
            }
            Protocol::Icmpv6 => {
                let ip = self.ether_type(IPV6, span)?;
                let network = self.layers.network_header();
                let next = self.load(network, 6, Width::Byte);
                let carried = self.builder.equals(next, ICMPV6);
                (Some(self.builder.and(ip, carried)), network.plus(IPV6_HEADER))
            }
            _ => {
                let message = format!("bytes of '{}' cannot be loaded", protocol.word());
                return Err(Complaint::new(span.clone(), message));
            }
        };
        let position = self.displaced(header, index.value);
        let condition = self.both(index.condition, condition);
        Ok(Number { value: self.load(position, 0, width), condition })
    }

    /// A position in a header, or before it: `tcp[-2:2]` are the last bytes of the IP header. A constant index becomes
    /// part of the constant offset, unless it is negative and there is a base.
    fn displaced(&mut self, header: Position, index: ValueId) -> Position {
        if let Some(index) = self.builder.constant_of(index)
            && (header.base.is_none() || index.cast_signed() >= 0)
        {
            return header.plus(index);
        }
        let base = match header.base {
            Some(base) => self.builder.binary(Operator::Add, base, index),
            None => index,
        };
        Position { base: Some(base), offset: header.offset }
    }

    /// The conjunction of two conditions.
    fn both(&mut self, first: Option<Fragment>, second: Option<Fragment>) -> Option<Fragment> {
        match (first, second) {
            (Some(first), Some(second)) => Some(self.builder.and(first, second)),
            (one, None) | (None, one) => one,
        }
    }
}

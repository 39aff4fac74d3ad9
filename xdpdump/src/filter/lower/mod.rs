//! Lowers the tree to the intermediate form: this defines what each primitive means for the bytes of a frame.
//!
//! Primitives are lowered in the order of the text, and each loads bytes in the same order as libpcap, because that
//! order decides which frames are rejected for being too short. `vlan`, `mpls`, `pppoes` and `geneve` change the
//! headers that everything after them in the text refers to.

mod address;
mod arithmetic;
mod encapsulation;
mod headers;
mod inner;
mod layer;
mod link;
mod port;
mod protocol;
mod protocol_chain;

use crate::packet::LinkType;

use super::{
    builder::{Builder, Fragment},
    error::{Complaint, Span},
    ir::{Comparison, Field, INBOUND, MAX_SLOTS, OUTBOUND, Program, ValueId, Width, too_many_slots},
    syntax::{ByteTest, Connective, Expression, Kind, Operator, Protocol},
};
use inner::Tunnel;
use layer::{Layers, Position};

pub(super) use headers::headers;

type Lowered = Result<Fragment, Complaint>;

/// Lowers a tree to the intermediate form.
pub(super) fn lower(expression: Option<&Expression>, link_type: LinkType) -> Result<Program, Complaint> {
    let Some(layers) = Layers::new(link_type) else {
        let Some(expression) = expression else { return Ok(Builder::default().finish(None)) };
        let message = format!(
            "frames of link type {link_type} cannot be filtered: only those of Ethernet, raw IP, Linux cooked captures, loopbacks \
            and PPP can"
        );
        return Err(Complaint::new(expression.span.clone(), message));
    };
    let mut lowering = Lowering::new(layers);
    let fragment = expression.map(|expression| lowering.expression(expression)).transpose()?;
    Ok(lowering.builder.finish(fragment))
}

struct Lowering {
    builder: Builder,
    layers: Layers,
    /// The two slots that all protocol chains of a filter share.
    chain_slots: Option<(u8, u8)>,
    /// The slots of `inner` for each depth of nesting.
    tunnels: Vec<Tunnel>,
    tunnels_open: usize,
}

impl Lowering {
    fn new(layers: Layers) -> Self {
        Self { builder: Builder::default(), layers, chain_slots: None, tunnels: Vec::new(), tunnels_open: 0 }
    }

    fn expression(&mut self, expression: &Expression) -> Lowered {
        let span = &expression.span;
        match &expression.kind {
            Kind::Chain(first, rest) => {
                let mut all = self.expression(first)?;
                for (connective, next) in rest {
                    let next = self.expression(next)?;
                    all = match connective {
                        Connective::And => self.builder.and(all, next),
                        Connective::Or => self.builder.or(all, next),
                    };
                }
                Ok(all)
            }
            Kind::Not(negated) => self.expression(negated).map(Fragment::negated),
            Kind::Inner(inside) => self.inner(inside, span),
            Kind::Protocol(protocol) => self.protocol(*protocol, span),
            Kind::Address(qualifiers, operand, place) => self.address(*qualifiers, operand, place),
            Kind::Relation(relation, left, right) => self.relation(*relation, left, right),
            Kind::Byte { offset, test, value } => Ok(self.byte(*offset, *test, *value)),
            Kind::Broadcast(protocol) => self.broadcast(*protocol, span),
            Kind::Multicast(protocol) => self.multicast(*protocol, span),
            Kind::Less(most) => Ok(self.field_test(Field::Length, Comparison::Greater, *most).negated()),
            Kind::Greater(least) => Ok(self.field_test(Field::Length, Comparison::GreaterEqual, *least)),
            Kind::Inbound => Ok(self.direction(INBOUND)),
            Kind::Outbound => Ok(self.direction(OUTBOUND)),
            Kind::Vlan(number) => self.vlan(*number, span),
            Kind::Mpls(label) => self.mpls(*label, span),
            Kind::PppoeDiscovery => self.ether_type(layer::PPPOE_DISCOVERY, span),
            Kind::PppoeSession(session) => self.pppoe_session(*session, span),
            Kind::Geneve(network) => self.geneve(*network, span),
            Kind::Llc(llc) => self.llc(*llc, span),
            Kind::Verdict(verdict) => Ok(self.field_test(Field::Verdict, Comparison::Equal, *verdict)),
            Kind::Queue(queue) => Ok(self.field_test(Field::Queue, Comparison::Equal, *queue)),
            Kind::Cpu(cpu) => Ok(self.field_test(Field::Cpu, Comparison::Equal, *cpu)),
        }
    }

    fn field_test(&mut self, field: Field, comparison: Comparison, number: u32) -> Fragment {
        let field = self.builder.field(field);
        let number = self.builder.constant(number);
        self.builder.test(comparison, field, number)
    }

    fn byte(&mut self, offset: u32, test: ByteTest, number: u32) -> Fragment {
        let header = self.layers.header;
        let byte = self.load(header, offset, Width::Byte);
        let value = self.builder.constant(number);
        match test {
            ByteTest::Equal => self.builder.test(Comparison::Equal, byte, value),
            ByteTest::Less => self.builder.test(Comparison::GreaterEqual, byte, value).negated(),
            ByteTest::Greater => self.builder.test(Comparison::Greater, byte, value),
            ByteTest::And => self.builder.test(Comparison::Common, byte, value),
            ByteTest::Or => {
                let either = self.builder.binary(Operator::Or, byte, value);
                self.builder.equals(either, 0).negated()
            }
        }
    }

    /// A slot that is not used for anything else.
    fn new_slot(&mut self, span: &Span) -> Result<u8, Complaint> {
        if self.builder.slots == MAX_SLOTS {
            return Err(too_many_slots(span.clone()));
        }
        self.builder.slots += 1;
        Ok(self.builder.slots - 1)
    }

    fn load(&mut self, position: Position, offset: u32, width: Width) -> ValueId {
        self.builder.load(width, position.base, position.offset.wrapping_add(offset))
    }
}

/// A complaint about a qualifier that does not fit the protocol.
fn misplaced(protocol: Protocol, what: &str, span: &Span) -> Complaint {
    Complaint::new(span.clone(), format!("'{}' has no {what}", protocol.word()))
}

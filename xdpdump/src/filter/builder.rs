//! Builds an intermediate form: stores each value once, computes constants and connects edges.

use std::collections::HashMap;

use super::{
    ir::{Comparison, Field, Node, Program, Target, Test, Value, ValueId, Width, compute},
    syntax::Operator,
};

/// A program under construction.
#[derive(Debug, Default)]
pub(super) struct Builder {
    values: Vec<Value>,
    known: HashMap<Value, ValueId>,
    nodes: Vec<Node>,
    pub slots: u8,
}

/// A part of the graph: its first node, and the edges that do not lead to a node yet.
#[derive(Debug)]
pub(super) struct Fragment {
    entry: u32,
    accepting: Vec<Edge>,
    rejecting: Vec<Edge>,
}

#[derive(Clone, Copy, Debug)]
enum Edge {
    Then(u32),
    Otherwise(u32),
    Next(u32),
}

impl Builder {
    pub fn constant(&mut self, number: u32) -> ValueId {
        self.value(Value::Constant(number))
    }

    pub fn field(&mut self, field: Field) -> ValueId {
        self.value(Value::Field(field))
    }

    pub fn slot(&mut self, slot: u8) -> ValueId {
        self.value(Value::Slot(slot))
    }

    pub fn load(&mut self, width: Width, base: Option<ValueId>, offset: u32) -> ValueId {
        self.value(Value::Load { width, base, offset })
    }

    /// The number, if the value is a constant.
    pub fn constant_of(&self, id: ValueId) -> Option<u32> {
        match self.values[id.0 as usize] {
            Value::Constant(number) => Some(number),
            _ => None,
        }
    }

    /// The result of an operator, computed now if that is possible.
    pub fn binary(&mut self, operator: Operator, left: ValueId, right: ValueId) -> ValueId {
        let constants = (self.constant_of(left), self.constant_of(right));
        match (operator, constants) {
            (_, (Some(l), Some(r))) if let Some(number) = compute(operator, l, r) => self.constant(number),
            (
                Operator::Add
                | Operator::Subtract
                | Operator::Or
                | Operator::Xor
                | Operator::ShiftLeft
                | Operator::ShiftRight,
                (_, Some(0)),
            ) => left,
            (Operator::Add | Operator::Or | Operator::Xor, (Some(0), _)) => right,
            // As in libpcap, which does not load the bytes of the other operand either.
            (Operator::Multiply | Operator::And, (_, Some(0)) | (Some(0), _)) => self.constant(0),
            _ => self.value(Value::Binary { operator, left, right }),
        }
    }

    fn value(&mut self, value: Value) -> ValueId {
        *self.known.entry(value).or_insert_with(|| {
            self.values.push(value);
            ValueId(self.values.len() as u32 - 1)
        })
    }

    /// True if the comparison holds.
    pub fn test(&mut self, comparison: Comparison, left: ValueId, right: ValueId) -> Fragment {
        let test = Test { comparison, left, right };
        let at = self.node(Node::Test { test, then: Target::Accept, otherwise: Target::Reject });
        Fragment { entry: at, accepting: vec![Edge::Then(at)], rejecting: vec![Edge::Otherwise(at)] }
    }

    /// True if the value equals this number.
    pub fn equals(&mut self, value: ValueId, number: u32) -> Fragment {
        let number = self.constant(number);
        self.test(Comparison::Equal, value, number)
    }

    /// True if the bits selected by the mask are those of `number`.
    pub fn masked(&mut self, value: ValueId, number: u32, mask: u32) -> Fragment {
        let mask = self.constant(mask);
        let masked = if self.constant_of(mask) == Some(u32::MAX) {
            value
        } else {
            self.binary(Operator::And, value, mask)
        };
        self.equals(masked, number)
    }

    /// A fragment that is always true, or always false.
    pub fn always(&mut self, truth: bool) -> Fragment {
        let zero = self.constant(0);
        self.equals(zero, u32::from(!truth))
    }

    /// Stores the value; always true.
    pub fn store(&mut self, slot: u8, value: ValueId) -> Fragment {
        let at = self.node(Node::Store { slot, value, next: Target::Accept });
        Fragment { entry: at, accepting: vec![Edge::Next(at)], rejecting: Vec::new() }
    }

    fn node(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }

    /// True if both are; the second is evaluated only if the first is true. The second must have been built after the
    /// first.
    pub fn and(&mut self, first: Fragment, second: Fragment) -> Fragment {
        debug_assert!(first.entry < second.entry, "{second:?} was built before {first:?}");
        self.join(&first.accepting, second.entry);
        Fragment {
            entry: first.entry,
            accepting: second.accepting,
            rejecting: concatenated(first.rejecting, second.rejecting),
        }
    }

    /// True if one of them is; the second is evaluated only if the first is false. The second must have been built
    /// after the first.
    pub fn or(&mut self, first: Fragment, second: Fragment) -> Fragment {
        debug_assert!(first.entry < second.entry, "{second:?} was built before {first:?}");
        self.join(&first.rejecting, second.entry);
        Fragment {
            entry: first.entry,
            accepting: concatenated(first.accepting, second.accepting),
            rejecting: second.rejecting,
        }
    }

    /// The second fragment, combined by `or` with the first one if there is one.
    pub fn or_also(&mut self, first: Option<Fragment>, second: Fragment) -> Fragment {
        match first {
            Some(first) => self.or(first, second),
            None => second,
        }
    }

    fn join(&mut self, edges: &[Edge], entry: u32) {
        for &edge in edges {
            self.direct(edge, Target::Node(entry));
        }
    }

    fn direct(&mut self, edge: Edge, to: Target) {
        let (Edge::Then(at) | Edge::Otherwise(at) | Edge::Next(at)) = edge;
        match (edge, &mut self.nodes[at as usize]) {
            (Edge::Then(_), Node::Test { then, .. }) => *then = to,
            (Edge::Otherwise(_), Node::Test { otherwise, .. }) => *otherwise = to,
            (Edge::Next(_), Node::Store { next, .. }) => *next = to,
            _ => {}
        }
    }

    /// The program that accepts frames for which the fragment is true; without a fragment, all frames.
    pub fn finish(mut self, fragment: Option<Fragment>) -> Program {
        let mut entry = Target::Accept;
        if let Some(fragment) = fragment {
            for edge in fragment.accepting {
                self.direct(edge, Target::Accept);
            }
            for edge in fragment.rejecting {
                self.direct(edge, Target::Reject);
            }
            entry = Target::Node(fragment.entry);
        }
        Program { values: self.values, nodes: self.nodes, entry, slots: self.slots, result: None }
    }
}

impl Fragment {
    /// True if this fragment is false.
    pub fn negated(self) -> Self {
        Self { entry: self.entry, accepting: self.rejecting, rejecting: self.accepting }
    }
}

fn concatenated(mut first: Vec<Edge>, second: Vec<Edge>) -> Vec<Edge> {
    first.extend(second);
    first
}

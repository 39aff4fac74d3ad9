//! The intermediate form of a filter: a graph of tests on numbers that are computed from a frame.
//!
//! It has the semantics of classic BPF. Numbers have 32 bits and wrap around. A load of bytes beyond the end of the
//! frame rejects the frame, whatever the rest of the filter says, and so does a division by zero. Edges lead forward
//! only, so every filter terminates.

use super::{error::Complaint, syntax::Operator};
use crate::packet::Direction;

/// A filter, or a program that computes how much of a frame to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub values: Vec<Value>,
    /// Every edge leads to a node with a higher index.
    pub nodes: Vec<Node>,
    pub entry: Target,
    /// Number of slots that the nodes use.
    pub slots: u8,
    /// The slot that holds the result if the frame is accepted; the result for a rejected frame is [`WHOLE`]. `None`
    /// for a filter, whose result is whether the frame is accepted.
    pub result: Option<u8>,
}

/// A length in bytes that no frame reaches.
pub(super) const WHOLE: u32 = u32::MAX;

/// Index of a value; its operands have lower indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ValueId(pub u32);

/// A number computed from a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Constant(u32),
    /// Bytes of the frame in network byte order, at `base + offset`; this sum does not wrap around.
    Load {
        width: Width,
        base: Option<ValueId>,
        offset: u32,
    },
    Binary {
        operator: Operator,
        left: ValueId,
        right: ValueId,
    },
    /// The value last stored in this slot; 0 if none was.
    Slot(u8),
    Field(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Width {
    Byte,
    Half,
    Word,
}

impl Width {
    /// The width in bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
        }
    }
}

/// A property of a frame other than its bytes; its value is [`UNKNOWN`] if it is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Field {
    /// Length on the wire in bytes.
    Length,
    /// [`INBOUND`] or [`OUTBOUND`].
    Direction,
    Queue,
    Cpu,
    /// The verdict (`enum xdp_action`).
    Verdict,
}

/// The value of an unknown field; no queue, CPU or verdict has this number.
pub(super) const UNKNOWN: u32 = u32::MAX;
pub(super) const INBOUND: u32 = 1;
pub(super) const OUTBOUND: u32 = 2;

/// The value of [`Field::Direction`].
pub(super) fn direction(direction: Direction) -> u32 {
    match direction {
        Direction::Unknown => UNKNOWN,
        Direction::Inbound => INBOUND,
        Direction::Outbound => OUTBOUND,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Test { test: Test, then: Target, otherwise: Target },
    Store { slot: u8, value: ValueId, next: Target },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Test {
    pub comparison: Comparison,
    pub left: ValueId,
    pub right: ValueId,
}

/// Comparisons of unsigned numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Comparison {
    Equal,
    Greater,
    GreaterEqual,
    /// The numbers have at least one set bit in common.
    Common,
}

impl Comparison {
    pub fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
            Self::Common => left & right != 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Node(u32),
    Accept,
    Reject,
}

impl Program {
    /// Whether no way leads to acceptance. Every node of an optimized program can be reached.
    pub fn rejects_everything(&self) -> bool {
        let accepts = |target: Target| target == Target::Accept;
        let node_accepts = |node: &Node| match *node {
            Node::Test { then, otherwise, .. } => accepts(then) || accepts(otherwise),
            Node::Store { next, .. } => accepts(next),
        };
        !accepts(self.entry) && !self.nodes.iter().any(node_accepts)
    }

    pub fn value(&self, id: ValueId) -> Value {
        self.values[id.0 as usize]
    }
}

/// The result of an operator; `None` for a division by zero.
pub(super) fn compute(operator: Operator, left: u32, right: u32) -> Option<u32> {
    Some(match operator {
        Operator::Add => left.wrapping_add(right),
        Operator::Subtract => left.wrapping_sub(right),
        Operator::Multiply => left.wrapping_mul(right),
        Operator::Divide => left.checked_div(right)?,
        Operator::Remainder => left.checked_rem(right)?,
        Operator::And => left & right,
        Operator::Or => left | right,
        Operator::Xor => left ^ right,
        Operator::ShiftLeft => left.checked_shl(right).unwrap_or(0),
        Operator::ShiftRight => left.checked_shr(right).unwrap_or(0),
    })
}

/// Most slots of a filter: they are on the stack of the kernel program, which needs the rest of it.
pub(super) const MAX_SLOTS: u8 = 16;

/// The complaint about a filter that needs more slots.
pub(super) fn too_many_slots(span: super::error::Span) -> Complaint {
    Complaint::new(span, "too many tunnels in one filter: at most five are supported")
}

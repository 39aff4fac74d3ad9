//! The intermediate form of a filter: a graph of tests over numbers that are computed from a frame.
//!
//! Its meaning is classic BPF's. Numbers are 32 bits wide and wrap around. A load of bytes that the frame does not have
//! rejects the frame, whatever the filter says about it, and so does a division by zero. Edges lead forward only, so that
//! every filter ends.

use super::{error::Complaint, syntax::Operator};

/// A filter, or what says how much of a frame is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub values: Vec<Value>,
    /// Every edge leads to a node behind its own.
    pub nodes: Vec<Node>,
    pub entry: Target,
    /// How many slots the nodes use.
    pub slots: u8,
    /// The slot whose number is the result where the frame is accepted; of a rejected frame it is then [`WHOLE`]. `None` for a
    /// filter, of which nothing but that is wanted.
    pub result: Option<u8>,
}

/// A number of bytes that no frame has.
pub(super) const WHOLE: u32 = u32::MAX;

/// Index of a value; its operands have lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ValueId(pub u32);

/// A number computed from a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Constant(u32),
    /// Bytes of the frame, most significant first, at `offset` behind `base`; the sum does not wrap around.
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
    /// What was last stored in this slot; 0 in the beginning.
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
    /// In bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
        }
    }
}

/// What is known of a frame besides its bytes; [`UNKNOWN`] where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Field {
    /// Bytes on the wire.
    Length,
    /// [`INBOUND`] or [`OUTBOUND`].
    Direction,
    Queue,
    Cpu,
    /// `enum xdp_action`.
    Verdict,
}

/// The value of a field that is not known; no queue, CPU or verdict has this number.
pub(super) const UNKNOWN: u32 = u32::MAX;
pub(super) const INBOUND: u32 = 1;
pub(super) const OUTBOUND: u32 = 2;

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
    /// The numbers have a set bit in common.
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
    pub fn value(&self, id: ValueId) -> Value {
        self.values[id.0 as usize]
    }
}

/// What an operator makes of two numbers; `None` for a division by zero.
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

/// Most slots a filter can use: they are on the kernel program's stack, of which others need the rest.
pub(super) const MAX_SLOTS: u8 = 16;

/// What every way to reach too many slots is told.
pub(super) fn too_many_slots(span: super::error::Span) -> Complaint {
    Complaint::new(span, "too many tunnels in one filter; it can keep at most five apart")
}

//! Evaluates a filter or a cut for one frame in user space.

use super::{
    Frame,
    ir::{self, Field, MAX_SLOTS, Node, Program, Target, UNKNOWN, Value, ValueId, WHOLE, Width, compute},
};

/// Whether the program accepts the frame.
pub(super) fn accepts(program: &Program, frame: &Frame<'_>) -> bool {
    Evaluation::new(program, frame).run().is_some()
}

/// The number that the program computes for the frame; [`WHOLE`] for a frame that it rejects.
pub(super) fn number(program: &Program, frame: &Frame<'_>) -> u32 {
    Evaluation::new(program, frame).run().map_or(WHOLE, |number| number)
}

struct Evaluation<'a> {
    program: &'a Program,
    frame: &'a Frame<'a>,
    slots: [u32; MAX_SLOTS as usize],
}

impl<'a> Evaluation<'a> {
    fn new(program: &'a Program, frame: &'a Frame<'a>) -> Self {
        Self { program, frame, slots: [0; MAX_SLOTS as usize] }
    }

    /// The result, which is 1 for a filter; `None` if the frame is rejected.
    fn run(mut self) -> Option<u32> {
        let mut at = self.program.entry;
        loop {
            at = match at {
                Target::Accept => {
                    return Some(self.program.result.map_or(1, |slot| self.slots[usize::from(slot)]));
                }
                Target::Reject => return None,
                Target::Node(node) => self.step(node)?,
            };
        }
    }

    /// The target after a node; `None` if the frame ends before the bytes that the node loads.
    fn step(&mut self, node: u32) -> Option<Target> {
        match self.program.nodes[node as usize] {
            Node::Test { test, then, otherwise } => {
                let holds = test.comparison.holds(self.value(test.left)?, self.value(test.right)?);
                Some(if holds { then } else { otherwise })
            }
            Node::Store { slot, value, next } => {
                self.slots[usize::from(slot)] = self.value(value)?;
                Some(next)
            }
        }
    }

    fn value(&self, id: ValueId) -> Option<u32> {
        match self.program.value(id) {
            Value::Constant(number) => Some(number),
            Value::Load { width, base, offset } => {
                let base = base.map_or(Some(0), |base| self.value(base))?;
                self.load(width, base.checked_add(offset)?)
            }
            Value::Binary { operator, left, right } => {
                compute(operator, self.value(left)?, self.value(right)?)
            }
            Value::Slot(slot) => Some(self.slots[usize::from(slot)]),
            Value::Field(field) => Some(self.field(field)),
        }
    }

    fn load(&self, width: Width, offset: u32) -> Option<u32> {
        let bytes = self.frame.bytes.get(offset as usize..)?;
        Some(match width {
            Width::Byte => u32::from(*bytes.first()?),
            Width::Half => u32::from(u16::from_be_bytes(*bytes.first_chunk()?)),
            Width::Word => u32::from_be_bytes(*bytes.first_chunk()?),
        })
    }

    fn field(&self, field: Field) -> u32 {
        match field {
            Field::Length => self.frame.len,
            Field::Direction => ir::direction(self.frame.direction),
            Field::Queue => self.frame.queue.unwrap_or(UNKNOWN),
            Field::Cpu => self.frame.cpu.unwrap_or(UNKNOWN),
            Field::Verdict => self.frame.verdict.unwrap_or(UNKNOWN),
        }
    }
}

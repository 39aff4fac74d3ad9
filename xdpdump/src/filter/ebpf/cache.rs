//! Remembers which values are in registers, so that bytes of a frame are not loaded twice.

use super::instruction::Register;
use crate::filter::ir::{Node, Program, Value, ValueId};

/// Registers that keep their values over calls, except the one with the context.
const REGISTERS: [Register; 3] = [7, 8, 9];

/// The values in the registers at one place of the code; the most recently used one comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cache(Vec<(Register, ValueId)>);

impl Cache {
    /// The register that holds the value.
    pub fn find(&mut self, value: ValueId) -> Option<Register> {
        let at = self.0.iter().position(|&(_, cached)| cached == value)?;
        let entry = self.0.remove(at);
        self.0.insert(0, entry);
        Some(entry.0)
    }

    /// A register to keep the value in: a free one, or the one whose value was not used for the longest time.
    pub fn claim(&mut self, value: ValueId) -> Register {
        let free = REGISTERS.into_iter().find(|register| self.0.iter().all(|(used, _)| used != register));
        let register = free.or_else(|| self.0.pop().map(|(register, _)| register)).unwrap_or(REGISTERS[0]);
        self.0.insert(0, (register, value));
        register
    }

    /// What the registers hold on both of two paths.
    pub fn common(mut self, other: &Self) -> Self {
        self.0.retain(|entry| other.0.contains(entry));
        self
    }

    /// Forgets the values that depend on something that changes.
    pub fn forget(&mut self, depends: impl Fn(ValueId) -> bool) {
        self.0.retain(|&(_, value)| !depends(value));
    }
}

/// For each value, whether it is used more than once and is more expensive to compute than a constant.
pub(super) fn worth_keeping(program: &Program) -> Vec<bool> {
    let mut uses = vec![0u32; program.values.len()];
    for node in &program.nodes {
        match *node {
            Node::Test { test, .. } => {
                uses[test.left.0 as usize] += 1;
                uses[test.right.0 as usize] += 1;
            }
            Node::Store { value, .. } => uses[value.0 as usize] += 1,
        }
    }
    for value in &program.values {
        if let Value::Load { base: Some(base), .. } = value {
            uses[base.0 as usize] += 1;
        }
    }
    let cheap = |value: &Value| matches!(value, Value::Constant(_) | Value::Slot(_));
    program.values.iter().zip(uses).map(|(value, uses)| uses > 1 && !cheap(value)).collect()
}

/// For each value, the index of the last node that needs it, as an operand or to compute one; 0 if none does.
pub(super) fn last_uses(program: &Program) -> Vec<u32> {
    let mut last = vec![0u32; program.values.len()];
    for (at, node) in (0..).zip(&program.nodes) {
        match *node {
            Node::Test { test, .. } => {
                last[test.left.0 as usize] = at;
                last[test.right.0 as usize] = at;
            }
            Node::Store { value, .. } => last[value.0 as usize] = at,
        }
    }
    // The operands of a value come before it.
    for (id, value) in program.values.iter().enumerate().rev() {
        let at = last[id];
        let mut needs = |operand: ValueId| {
            let known = &mut last[operand.0 as usize];
            *known = at.max(*known);
        };
        match *value {
            Value::Load { base: Some(base), .. } => needs(base),
            Value::Binary { left, right, .. } => {
                needs(left);
                needs(right);
            }
            Value::Constant(_) | Value::Load { base: None, .. } | Value::Slot(_) | Value::Field(_) => {}
        }
    }
    last
}

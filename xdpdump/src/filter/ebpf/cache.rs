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

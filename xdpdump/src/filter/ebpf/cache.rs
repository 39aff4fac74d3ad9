//! Which numbers are in registers, so that a frame's bytes are not loaded twice.

use super::instruction::Register;
use crate::filter::ir::{Node, Program, Value, ValueId};

/// Registers that keep their values over calls, apart from the one with the context.
const REGISTERS: [Register; 3] = [7, 8, 9];

/// The values in the registers at a place, the one used last in front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cache(Vec<(Register, ValueId)>);

impl Cache {
    /// The register that has the value.
    pub fn find(&mut self, value: ValueId) -> Option<Register> {
        let at = self.0.iter().position(|&(_, cached)| cached == value)?;
        let entry = self.0.remove(at);
        self.0.insert(0, entry);
        Some(entry.0)
    }

    /// The register that the value is to be kept in: a free one, or that of the value not used for longest.
    pub fn claim(&mut self, value: ValueId) -> Register {
        let free = REGISTERS.into_iter().find(|register| self.0.iter().all(|(used, _)| used != register));
        let register = free.or_else(|| self.0.pop().map(|(register, _)| register)).unwrap_or(REGISTERS[0]);
        self.0.insert(0, (register, value));
        register
    }

    /// What is in the registers on either of two ways.
    pub fn common(mut self, other: &Self) -> Self {
        self.0.retain(|entry| other.0.contains(entry));
        self
    }

    /// Forgets what depends on something that changes.
    pub fn forget(&mut self, depends: impl Fn(ValueId) -> bool) {
        self.0.retain(|&(_, value)| !depends(value));
    }
}

/// For each value, whether it is used in more than one place and takes more to compute than a constant.
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

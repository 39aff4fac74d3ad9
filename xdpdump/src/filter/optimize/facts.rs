//! What is known at a node from the tests on every path to it.

use std::collections::BTreeMap;

use super::super::ir::{Comparison, Test, Value, ValueId, compute};

/// Most outcomes that are remembered; later ones are dropped.
const MAX_OUTCOMES: usize = 256;

#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Values that are known to equal a number.
    numbers: BTreeMap<ValueId, u32>,
    outcomes: BTreeMap<Test, bool>,
}

impl Facts {
    /// Adds the outcome of a test whose right side is `number`, if it is a constant.
    pub fn with(&self, number: Option<u32>, test: Test, outcome: bool) -> Self {
        let mut more = self.clone();
        if let (Comparison::Equal, true, Some(number)) = (test.comparison, outcome, number) {
            more.numbers.insert(test.left, number);
        } else if more.outcomes.len() < MAX_OUTCOMES {
            more.outcomes.insert(test, outcome);
        }
        more
    }

    /// What is still known after a store to a slot; `slots` are the slots that each value depends on.
    pub fn without_slot(mut self, slot: u8, slots: &[u16]) -> Self {
        let independent = |id: ValueId| slots[id.0 as usize] & (1 << slot) == 0;
        self.numbers.retain(|&value, _| independent(value));
        self.outcomes.retain(|test, _| independent(test.left) && independent(test.right));
        self
    }

    /// What is known on both of two paths.
    pub fn common(mut self, other: &Self) -> Self {
        self.numbers.retain(|value, number| other.numbers.get(value) == Some(number));
        self.outcomes.retain(|test, outcome| other.outcomes.get(test) == Some(outcome));
        self
    }

    /// The outcome of a test, if it is known.
    pub fn outcome(&self, values: &[Value], test: Test) -> Option<bool> {
        if let (Some(left), Some(right)) = (self.number(values, test.left), self.number(values, test.right)) {
            return Some(test.comparison.holds(left, right));
        }
        self.outcomes.get(&test).copied()
    }

    /// The number that a value equals, if that is known; in that case, every byte that it depends on has been loaded
    /// before.
    fn number(&self, values: &[Value], id: ValueId) -> Option<u32> {
        if let Some(&number) = self.numbers.get(&id) {
            return Some(number);
        }
        match values[id.0 as usize] {
            Value::Constant(number) => Some(number),
            Value::Binary { operator, left, right } => {
                compute(operator, self.number(values, left)?, self.number(values, right)?)
            }
            Value::Load { .. } | Value::Slot(_) | Value::Field(_) => None,
        }
    }
}

//! What is known at a place of a filter from the tests on every way to it.

use std::collections::BTreeMap;

use super::super::ir::{Comparison, Test, Value, ValueId, compute};

/// Outcomes that are remembered; where there are more, the first ones are.
const MAX_OUTCOMES: usize = 256;

#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Values that were found to be a number.
    numbers: BTreeMap<ValueId, u32>,
    outcomes: BTreeMap<Test, bool>,
}

impl Facts {
    /// These, and the outcome of a test whose right side is `number`, if it always is one.
    pub fn with(&self, number: Option<u32>, test: Test, outcome: bool) -> Self {
        let mut more = self.clone();
        if let (Comparison::Equal, true, Some(number)) = (test.comparison, outcome, number) {
            more.numbers.insert(test.left, number);
        } else if more.outcomes.len() < MAX_OUTCOMES {
            more.outcomes.insert(test, outcome);
        }
        more
    }

    /// What is still known after something else was stored in a slot; `slots` are those each value depends on.
    pub fn without_slot(mut self, slot: u8, slots: &[u16]) -> Self {
        let independent = |id: ValueId| slots[id.0 as usize] & (1 << slot) == 0;
        self.numbers.retain(|&value, _| independent(value));
        self.outcomes.retain(|test, _| independent(test.left) && independent(test.right));
        self
    }

    /// What is known in both cases.
    pub fn common(mut self, other: &Self) -> Self {
        self.numbers.retain(|value, number| other.numbers.get(value) == Some(number));
        self.outcomes.retain(|test, outcome| other.outcomes.get(test) == Some(outcome));
        self
    }

    /// How a test ends, if that is known.
    pub fn outcome(&self, values: &[Value], test: Test) -> Option<bool> {
        if let (Some(left), Some(right)) = (self.number(values, test.left), self.number(values, test.right)) {
            return Some(test.comparison.holds(left, right));
        }
        self.outcomes.get(&test).copied()
    }

    /// The number a value is, if that is known; every byte it depends on was then looked at.
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

//! Removes redundant parts of a filter: copies, and tests whose outcome is known from earlier tests.
//!
//! This changes the result for no frame: an outcome is known only if the same bytes were loaded before. A test whose
//! outcome makes no difference is kept, because it rejects frames that end before its bytes.

mod facts;

use std::collections::HashMap;

use super::ir::{Node, Program, Target, Test, Value, ValueId};
use facts::Facts;

/// Most rounds of optimization; a few are enough for filters that people write.
const MAX_ROUNDS: usize = 16;

/// The same filter with fewer nodes.
pub(super) fn optimize(mut program: Program) -> Program {
    let slots = slots_of_values(&program.values);
    for _ in 0..MAX_ROUNDS {
        let before = (program.nodes.clone(), program.entry);
        merge(&mut program);
        thread(&mut program, &slots);
        if (&program.nodes, program.entry) == (&before.0, before.1) {
            break;
        }
    }
    compact(&program)
}

/// For each value, a bit mask of the slots that it depends on.
pub(super) fn slots_of_values(values: &[Value]) -> Vec<u16> {
    let mut masks: Vec<u16> = Vec::with_capacity(values.len());
    for value in values {
        let of = |id: ValueId| masks[id.0 as usize];
        let mask = match *value {
            Value::Slot(slot) => 1 << slot,
            Value::Load { base: Some(base), .. } => of(base),
            Value::Binary { left, right, .. } => of(left) | of(right),
            Value::Constant(_) | Value::Load { base: None, .. } | Value::Field(_) => 0,
        };
        masks.push(mask);
    }
    masks
}

/// Merges equal nodes, from the last node to the first.
fn merge(program: &mut Program) {
    // The replacement of each node: itself, an equal node, or the node after it.
    let mut instead: Vec<Target> = (0..program.nodes.len() as u32).map(Target::Node).collect();
    let mut first: HashMap<Node, u32> = HashMap::new();
    for at in (0..program.nodes.len()).rev() {
        let resolve = |target| match target {
            Target::Node(node) => instead[node as usize],
            end => end,
        };
        let node = match program.nodes[at] {
            Node::Test { test, then, otherwise } => {
                Node::Test { test, then: resolve(then), otherwise: resolve(otherwise) }
            }
            Node::Store { slot, value, next } => Node::Store { slot, value, next: resolve(next) },
        };
        program.nodes[at] = node;
        instead[at] = match node {
            Node::Store { next: Target::Reject, .. } => Target::Reject,
            _ => Target::Node(*first.entry(node).or_insert(at as u32)),
        };
    }
    if let Target::Node(entry) = program.entry {
        program.entry = instead[entry as usize];
    }
}

/// Makes each edge skip the tests whose outcome is known on it.
fn thread(program: &mut Program, slots: &[u16]) {
    let mut known: Vec<Option<Facts>> = vec![None; program.nodes.len()];
    let entry = Facts::default();
    program.entry = past(program, program.entry, &entry);
    if let Target::Node(first) = program.entry {
        known[first as usize] = Some(entry);
    }
    for at in 0..program.nodes.len() {
        // `None`, unlike empty facts, means that no edge leads to the node.
        let Some(facts) = known[at].take() else { continue };
        let mut follow = |facts: Facts, target: Target| {
            let target = past(program, target, &facts);
            if let Target::Node(next) = target {
                let there = &mut known[next as usize];
                *there = Some(match there.take() {
                    Some(others) => others.common(&facts),
                    None => facts,
                });
            }
            target
        };
        let node = match program.nodes[at] {
            Node::Test { test, then, otherwise } => {
                let then = follow(facts.with(program_value(&program.values, test), test, true), then);
                let otherwise = follow(facts.with(None, test, false), otherwise);
                Node::Test { test, then, otherwise }
            }
            Node::Store { slot, value, next } => {
                Node::Store { slot, value, next: follow(facts.without_slot(slot, slots), next) }
            }
        };
        program.nodes[at] = node;
    }
}

/// The right side of the test, if it is a constant.
fn program_value(values: &[Value], test: Test) -> Option<u32> {
    match values[test.right.0 as usize] {
        Value::Constant(number) => Some(number),
        _ => None,
    }
}

/// The first node from `target` on whose outcome is not known.
fn past(program: &Program, mut target: Target, facts: &Facts) -> Target {
    while let Target::Node(at) = target
        && let Node::Test { test, then, otherwise } = program.nodes[at as usize]
        && let Some(outcome) = facts.outcome(&program.values, test)
    {
        target = if outcome { then } else { otherwise };
    }
    target
}

/// Keeps only the nodes and values that are used, in the same order.
fn compact(program: &Program) -> Program {
    let mut used_nodes = vec![false; program.nodes.len()];
    let mut used_values = vec![false; program.values.len()];
    let mark = |target: Target, used: &mut Vec<bool>| {
        if let Target::Node(at) = target {
            used[at as usize] = true;
        }
    };
    mark(program.entry, &mut used_nodes);
    for (at, node) in program.nodes.iter().enumerate() {
        if !used_nodes[at] {
            continue;
        }
        match *node {
            Node::Test { test, then, otherwise } => {
                mark(then, &mut used_nodes);
                mark(otherwise, &mut used_nodes);
                used_values[test.left.0 as usize] = true;
                used_values[test.right.0 as usize] = true;
            }
            Node::Store { value, next, .. } => {
                mark(next, &mut used_nodes);
                used_values[value.0 as usize] = true;
            }
        }
    }
    for at in (0..program.values.len()).rev() {
        if !used_values[at] {
            continue;
        }
        match program.values[at] {
            Value::Load { base: Some(base), .. } => used_values[base.0 as usize] = true,
            Value::Binary { left, right, .. } => {
                used_values[left.0 as usize] = true;
                used_values[right.0 as usize] = true;
            }
            _ => {}
        }
    }
    let (node_numbers, value_numbers) = (numbers(&used_nodes), numbers(&used_values));
    let target = |target: Target| match target {
        Target::Node(at) => Target::Node(node_numbers[at as usize]),
        end => end,
    };
    let id = |id: ValueId| ValueId(value_numbers[id.0 as usize]);
    let values = used(&program.values, &used_values).map(|value| match value {
        Value::Load { width, base, offset } => Value::Load { width, base: base.map(id), offset },
        Value::Binary { operator, left, right } => {
            Value::Binary { operator, left: id(left), right: id(right) }
        }
        other => other,
    });
    let nodes = used(&program.nodes, &used_nodes).map(|node| match node {
        Node::Test { test, then, otherwise } => Node::Test {
            test: Test { left: id(test.left), right: id(test.right), ..test },
            then: target(then),
            otherwise: target(otherwise),
        },
        Node::Store { slot, value, next } => Node::Store { slot, value: id(value), next: target(next) },
    });
    Program {
        values: values.collect(),
        nodes: nodes.collect(),
        entry: target(program.entry),
        slots: program.slots,
        result: program.result,
    }
}

fn used<'a, T: Copy>(all: &'a [T], used: &'a [bool]) -> impl Iterator<Item = T> + 'a {
    all.iter().zip(used).filter(|&(_, &used)| used).map(|(&one, _)| one)
}

/// The new index of each element after the unused ones are removed.
fn numbers(used: &[bool]) -> Vec<u32> {
    let mut next = 0;
    used.iter()
        .map(|&used| {
            let number = next;
            next += u32::from(used);
            number
        })
        .collect()
}

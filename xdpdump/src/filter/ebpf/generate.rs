//! Generates code for the graph: tests, stores and the jumps between them.

use super::{
    Instruction, Refusal, Target,
    assembler::{Assembler, Label},
    cache::{Cache, last_uses, worth_keeping},
    instruction::{
        CONTEXT, Operand, R0, R1, R10, clear, compute_with, copy, exit, jump, jump_if, jump_unless, load,
        set, store,
    },
};
use crate::filter::{
    ir::{self, Comparison, Node, Program, Test, Value, ValueId, WHOLE, Width},
    optimize::slots_of_values,
    syntax::Operator,
};

/// Stack offset of a slot. Its four bytes are the upper half of eight: of those the verifier does not track bounds.
pub(super) fn slot_offset(slot: u8) -> i16 {
    -4 - 8 * i16::from(slot)
}

/// Most nodes of a filter on which the verifier can follow one path for each number that a register is compared with.
const MAX_SMALL: usize = 100;

pub(super) struct Generator<'a> {
    pub program: &'a Program,
    pub target: Target,
    pub assembler: Assembler,
    /// The values in registers before the next instruction.
    pub cache: Cache,
    pub keep: Vec<bool>,
    pub reject: Label,
    /// Loads of bytes after the linear part of the frame.
    pub far_loads: Vec<super::value::FarLoad>,
    /// Loads of bytes in and around a tag.
    pub tag_loads: Vec<super::value::TagLoad>,
    /// Number of intermediate results on the stack.
    pub waiting: u8,
    accept: Label,
    nodes: Vec<Label>,
    /// For each node, the values in registers on every path to it.
    known: Vec<Option<Cache>>,
    slots: Vec<u16>,
    /// For each value, the last node that needs it.
    last_uses: Vec<u32>,
}

pub(super) fn generate(program: &Program, target: Target) -> Result<Vec<Instruction>, Refusal> {
    let mut assembler = Assembler::default();
    let (accept, reject) = (assembler.label(), assembler.label());
    let nodes = program.nodes.iter().map(|_| assembler.label()).collect();
    let mut generator = Generator {
        program,
        target,
        assembler,
        cache: Cache::default(),
        keep: worth_keeping(program),
        reject,
        far_loads: Vec::new(),
        tag_loads: Vec::new(),
        waiting: 0,
        accept,
        nodes,
        known: vec![None; program.nodes.len()],
        slots: slots_of_values(&program.values),
        last_uses: last_uses(program),
    };
    generator.begin();
    for at in 0..program.nodes.len() {
        generator.node(at)?;
        if generator.assembler.is_too_large() {
            return Err(Refusal::TooLarge);
        }
    }
    generator.end();
    generator.assembler.finish()
}

impl Generator<'_> {
    fn begin(&mut self) {
        self.assembler.push(copy(CONTEXT, R1));
        self.keep_arguments();
        for slot in 0..self.program.slots {
            self.assembler.push(clear(R10, slot_offset(slot)));
        }
        self.lead(self.program.entry, Cache::default());
        let first = if self.program.nodes.is_empty() { None } else { Some(0) };
        self.jump_or_fall(self.program.entry, first);
    }

    fn end(&mut self) {
        self.tag_loads();
        self.far_loads();
        let (accepted, rejected) = match self.program.result {
            Some(slot) => (load(Width::Word, R0, R10, slot_offset(slot)), set(R0, WHOLE)),
            None => (set(R0, 1), set(R0, 0)),
        };
        for (label, result) in [(self.accept, accepted), (self.reject, rejected)] {
            // The kernel refuses unreachable instructions.
            if self.assembler.is_wanted(label) {
                self.assembler.place(label);
                self.assembler.push(result);
                self.assembler.push(exit());
            }
        }
    }

    fn node(&mut self, at: usize) -> Result<(), Refusal> {
        self.assembler.place(self.nodes[at]);
        self.cache = self.known[at].take().unwrap_or_default();
        let next = Some(at as u32 + 1).filter(|&next| (next as usize) < self.nodes.len());
        match self.program.nodes[at] {
            Node::Test { test, then, otherwise } => {
                let (left, right) = self.operands(test, self.is_hidden(test, then))?;
                let cache = self.cache.clone();
                self.lead(then, cache.clone());
                self.lead(otherwise, cache);
                if next.map(ir::Target::Node) == Some(then)
                    && let Some(unless) = jump_unless(test.comparison, left, right)
                {
                    let label = self.label(otherwise);
                    self.assembler.jump(unless, label);
                } else {
                    let label = self.label(then);
                    self.assembler.jump(jump_if(test.comparison, left, right), label);
                    self.jump_or_fall(otherwise, next);
                }
            }
            Node::Store { slot, value, next: to } => {
                let register = self.number(value)?;
                self.assembler.push(store(R10, slot_offset(slot), register));
                self.cache.forget(|value| self.slots[value.0 as usize] & (1 << slot) != 0);
                self.lead(to, self.cache.clone());
                self.jump_or_fall(to, next);
            }
        }
        Ok(())
    }

    /// Whether to hide from the verifier what the outcome of a test says about the register that a value is kept in.
    ///
    /// The verifier would follow paths on which that differs one by one, even where they meet. For equality, that is
    /// only the case where the value equals a number and is needed again. Hiding it there costs an instruction or two,
    /// and a small filter is accepted without.
    fn is_hidden(&self, test: Test, then: ir::Target) -> bool {
        match (test.comparison, then) {
            (Comparison::Equal, ir::Target::Node(next)) => {
                self.nodes.len() > MAX_SMALL && self.last_uses[test.left.0 as usize] >= next
            }
            (comparison, _) => comparison != Comparison::Equal,
        }
    }

    /// Both sides of a test, in a form that a jump can compare.
    fn operands(
        &mut self,
        test: Test,
        hidden: bool,
    ) -> Result<(super::instruction::Register, Operand), Refusal> {
        if let Value::Constant(number) = self.program.value(test.right) {
            let left = self.number(test.left)?;
            if left == R0 || !hidden {
                return Ok((left, Operand::Number(number)));
            }
            // Arithmetic on a copy makes the verifier forget that it is one, so it records nothing for the original.
            self.assembler.copy_once(R0, left);
            self.assembler.push(compute_with(Operator::Or, R0, 0));
            return Ok((R0, Operand::Number(number)));
        }
        self.pair(test.left, test.right).map(|(left, right)| (left, Operand::Register(right)))
    }

    /// Notes which values are in registers on a path to a node.
    fn lead(&mut self, target: ir::Target, cache: Cache) {
        if let ir::Target::Node(at) = target {
            let known = &mut self.known[at as usize];
            *known = Some(match known.take() {
                Some(other) => other.common(&cache),
                None => cache,
            });
        }
    }

    fn jump_or_fall(&mut self, target: ir::Target, next: Option<u32>) {
        if next.map(ir::Target::Node) != Some(target) {
            let label = self.label(target);
            self.assembler.jump(jump(), label);
        }
    }

    fn label(&self, target: ir::Target) -> Label {
        match target {
            ir::Target::Node(at) => self.nodes[at as usize],
            ir::Target::Accept => self.accept,
            ir::Target::Reject => self.reject,
        }
    }

    /// Whether a value should be kept in a register.
    pub(super) fn is_kept(&self, id: ValueId) -> bool {
        self.keep[id.0 as usize]
    }
}

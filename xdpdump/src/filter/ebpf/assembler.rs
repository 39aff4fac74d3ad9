//! Collects instructions, with jumps to labels whose place is not known yet.

use super::{
    Refusal,
    instruction::{Instruction, Register, copy},
};

/// Most instructions of a filter. A jump reaches 32767 instructions, and the verifier processes at most a million.
const MAX_INSTRUCTIONS: usize = 30_000;

/// A target of jumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

#[derive(Debug, Default)]
pub(super) struct Assembler {
    instructions: Vec<Instruction>,
    /// The index of the instruction at each label.
    places: Vec<Option<usize>>,
    /// Indices of jumps, and their labels.
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    pub fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() - 1)
    }

    /// Puts the label here.
    pub fn place(&mut self, label: Label) {
        self.places[label.0] = Some(self.instructions.len());
    }

    pub fn push(&mut self, instruction: Instruction) {
        self.instructions.push(instruction);
    }

    /// Copies a register, unless the last instruction copied it the other way round; no label may be placed in between.
    pub fn copy_once(&mut self, to: Register, from: Register) {
        if self.instructions.last() != Some(&copy(from, to)) {
            self.push(copy(to, from));
        }
    }

    pub fn jump(&mut self, instruction: Instruction, to: Label) {
        self.jumps.push((self.instructions.len(), to));
        self.instructions.push(instruction);
    }

    /// Whether there is a jump to the label.
    pub fn is_wanted(&self, label: Label) -> bool {
        self.jumps.iter().any(|&(_, to)| to == label)
    }

    pub fn is_too_large(&self) -> bool {
        self.instructions.len() > MAX_INSTRUCTIONS
    }

    /// Fills in the offsets of all jumps.
    pub fn finish(mut self) -> Result<Vec<Instruction>, Refusal> {
        if self.is_too_large() {
            return Err(Refusal::TooLarge);
        }
        for (at, label) in self.jumps {
            let to = self.places[label.0].unwrap_or(self.instructions.len());
            let offset = to.cast_signed() - at.cast_signed() - 1;
            self.instructions[at].offset = i16::try_from(offset).map_err(|_| Refusal::TooLarge)?;
        }
        Ok(self.instructions)
    }
}

//! The eBPF instructions that filters use (Documentation/bpf/standardization/instruction-set.rst, Linux 6.12).

use std::fmt;

use crate::filter::{
    ir::{Comparison, Width},
    syntax::Operator,
};

/// One instruction, `struct bpf_insn` of include/uapi/linux/bpf.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u8,
    /// Register that is written, or that a jump compares.
    pub destination: u8,
    /// Register that is read.
    pub source: u8,
    /// For a jump, the number of instructions to skip; for a memory access, bytes.
    pub offset: i16,
    /// Constant operand.
    pub immediate: i32,
}

/// Hexadecimal fields in the order of `struct bpf_insn`, as a C initializer.
impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, destination, source, offset, immediate } = self;
        write!(f, "{{ {code:#04x}, {destination}, {source}, {offset}, {immediate:#010x} }},")
    }
}

/// A register; `R10` points to the end of the stack frame, from which offsets are negative.
pub(super) type Register = u8;
pub(super) const R0: Register = 0;
pub(super) const R1: Register = 1;
pub(super) const R2: Register = 2;
pub(super) const R3: Register = 3;
pub(super) const R4: Register = 4;
pub(super) const CONTEXT: Register = 6;
pub(super) const R10: Register = 10;

const CLASS_LDX: u8 = 0x01;
const CLASS_ST: u8 = 0x02;
const CLASS_STX: u8 = 0x03;
const CLASS_ALU: u8 = 0x04;
const CLASS_JMP: u8 = 0x05;
const CLASS_JMP32: u8 = 0x06;
const CLASS_ALU64: u8 = 0x07;
const MODE_MEM: u8 = 0x60;
/// The second operand is a register, not a constant.
const FROM_REGISTER: u8 = 0x08;

const MOV: u8 = 0xb0;
const ADD: u8 = 0x00;
const SUB: u8 = 0x10;
/// Conversion to big-endian; the constant is the width in bits.
const TO_BIG_ENDIAN: u8 = 0xdc;

const JEQ: u8 = 0x10;
const JGT: u8 = 0x20;
const JGE: u8 = 0x30;
const JSET: u8 = 0x40;
const JNE: u8 = 0x50;
const JLT: u8 = 0xa0;
const JLE: u8 = 0xb0;

fn instruction(
    code: u8,
    destination: Register,
    source: Register,
    offset: i16,
    immediate: i32,
) -> Instruction {
    Instruction { code, destination, source, offset, immediate }
}

/// `to = from`, all 64 bits.
pub(super) fn copy(to: Register, from: Register) -> Instruction {
    instruction(CLASS_ALU64 | MOV | FROM_REGISTER, to, from, 0, 0)
}

/// `to = number`; clears the upper half.
pub(super) fn set(to: Register, number: u32) -> Instruction {
    instruction(CLASS_ALU | MOV, to, 0, 0, number.cast_signed())
}

/// `to += number`, all 64 bits.
pub(super) fn advance(to: Register, number: i32) -> Instruction {
    instruction(CLASS_ALU64 | ADD, to, 0, 0, number)
}

/// `to += from`, all 64 bits.
pub(super) fn advance_by(to: Register, from: Register) -> Instruction {
    instruction(CLASS_ALU64 | ADD | FROM_REGISTER, to, from, 0, 0)
}

/// `to -= from`, all 64 bits.
pub(super) fn distance(to: Register, from: Register) -> Instruction {
    instruction(CLASS_ALU64 | SUB | FROM_REGISTER, to, from, 0, 0)
}

fn width_bits(width: Width) -> u8 {
    match width {
        Width::Word => 0x00,
        Width::Half => 0x08,
        Width::Byte => 0x10,
    }
}

/// `to = *(at + offset)`; clears the rest of the register.
pub(super) fn load(width: Width, to: Register, at: Register, offset: i16) -> Instruction {
    instruction(CLASS_LDX | MODE_MEM | width_bits(width), to, at, offset, 0)
}

/// `*(at + offset) = from`, 32 bits.
pub(super) fn store(at: Register, offset: i16, from: Register) -> Instruction {
    instruction(CLASS_STX | MODE_MEM, at, from, offset, 0)
}

/// `*(at + offset) = 0`, 32 bits.
pub(super) fn clear(at: Register, offset: i16) -> Instruction {
    instruction(CLASS_ST | MODE_MEM, at, 0, offset, 0)
}

/// Converts loaded bytes in network byte order to a number; `None` for a single byte.
pub(super) fn from_network(register: Register, width: Width) -> Option<Instruction> {
    let bits = 8 * width.bytes();
    (width != Width::Byte).then(|| instruction(TO_BIG_ENDIAN, register, 0, 0, bits.cast_signed()))
}

fn operation(operator: Operator) -> u8 {
    match operator {
        Operator::Add => ADD,
        Operator::Subtract => SUB,
        Operator::Multiply => 0x20,
        Operator::Divide => 0x30,
        Operator::Or => 0x40,
        Operator::And => 0x50,
        Operator::ShiftLeft => 0x60,
        Operator::ShiftRight => 0x70,
        Operator::Remainder => 0x90,
        Operator::Xor => 0xa0,
    }
}

/// `to = to operator from`, 32 bits; clears the upper half.
pub(super) fn compute(operator: Operator, to: Register, from: Register) -> Instruction {
    instruction(CLASS_ALU | FROM_REGISTER | operation(operator), to, from, 0, 0)
}

/// `to = to operator number`, 32 bits; clears the upper half.
pub(super) fn compute_with(operator: Operator, to: Register, number: u32) -> Instruction {
    instruction(CLASS_ALU | operation(operator), to, 0, 0, number.cast_signed())
}

fn condition(comparison: Comparison) -> u8 {
    match comparison {
        Comparison::Equal => JEQ,
        Comparison::Greater => JGT,
        Comparison::GreaterEqual => JGE,
        Comparison::Common => JSET,
    }
}

/// The condition of the opposite comparison; there is none for [`Comparison::Common`].
fn opposite(comparison: Comparison) -> Option<u8> {
    match comparison {
        Comparison::Equal => Some(JNE),
        Comparison::Greater => Some(JLE),
        Comparison::GreaterEqual => Some(JLT),
        Comparison::Common => None,
    }
}

/// The right operand of a jump's comparison.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    Register(Register),
    Number(u32),
}

fn jump_if_condition(condition: u8, left: Register, right: Operand) -> Instruction {
    match right {
        Operand::Register(right) => instruction(CLASS_JMP32 | FROM_REGISTER | condition, left, right, 0, 0),
        Operand::Number(number) => instruction(CLASS_JMP32 | condition, left, 0, 0, number.cast_signed()),
    }
}

/// Jumps if the 32-bit comparison holds.
pub(super) fn jump_if(comparison: Comparison, left: Register, right: Operand) -> Instruction {
    jump_if_condition(condition(comparison), left, right)
}

/// Jumps if the 32-bit comparison does not hold; `None` if there is no such instruction.
pub(super) fn jump_unless(comparison: Comparison, left: Register, right: Operand) -> Option<Instruction> {
    opposite(comparison).map(|condition| jump_if_condition(condition, left, right))
}

/// Jumps if all 64 bits of `left` are greater than `right`.
pub(super) fn jump_if_beyond(left: Register, right: Register) -> Instruction {
    instruction(CLASS_JMP | JGT | FROM_REGISTER, left, right, 0, 0)
}

/// Jumps if all 64 bits of `left` are greater than a number.
pub(super) fn jump_if_above(left: Register, number: i32) -> Instruction {
    instruction(CLASS_JMP | JGT, left, 0, 0, number)
}

pub(super) fn jump() -> Instruction {
    instruction(CLASS_JMP, 0, 0, 0, 0)
}

/// Calls a helper function of the kernel (`enum bpf_func_id`).
pub(super) fn call(helper: i32) -> Instruction {
    instruction(CLASS_JMP | 0x80, 0, 0, 0, helper)
}

pub(super) fn exit() -> Instruction {
    instruction(CLASS_JMP | 0x90, 0, 0, 0, 0)
}

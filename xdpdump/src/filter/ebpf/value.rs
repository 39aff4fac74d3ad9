//! Generates code for numbers: loads from the frame, arithmetic, and other properties of the frame.

use std::mem;

use xdpdump_ebpf::{TAG_LEN, TAG_OFFSET};

use super::{
    Hook, Refusal,
    assembler::Label,
    generate::{Generator, slot_offset},
    instruction::{
        CONTEXT, Instruction, Operand, R0, R1, R2, R3, R4, R10, Register, advance, advance_by, call, clear,
        compute, compute_with, copy, distance, from_network, jump, jump_if, jump_if_above, jump_if_beyond,
        load, set, store,
    },
};
use crate::filter::{
    ir::{self, Comparison, Field, UNKNOWN, Value, ValueId, Width},
    syntax::Operator,
};

/// `enum bpf_func_id`, include/uapi/linux/bpf.h.
const GET_SMP_PROCESSOR_ID: i32 = 8;
const SKB_LOAD_BYTES: i32 = 26;
const XDP_GET_BUFF_LEN: i32 = 188;
const XDP_LOAD_BYTES: i32 = 189;

/// Offsets in a program's context, and the helper that reads bytes of the frame.
struct Context {
    data: i16,
    data_end: i16,
    load_bytes: i32,
}

/// `struct xdp_md`.
const XDP: Context = Context { data: 0, data_end: 4, load_bytes: XDP_LOAD_BYTES };

/// Offset of the receive queue in `struct xdp_md`.
const RX_QUEUE_INDEX: i16 = 16;

/// `struct __sk_buff`.
const SKB: Context = Context { data: 76, data_end: 80, load_bytes: SKB_LOAD_BYTES };

/// Offset of the length in `struct __sk_buff`.
const SKB_LEN: i16 = 0;

/// The begin and the end of a VLAN tag in a frame, and its length.
const TAG_BEGIN: i32 = (TAG_OFFSET as u32).cast_signed();
const TAG_END: u32 = (TAG_OFFSET + TAG_LEN) as u32;
const TAG_BYTES: i32 = (TAG_LEN as u32).cast_signed();

/// The greatest offset that the verifier lets a program access directly, and that the helper accepts.
const MAX_OFFSET: u32 = 0xffff;

/// Most intermediate results on the stack; the rest of its 512 bytes is for the calling program.
const MAX_WAITING: u8 = 12;

/// A load that reaches beyond the linear part of the frame.
pub(super) struct FarLoad {
    width: Width,
    /// The offset of the bytes; in `r0` if it is not constant.
    offset: Option<u32>,
    begin: Label,
    back: Label,
}

/// A load at a computed offset of bytes of which at least one belongs to a VLAN tag that is not among the bytes of the frame;
/// the offset is in `r0`.
pub(super) struct TagLoad {
    width: Width,
    /// Number of intermediate results on the stack.
    waiting: u8,
    begin: Label,
    done: Label,
}

/// Places on the stack after the filter's slots: bytes that the helper loads, the arguments, intermediate results.
const BUFFER: u8 = 0;
const VERDICT: u8 = 1;
const TAG: u8 = 2;
const WAITING: u8 = 3;

impl Generator<'_> {
    fn own_offset(&self, place: u8) -> i16 {
        slot_offset(self.program.slots + place)
    }

    /// Saves the verdict and the tag that the function was called with, if the filter uses them.
    pub(super) fn keep_arguments(&mut self) {
        if self.target.tagged {
            let at = self.own_offset(TAG);
            self.push(store(R10, at, R3));
        }
        if self.target.verdict && self.program.values.contains(&Value::Field(Field::Verdict)) {
            let at = self.own_offset(VERDICT);
            self.push(store(R10, at, R2));
        }
    }

    /// Puts a value into a register: the one that already holds it, otherwise `r0` or the one that it is kept in.
    pub(super) fn number(&mut self, id: ValueId) -> Result<Register, Refusal> {
        if let Some(register) = self.cache.find(id) {
            return Ok(register);
        }
        self.compute(id)?;
        if !self.is_kept(id) {
            return Ok(R0);
        }
        let register = self.cache.claim(id);
        self.assembler.push(copy(register, R0));
        Ok(register)
    }

    /// Puts two values into two registers; neither changes before both are used.
    pub(super) fn pair(&mut self, left: ValueId, right: ValueId) -> Result<(Register, Register), Refusal> {
        let first = self.number(left)?;
        let at = self.own_offset(WAITING + self.waiting);
        self.assembler.push(store(R10, at, first));
        self.wait(1)?;
        let second = self.number(right)?;
        self.waiting -= 1;
        if second != R1 {
            self.assembler.push(copy(R1, second));
        }
        self.assembler.push(load(Width::Word, R0, R10, at));
        Ok((R0, R1))
    }

    fn wait(&mut self, more: u8) -> Result<(), Refusal> {
        self.waiting += more;
        if self.waiting > MAX_WAITING { Err(Refusal::TooDeep) } else { Ok(()) }
    }

    /// Computes a value in `r0`.
    fn compute(&mut self, id: ValueId) -> Result<(), Refusal> {
        match self.program.value(id) {
            Value::Constant(number) => self.push(set(R0, number)),
            Value::Slot(slot) => self.push(load(Width::Word, R0, R10, slot_offset(slot))),
            Value::Field(field) => self.field(field)?,
            Value::Load { width, base: None, offset } => self.load_as_on_wire(width, offset)?,
            Value::Load { width, base: Some(base), offset } => {
                let base = self.number(base)?;
                self.load_behind(width, base, offset)?;
            }
            Value::Binary { operator, left, right } => match self.program.value(right) {
                // Here, division by a constant is never by zero, and a shift by a constant is never too long.
                Value::Constant(number) if is_plain(operator, number) => {
                    let left = self.number(left)?;
                    if left != R0 {
                        self.push(copy(R0, left));
                    }
                    self.push(compute_with(operator, R0, number));
                }
                _ => {
                    let (left, right) = self.pair(left, right)?;
                    self.binary(operator, left, right);
                }
            },
        }
        Ok(())
    }

    fn push(&mut self, instruction: Instruction) {
        self.assembler.push(instruction);
    }

    /// Applies an operator to two registers; the result is in the first.
    fn binary(&mut self, operator: Operator, left: Register, right: Register) {
        match operator {
            Operator::Divide | Operator::Remainder => {
                self.assembler.jump(jump_if(Comparison::Equal, right, Operand::Number(0)), self.reject);
                self.push(compute(operator, left, right));
            }
            Operator::ShiftLeft | Operator::ShiftRight => {
                let (too_far, done) = (self.assembler.label(), self.assembler.label());
                self.assembler.jump(jump_if(Comparison::Greater, right, Operand::Number(31)), too_far);
                self.push(compute(operator, left, right));
                self.assembler.jump(jump(), done);
                self.assembler.place(too_far);
                self.push(set(left, 0));
                self.assembler.place(done);
            }
            _ => self.push(compute(operator, left, right)),
        }
    }

    fn context(&self) -> Context {
        match self.target.hook {
            Hook::Xdp => XDP,
            Hook::Tc => SKB,
        }
    }

    /// Loads bytes at a constant offset of the frame as it is on the wire.
    fn load_as_on_wire(&mut self, width: Width, offset: u32) -> Result<(), Refusal> {
        let end = u64::from(offset) + u64::from(width.bytes());
        if !self.target.tagged || end <= TAG_OFFSET as u64 {
            self.load_at(width, offset);
        } else if offset >= TAG_END {
            self.load_at(width, offset - TAG_LEN as u32);
        } else {
            self.load_around_tag(width, offset)?;
        }
        Ok(())
    }

    /// Loads bytes of which at least one belongs to a tag that is not among the bytes of the frame, one by one.
    fn load_around_tag(&mut self, width: Width, offset: u32) -> Result<(), Refusal> {
        let at = self.own_offset(WAITING + self.waiting);
        self.wait(1)?;
        self.push(clear(R10, at));
        for offset in offset..offset + width.bytes() {
            if (TAG_OFFSET as u32..TAG_END).contains(&offset) {
                self.load_tag();
                self.push(compute_with(Operator::ShiftRight, R0, 8 * (TAG_END - 1 - offset)));
            } else {
                self.load_as_on_wire(Width::Byte, offset)?;
            }
            self.append_byte(at);
        }
        self.waiting -= 1;
        self.push(load(Width::Word, R0, R10, at));
        Ok(())
    }

    /// Loads bytes at a constant offset.
    fn load_at(&mut self, width: Width, offset: u32) {
        let end = u64::from(offset) + u64::from(width.bytes());
        if end > u64::from(MAX_OFFSET) {
            // The kernel refuses unreachable instructions, so the jump must have a condition.
            self.push(set(R0, 0));
            self.assembler.jump(jump_if(Comparison::Equal, R0, Operand::Number(0)), self.reject);
            return;
        }
        let (far, back) = (self.assembler.label(), self.assembler.label());
        let context = self.context();
        self.push(load(Width::Word, R1, CONTEXT, context.data));
        self.push(load(Width::Word, R2, CONTEXT, context.data_end));
        self.push(copy(R3, R1));
        self.push(advance(R3, end as i32));
        self.assembler.jump(jump_if_beyond(R3, R2), if self.target.multi_buffer { far } else { self.reject });
        let near = i16::try_from(offset).unwrap_or_else(|_| {
            self.assembler.push(advance(R1, offset.cast_signed()));
            0
        });
        self.push(load(width, R0, R1, near));
        self.finish_load(FarLoad { width, offset: Some(offset), begin: far, back });
    }

    /// Loads bytes at a constant offset from a number.
    fn load_behind(&mut self, width: Width, base: Register, offset: u32) -> Result<(), Refusal> {
        // With 64 bits, so that the sum does not wrap around.
        if base == R0 {
            self.push(set(R1, offset));
            self.push(advance_by(R0, R1));
        } else {
            // After adding a constant to a copy of the base, the verifier would know how both are related, and record
            // for the base what the next comparison says about the sum.
            self.push(set(R0, offset));
            self.push(advance_by(R0, base));
        }
        self.assembler.jump(jump_if_above(R0, (MAX_OFFSET - width.bytes()).cast_signed()), self.reject);
        if !self.target.tagged {
            self.load_at_r0(width);
        } else if offset >= TAG_END {
            self.push(advance(R0, -TAG_BYTES));
            self.load_at_r0(width);
        } else {
            let [behind, plain, begin, done] = std::array::from_fn(|_| self.assembler.label());
            self.assembler.jump(jump_if_above(R0, TAG_END.cast_signed() - 1), behind);
            self.assembler.jump(jump_if_above(R0, TAG_BEGIN - width.bytes().cast_signed()), begin);
            self.assembler.jump(jump(), plain);
            self.assembler.place(behind);
            self.push(advance(R0, -TAG_BYTES));
            self.assembler.place(plain);
            self.load_at_r0(width);
            self.assembler.place(done);
            self.tag_loads.push(TagLoad { width, waiting: self.waiting, begin, done });
            self.wait(2)?;
            self.waiting -= 2;
        }
        Ok(())
    }

    /// Loads bytes at the offset in `r0`, which is at most [`MAX_OFFSET`] minus their number.
    fn load_at_r0(&mut self, width: Width) {
        let (far, back) = (self.assembler.label(), self.assembler.label());
        let context = self.context();
        self.push(load(Width::Word, R1, CONTEXT, context.data));
        self.push(load(Width::Word, R2, CONTEXT, context.data_end));
        self.push(advance_by(R1, R0));
        self.push(copy(R3, R1));
        self.push(advance(R3, width.bytes().cast_signed()));
        self.assembler.jump(jump_if_beyond(R3, R2), if self.target.multi_buffer { far } else { self.reject });
        self.push(load(width, R0, R1, 0));
        self.finish_load(FarLoad { width, offset: None, begin: far, back });
    }

    /// Puts the tag that is not among the bytes of the frame into `r0`.
    fn load_tag(&mut self) {
        let at = self.own_offset(TAG);
        self.push(load(Width::Word, R0, R10, at));
    }

    /// Appends the byte in `r0` to the number on the stack.
    fn append_byte(&mut self, at: i16) {
        self.push(compute_with(Operator::And, R0, 0xff));
        self.push(load(Width::Word, R1, R10, at));
        self.push(compute_with(Operator::ShiftLeft, R1, 8));
        self.push(compute(Operator::Or, R1, R0));
        self.push(store(R10, at, R1));
    }

    /// Generates the loads of bytes of which at least one belongs to the tag, byte by byte. Comes before
    /// [`Generator::far_loads`].
    pub(super) fn tag_loads(&mut self) {
        for TagLoad { width, waiting, begin, done } in mem::take(&mut self.tag_loads) {
            let offset = self.own_offset(WAITING + waiting);
            let number = self.own_offset(WAITING + waiting + 1);
            self.assembler.place(begin);
            self.push(store(R10, offset, R0));
            self.push(clear(R10, number));
            for byte in 0..width.bytes() {
                let [in_tag, before, got] = std::array::from_fn(|_| self.assembler.label());
                self.push(load(Width::Word, R0, R10, offset));
                if byte > 0 {
                    self.push(advance(R0, byte.cast_signed()));
                }
                let behind = self.assembler.label();
                // It is not; but the verifier does not know the bounds of what is on the stack.
                self.assembler.jump(jump_if_above(R0, 2 * TAG_END.cast_signed()), self.reject);
                self.assembler.jump(jump_if_above(R0, TAG_END.cast_signed() - 1), behind);
                self.assembler.jump(jump_if_above(R0, TAG_BEGIN - 1), in_tag);
                self.assembler.jump(jump(), before);
                self.assembler.place(in_tag);
                self.push(copy(R2, R0));
                self.load_tag();
                // The last byte of the tag needs no shift.
                self.push(set(R1, TAG_END - 1));
                self.push(compute(Operator::Subtract, R1, R2));
                self.push(compute_with(Operator::ShiftLeft, R1, 3));
                self.push(compute(Operator::ShiftRight, R0, R1));
                self.assembler.jump(jump(), got);
                self.assembler.place(behind);
                self.push(advance(R0, -TAG_BYTES));
                self.assembler.place(before);
                self.load_at_r0(Width::Byte);
                self.assembler.place(got);
                self.append_byte(number);
            }
            self.push(load(Width::Word, R0, R10, number));
            self.assembler.jump(jump(), done);
        }
    }

    fn finish_load(&mut self, far: FarLoad) {
        let width = far.width;
        if self.target.multi_buffer {
            self.assembler.place(far.back);
            self.far_loads.push(far);
        }
        if let Some(conversion) = from_network(R0, width) {
            self.push(conversion);
        }
    }

    /// Generates the loads through the helper, after all other code.
    pub(super) fn far_loads(&mut self) {
        let buffer = self.own_offset(BUFFER);
        for FarLoad { width, offset, begin, back } in mem::take(&mut self.far_loads) {
            self.assembler.place(begin);
            self.push(copy(R1, CONTEXT));
            self.push(offset.map_or(copy(R2, R0), |offset| set(R2, offset)));
            self.push(copy(R3, R10));
            self.push(advance(R3, i32::from(buffer)));
            self.push(set(R4, width.bytes()));
            self.push(call(self.context().load_bytes));
            // The helper returns 0, or a negative error.
            self.assembler.jump(jump_if_above(R0, 0), self.reject);
            self.push(load(width, R0, R10, buffer));
            self.assembler.jump(jump(), back);
        }
    }

    /// Puts the length of the frame on the wire into `r0`.
    fn length(&mut self) {
        match self.target.hook {
            Hook::Tc => self.push(load(Width::Word, R0, CONTEXT, SKB_LEN)),
            Hook::Xdp if self.target.multi_buffer => {
                self.push(copy(R1, CONTEXT));
                self.push(call(XDP_GET_BUFF_LEN));
            }
            Hook::Xdp => {
                self.push(load(Width::Word, R0, CONTEXT, XDP.data_end));
                self.push(load(Width::Word, R1, CONTEXT, XDP.data));
                self.push(distance(R0, R1));
            }
        }
        if self.target.tagged {
            self.push(compute_with(Operator::Add, R0, TAG_LEN as u32));
        }
    }

    fn field(&mut self, field: Field) -> Result<(), Refusal> {
        match field {
            Field::Length => self.length(),
            Field::Direction => self.push(set(R0, ir::direction(self.target.direction))),
            Field::Queue if self.target.offloaded => return Err(Refusal::NotKnown("the receive queue")),
            // The queue for sending is chosen later.
            Field::Queue if self.target.hook == Hook::Tc => self.push(set(R0, UNKNOWN)),
            Field::Queue => self.push(load(Width::Word, R0, CONTEXT, RX_QUEUE_INDEX)),
            Field::Cpu if self.target.offloaded => return Err(Refusal::NotKnown("the CPU")),
            Field::Cpu => self.push(call(GET_SMP_PROCESSOR_ID)),
            Field::Verdict if self.target.verdict => {
                let at = self.own_offset(VERDICT);
                self.push(load(Width::Word, R0, R10, at));
            }
            // No XDP program sees frames that are sent.
            Field::Verdict if self.target.hook != Hook::Xdp => self.push(set(R0, UNKNOWN)),
            Field::Verdict => return Err(Refusal::NotKnown("the verdict of an XDP program")),
        }
        Ok(())
    }
}

/// Whether an operation with this constant needs no check.
fn is_plain(operator: Operator, number: u32) -> bool {
    match operator {
        Operator::Divide | Operator::Remainder => number != 0,
        Operator::ShiftLeft | Operator::ShiftRight => number < 32,
        _ => true,
    }
}

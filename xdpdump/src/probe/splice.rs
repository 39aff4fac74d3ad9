//! Puts the functions that were generated for this capture into a linked program.

use aya_obj::generated::{
    BPF_ALU64, BPF_CALL, BPF_JMP, BPF_K, BPF_MOV, BPF_PSEUDO_CALL, BPF_PSEUDO_KFUNC_CALL, bpf_insn,
};
use xdpdump_ebpf::stub;

use super::{Error, Metadata, Program, Task};
use crate::filter::ebpf::{Instruction, Refusal, Target};

/// The functions that replace the calls of stubs.
#[derive(Debug, Default)]
pub struct Functions {
    filter: Option<Vec<Instruction>>,
    filter_tagged: Option<Vec<Instruction>>,
    cut: Option<Vec<Instruction>>,
    cut_tagged: Option<Vec<Instruction>>,
    metadata: Metadata,
}

impl Functions {
    /// Generates the functions for a program's task.
    ///
    /// # Errors
    /// When the filter cannot run in the kernel, or not in this program.
    pub fn generate(task: Task<'_>, program: &Program) -> Result<Self, Error> {
        let filter = |target: Target| {
            task.selection.filter.as_ref().map(|filter| filter.instructions(target)).transpose()
        };
        let cut = |target: Target| {
            task.selection.headers.as_ref().map(|headers| headers.instructions(target)).transpose()
        };
        let (target, tagged) = (program.target(), program.target_for_tagged());
        let generate = || {
            Ok(Self {
                filter: filter(target)?,
                filter_tagged: tagged.map(filter).transpose()?.flatten(),
                cut: cut(target)?,
                cut_tagged: tagged.map(cut).transpose()?.flatten(),
                metadata: program.metadata,
            })
        };
        generate().map_err(|refusal: Refusal| Error::Filter(refusal))
    }

    /// Replaces the calls of stubs by calls of the functions. Without a function, every frame is accepted, or captured
    /// whole.
    pub fn put_into(&self, program: &mut Vec<bpf_insn>) {
        replace(program, stub::FILTER, self.filter.as_deref(), 1);
        replace(program, stub::FILTER_TAGGED, self.filter_tagged.as_deref(), 1);
        replace(program, stub::CUT, self.cut.as_deref(), -1);
        replace(program, stub::CUT_TAGGED, self.cut_tagged.as_deref(), -1);
        ask(program, stub::RECEIVED_TAG, self.metadata.tag);
        ask(program, stub::RECEIVED_TIME, self.metadata.time);
        ask(program, stub::RECEIVED_HASH, self.metadata.hash);
    }
}

/// Calls the kernel function with this BTF id in place of the stub; without one, the result of the call is an error.
fn ask(program: &mut Vec<bpf_insn>, stub: i32, function: Option<u32>) {
    let Some(function) = function else { return replace(program, stub, None, -1) };
    for call in calls(program, stub) {
        call.set_src_reg(BPF_PSEUDO_KFUNC_CALL as u8);
        call.imm = function.cast_signed();
    }
}

/// The calls of a stub.
fn calls(program: &mut [bpf_insn], stub: i32) -> impl Iterator<Item = &mut bpf_insn> {
    program.iter_mut().filter(move |instruction| is_call(**instruction, stub))
}

fn is_call(instruction: bpf_insn, stub: i32) -> bool {
    instruction.code == (BPF_JMP | BPF_CALL) as u8 && instruction.imm == stub && instruction.src_reg() == 0
}

/// Appends `function` to the program and calls it in place of the stub; without one, the result of the call is
/// `otherwise`.
fn replace(program: &mut Vec<bpf_insn>, stub: i32, function: Option<&[Instruction]>, otherwise: i32) {
    let begin = program.len();
    let mut is_called = false;
    for (at, instruction) in program.iter_mut().enumerate() {
        if !is_call(*instruction, stub) {
            continue;
        }
        is_called = true;
        if function.is_some() {
            instruction.set_src_reg(BPF_PSEUDO_CALL as u8);
            // The offset of a call counts from the next instruction.
            instruction.imm = ((begin - at - 1) as u32).cast_signed();
        } else {
            *instruction =
                bpf_insn { code: (BPF_ALU64 | BPF_MOV | BPF_K) as u8, imm: otherwise, ..*instruction };
            instruction.set_dst_reg(0);
        }
    }
    // The kernel refuses a function that is never called.
    if let Some(function) = function.filter(|_| is_called) {
        program.extend(function.iter().map(as_kernel_has_it));
    }
}

fn as_kernel_has_it(instruction: &Instruction) -> bpf_insn {
    let &Instruction { code, destination, source, offset, immediate } = instruction;
    let registers = bpf_insn::new_bitfield_1(destination, source);
    bpf_insn { code, _bitfield_align_1: [], _bitfield_1: registers, off: offset, imm: immediate }
}

//! Generates a function of an eBPF program from the intermediate form.
//!
//! The function takes the context of the program. It returns 1 for a frame that matches and 0 for one that does not,
//! or the number that the form computes. It reads the linear part of the frame directly, and the rest with a helper, if
//! the target has it.
//!
//! The verifier follows every path through a program until it reaches a state that it has seen before. To make that
//! happen soon, nothing that differs between paths is live between two tests: pointers into the frame are fetched again
//! for each load, numbers are stored on the stack in a way that makes the verifier forget their bounds, and numbers that
//! stay in registers are compared in a way that it learns nothing from.

mod assembler;
mod cache;
mod generate;
mod instruction;
mod value;

use crate::packet::Direction;

pub use instruction::Instruction;

use super::ir::Program;

/// The place in the kernel where a program runs, which determines its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// XDP, with a `struct xdp_md *`.
    Xdp,
    /// tc, with a `struct __sk_buff *`.
    Tc,
}

/// What the program that calls the filter offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The place where the program runs.
    pub hook: Hook,
    /// Whether the function is for Ethernet frames with a VLAN tag that is not among their bytes, but is the function's third
    /// argument, `r3`, as a number. The function sees such a frame as it is on the wire.
    pub tagged: bool,
    /// Whether helpers are available that reach the bytes after the linear part of a frame: at the XDP hook
    /// `bpf_xdp_load_bytes` and `bpf_xdp_get_buff_len` (Linux 5.18), at the tc hook always. Without them, a frame ends
    /// after its linear part.
    pub multi_buffer: bool,
    /// Whether the program runs on a NIC, which knows neither CPU nor receive queue and has no such helpers.
    pub offloaded: bool,
    /// Whether the function's second argument, `r2`, is the verdict of an XDP program (`enum xdp_action`).
    pub verdict: bool,
    /// Whether frames are received or sent at this place.
    pub direction: Direction,
}

/// Why a filter cannot run in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has more instructions than the kernel verifies.
    #[error("the filter is too large to run in the kernel; make it shorter")]
    TooLarge,
    /// It has more intermediate results than there is room for.
    #[error("an arithmetic expression of the filter is nested too deeply to run in the kernel")]
    TooDeep,
    /// It uses a property of frames that is not known on this target.
    #[error("the filter uses {0}, which is not known where the filter would run")]
    NotKnown(&'static str),
}

/// Generates the function, which takes the program's context in `r1`.
pub(super) fn generate(program: &Program, target: Target) -> Result<Vec<Instruction>, Refusal> {
    generate::generate(program, target)
}

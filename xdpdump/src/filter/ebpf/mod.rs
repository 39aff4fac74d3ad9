//! The intermediate form as a function of an eBPF program.
//!
//! The function takes the context of an XDP program and returns 1 for a frame that matches, 0 for one that does not, or the
//! number that was asked for.
//! It reads the frame directly, and what is behind its linear part by a helper, where the target has that.
//!
//! The verifier follows every way through a program until it meets a state that it has seen. So that it meets one soon,
//! nothing that differs from way to way is alive between two tests: pointers into the frame are fetched anew for each
//! load, and what is stored on the stack is stored so that the verifier does not remember its bounds.

mod assembler;
mod cache;
mod generate;
mod instruction;
mod value;

use crate::packet::Direction;

pub use instruction::Instruction;

use super::ir::Program;

/// What the program that calls the filter can offer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// `bpf_xdp_load_bytes` and `bpf_xdp_get_buff_len` (Linux 5.18) reach what is behind the linear part of a frame.
    /// Without them a frame ends where its linear part does.
    pub multi_buffer: bool,
    /// Runs on a NIC, which knows neither CPU nor receive queue nor helpers.
    pub offloaded: bool,
    /// The function's second argument, `r2`, is what an XDP program decided (`enum xdp_action`).
    pub verdict: bool,
    /// Which way the frames go at this place.
    pub direction: Direction,
}

/// Why a filter cannot run in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More instructions than the kernel could check.
    #[error("the filter is too large for the kernel; make it shorter")]
    TooLarge,
    /// More numbers at a time than there is room for.
    #[error("an arithmetic expression of the filter has too many brackets in each other for the kernel")]
    TooDeep,
    /// It asks for something that is not known where it would run.
    #[error("the filter asks for {0}, which is not known where it would run")]
    NotKnown(&'static str),
}

/// Generates the function. `r1` is a `struct xdp_md *`.
pub(super) fn generate(program: &Program, target: Target) -> Result<Vec<Instruction>, Refusal> {
    generate::generate(program, target)
}

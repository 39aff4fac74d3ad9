//! Capture filters: pcap-filter(7)'s language, and what it lacks for XDP.
//!
//! The text becomes tokens (`lexer`), a tree (`parser`), and an intermediate form (`lower`), which is the only thing
//! that says what a filter means. The kernel program gets it as instructions (`ebpf`); where that cannot be, it is evaluated
//! in user space (`evaluate`). How much of a frame is wanted is said in the same form.

mod builder;
pub mod ebpf;
mod error;
mod evaluate;
mod ir;
mod lexer;
mod literal;
mod lower;
mod names;
mod optimize;
mod parser;
mod print;
mod syntax;
mod words;

use std::fmt;

use crate::packet::{Direction, LinkType};

pub use error::{Error, Span};

/// A filter for frames of one link type.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    program: ir::Program,
}

/// What a filter can look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    /// The captured bytes from the link-level header on.
    pub bytes: &'a [u8],
    /// Bytes the frame had on the wire.
    pub len: u32,
    /// Which way it went.
    pub direction: Direction,
    /// Receive queue of the interface.
    pub queue: Option<u32>,
    /// CPU that received it.
    pub cpu: Option<u32>,
    /// What an XDP program decided (`enum xdp_action`, include/uapi/linux/bpf.h).
    pub verdict: Option<u32>,
}

impl Filter {
    /// Makes a filter of text in pcap-filter(7)'s language. An empty one matches every frame.
    ///
    /// Names are resolved here; that of a host may ask the domain name service and wait for its answer.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn compile(text: &str, link_type: LinkType) -> Result<Self, Error> {
        let program = parser::parse(text)
            .and_then(|tree| lower::lower(tree.as_ref(), link_type))
            .map(optimize::optimize)
            .map_err(|complaint| complaint.about(text))?;
        Ok(Self { text: text.to_owned(), program })
    }

    /// Whether the frame matches.
    pub fn matches(&self, frame: &Frame<'_>) -> bool {
        evaluate::accepts(&self.program, frame)
    }

    /// The intermediate form, one test a line, as `-d` prints it.
    pub fn intermediate(&self) -> impl fmt::Display {
        &self.program
    }

    /// The filter as a function of an eBPF program: `r1` is its `struct xdp_md *`, `r0` then 1 where the frame matches.
    ///
    /// # Errors
    /// Why it cannot run in the kernel, or not there.
    pub fn instructions(&self, target: ebpf::Target) -> Result<Vec<ebpf::Instruction>, ebpf::Refusal> {
        ebpf::generate(&self.program, target)
    }

    /// The text it was made of.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Says where the headers of a frame end: the transport protocol's is the last one, in tunnels the inner one's.
#[derive(Clone, Debug)]
pub struct Headers {
    program: ir::Program,
}

impl Headers {
    /// For frames of this link type; of what follows the headers, `more` bytes are wanted too, at most 2 GiB.
    pub fn new(more: u32, link_type: LinkType) -> Self {
        Self { program: optimize::optimize(lower::headers(more, link_type)) }
    }

    /// Bytes of the frame that are wanted: headers, of which there are at most 65535 bytes, and what is wanted behind them. Where
    /// the frame ends within a header, or is of a link type that is not known, it is `u32::MAX`.
    pub fn len(&self, frame: &Frame<'_>) -> u32 {
        evaluate::number(&self.program, frame)
    }

    /// The same as a function of an eBPF program: `r1` is its `struct xdp_md *`, the lower half of `r0` the number.
    ///
    /// # Errors
    /// Why it cannot run in the kernel, or not there.
    pub fn instructions(&self, target: ebpf::Target) -> Result<Vec<ebpf::Instruction>, ebpf::Refusal> {
        ebpf::generate(&self.program, target)
    }
}

#[cfg(test)]
mod tests;

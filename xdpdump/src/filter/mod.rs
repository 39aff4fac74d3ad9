//! Capture filters: the language of pcap-filter(7), with additions for XDP.
//!
//! A filter's text is divided into tokens (`lexer`), parsed to a tree (`parser`), and lowered to an intermediate form
//! (`lower`), which alone defines what the filter means. For the kernel program, instructions are generated from it
//! (`ebpf`); where that is not possible, it is evaluated in user space (`evaluate`). The program that computes how much
//! of a frame to capture has the same form.

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

use crate::packet::{Direction, LinkType, PASS};

use error::Complaint;
pub use error::{Error, Span};

/// A filter for frames of one link type.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    program: ir::Program,
}

/// A frame, as a filter sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    /// The captured bytes, beginning with the link-level header.
    pub bytes: &'a [u8],
    /// Length on the wire in bytes.
    pub len: u32,
    /// Whether the frame was received or sent.
    pub direction: Direction,
    /// Receive queue of the interface, if known.
    pub queue: Option<u32>,
    /// CPU that received the frame, if known.
    pub cpu: Option<u32>,
    /// Verdict of an XDP program (`enum xdp_action`, include/uapi/linux/bpf.h), if there is one.
    pub verdict: Option<u32>,
}

/// Which properties of frames, besides their bytes, are known where a filter is to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Whether a frame was received or sent.
    pub direction: bool,
    /// The receive queue.
    pub queue: bool,
    /// The CPU.
    pub cpu: bool,
    /// The verdict of an XDP program.
    pub verdict: bool,
}

/// What all frames that are captured at one place have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Here {
    /// Whether they are received or sent; sent ones have no queue yet.
    pub direction: Direction,
    /// The verdict (`enum xdp_action`) that all of them have; `None` if they have different ones.
    pub verdict: Option<u32>,
}

impl Here {
    /// Frames that the capture's own XDP program receives: it passes all of them.
    pub const RECEIVED: Self = Self { direction: Direction::Inbound, verdict: Some(PASS) };
    /// Frames that are captured at the exit of somebody else's XDP program.
    pub const AT_EXIT: Self = Self { direction: Direction::Inbound, verdict: None };
    /// Frames that are sent: no XDP program has decided about them.
    pub const SENT: Self = Self { direction: Direction::Outbound, verdict: Some(ir::UNKNOWN) };
}

/// Longest text of a filter, in bytes. Compiling one takes time that grows with the square of its length.
const MAX_TEXT: usize = 64 << 10;

/// Compiles a filter that some frame of the link type can match.
fn compile(text: &str, link_type: LinkType) -> Result<ir::Program, Complaint> {
    let program = compile_any(text, link_type)?;
    if program.rejects_everything() {
        return Err(Complaint::new(0..text.len(), "no frame can match this filter"));
    }
    Ok(program)
}

fn compile_any(text: &str, link_type: LinkType) -> Result<ir::Program, Complaint> {
    if text.len() > MAX_TEXT {
        return Err(Complaint::new(MAX_TEXT..MAX_TEXT, "a filter can have at most 65536 bytes"));
    }
    let tree = parser::parse(text)?;
    Ok(optimize::optimize(lower::lower(tree.as_ref(), link_type)?))
}

impl Filter {
    /// Compiles a filter in the language of pcap-filter(7). An empty filter matches every frame.
    ///
    /// Names are resolved here. Resolving the name of a host may send a DNS query and wait for the answer.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn compile(text: &str, link_type: LinkType) -> Result<Self, Error> {
        let program = compile(text, link_type.usual()).map_err(|complaint| complaint.about(text))?;
        Ok(Self { text: text.to_owned(), program })
    }

    /// [`Filter::compile`] for frames of one of the link types that a file may have: it is no error if only others have what the
    /// filter asks for, as ARP, which Ethernet has and a loopback has not.
    ///
    /// # Errors
    /// As [`Filter::compile`].
    pub fn compile_for_one_of_several(text: &str, link_type: LinkType) -> Result<Self, Error> {
        let compiled = match compile_any(text, link_type.usual()) {
            Ok(program) if program.rejects_everything() => compile(text, LinkType::ETHERNET).map(|_| program),
            compiled => compiled,
        };
        let program = compiled.map_err(|complaint| complaint.about(text))?;
        Ok(Self { text: text.to_owned(), program })
    }

    /// A property that the filter uses and that is not among the `known` ones, for a message.
    pub fn unknown_property(&self, known: Known) -> Option<&'static str> {
        let properties = [
            (known.direction, ir::Field::Direction, "the direction of a frame"),
            (known.queue, ir::Field::Queue, "the receive queue"),
            (known.cpu, ir::Field::Cpu, "the CPU"),
            (known.verdict, ir::Field::Verdict, "the verdict of an XDP program"),
        ];
        let uses = |field| self.program.values.contains(&ir::Value::Field(field));
        properties.into_iter().find(|&(known, field, _)| !known && uses(field)).map(|(.., name)| name)
    }

    /// Whether the filter can match a frame that was captured here.
    pub fn can_match(&self, here: Here) -> bool {
        let direction = ir::direction(here.direction);
        let mut program = self.program.clone();
        for value in &mut program.values {
            let number = match *value {
                ir::Value::Field(ir::Field::Direction) => Some(direction),
                ir::Value::Field(ir::Field::Verdict) => here.verdict,
                ir::Value::Field(ir::Field::Queue) if here.direction == Direction::Outbound => {
                    Some(ir::UNKNOWN)
                }
                _ => None,
            };
            if let Some(number) = number {
                *value = ir::Value::Constant(number);
            }
        }
        !optimize::optimize(program).rejects_everything()
    }

    /// Whether the filter matches the frame.
    pub fn matches(&self, frame: &Frame<'_>) -> bool {
        evaluate::accepts(&self.program, frame)
    }

    /// The intermediate form, one node per line, as `-d` prints it.
    pub fn intermediate(&self) -> impl fmt::Display {
        &self.program
    }

    /// The filter as a function of an eBPF program. It takes the program's context in `r1` and returns 1 in `r0` if the
    /// frame matches, otherwise 0.
    ///
    /// # Errors
    /// Why the filter cannot run in the kernel, or not on this target.
    pub fn instructions(&self, target: ebpf::Target) -> Result<Vec<ebpf::Instruction>, ebpf::Refusal> {
        ebpf::generate(&self.program, target)
    }

    /// The text that the filter was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Computes where the headers of a frame end: after the transport header, in tunnels after the inner one.
#[derive(Clone, Debug)]
pub struct Headers {
    program: ir::Program,
}

impl Headers {
    /// Computes it for frames of this link type, and adds `more` bytes of what follows the headers, at most 2 GiB.
    pub fn new(more: u32, link_type: LinkType) -> Self {
        Self { program: optimize::optimize(lower::headers(more, link_type.usual())) }
    }

    /// The number of bytes of the frame to capture: the headers, which have at most 65535 bytes, and the bytes wanted after
    /// them. `u32::MAX` if the frame ends within a header, or its link type is not supported.
    pub fn len(&self, frame: &Frame<'_>) -> u32 {
        evaluate::number(&self.program, frame)
    }

    /// The same computation as a function of an eBPF program. It takes the program's context in `r1` and returns the
    /// number in the lower half of `r0`.
    ///
    /// # Errors
    /// Why it cannot run in the kernel, or not on this target.
    pub fn instructions(&self, target: ebpf::Target) -> Result<Vec<ebpf::Instruction>, ebpf::Refusal> {
        ebpf::generate(&self.program, target)
    }
}

#[cfg(test)]
mod tests;

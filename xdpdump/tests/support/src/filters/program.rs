//! Loads filters, and programs that compute how much of a frame is captured, as XDP programs of their own, and runs
//! programs on frames.

use std::{io, os::fd::OwnedFd};

use crate::bpf::{self, BPF_PROG_TEST_RUN, Run};
use xdpdump::filter::{
    Filter,
    ebpf::{Instruction, Target},
};

/// The verdict that is passed to filters: `XDP_TX`.
const VERDICT: i32 = 3;

const BPF_PROG_GET_FD_BY_ID: libc::c_long = 13;
const BPF_F_XDP_HAS_FRAGS: u32 = 1 << 5;
/// Log level that returns statistics instead of a log.
const LOG_STATISTICS: u32 = 4;

/// The members of `union bpf_attr` that `BPF_PROG_GET_FD_BY_ID` needs.
#[derive(Default)]
#[repr(C)]
struct ById {
    id: u32,
    next_id: u32,
    flags: u32,
}

/// Either an XDP program that returns the result of a function plus 1, so it drops what a filter rejects and passes the
/// rest; or a program that was already loaded.
pub struct Program(OwnedFd);

impl Program {
    /// Loads a filter; the second value is the number of instructions that the verifier processed.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn load(filter: &Filter, target: Target) -> Result<(Self, usize), String> {
        let body = filter.instructions(target).map_err(|refusal| refusal.to_string())?;
        Self::load_function(&body, target)
    }

    /// Opens the loaded program with this id.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn by_id(id: u32) -> io::Result<Self> {
        // SAFETY: the command reads no pointers.
        let opened = unsafe { bpf::bpf(BPF_PROG_GET_FD_BY_ID, &ById { id, ..ById::default() }) };
        opened.map(|fd| Self(bpf::descriptor(fd)))
    }

    /// Loads a function that was generated for this target.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn load_function(body: &[Instruction], target: Target) -> Result<(Self, usize), String> {
        // r1 still contains the context, and r2 gets a verdict. Calls the function that follows; returns its result
        // plus XDP_DROP.
        let mut instructions = vec![
            bpf::Instruction(0xb7, 0x02, 0, VERDICT),
            bpf::Instruction(0x85, 0x10, 0, 2),
            bpf::Instruction(0x07, 0x00, 0, 1),
            bpf::Instruction(0x95, 0, 0, 0),
        ];
        instructions.extend(body.iter().map(
            |&Instruction { code, destination, source, offset, immediate }| {
                bpf::Instruction(code, source << 4 | destination, offset, immediate)
            },
        ));
        let statistics = load(&instructions, target, LOG_STATISTICS, 4096);
        let (program, log) = statistics.map_err(|_| {
            // Load again to get the verifier's log.
            load(&instructions, target, 1, 16 << 20)
                .map_or_else(|log| log, |_| "loaded the second time".to_owned())
        })?;
        let processed = log.split("processed ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        Ok((Self(program), processed.unwrap_or_default()))
    }

    /// Runs the program `repeat` times; returns whether it passed the frame, and the duration of one run in
    /// nanoseconds.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn run(&self, frame: &[u8], repeat: u32) -> io::Result<(bool, u32)> {
        self.result(frame, repeat).map(|(result, duration)| (result == 2, duration))
    }

    /// The number that the loaded function returns for the frame.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn number(&self, frame: &[u8]) -> io::Result<u32> {
        self.result(frame, 1).map(|(result, _)| result.wrapping_sub(1))
    }

    fn result(&self, frame: &[u8], repeat: u32) -> io::Result<(u32, u32)> {
        let mut run = Run {
            program: bpf::number(&self.0),
            frame_len: frame.len() as u32,
            frame: frame.as_ptr().expose_provenance() as u64,
            repeat,
            ..Run::default()
        };
        // SAFETY: the command reads the frame and writes to `run`, both of which outlive the call.
        let done = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_TEST_RUN, &raw mut run, size_of::<Run>()) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok((run.result, run.duration)) }
    }
}

fn load(
    instructions: &[bpf::Instruction],
    target: Target,
    log_level: u32,
    log_size: usize,
) -> Result<(OwnedFd, String), String> {
    let flags = if target.multi_buffer { BPF_F_XDP_HAS_FRAGS } else { 0 };
    let (loaded, log) = bpf::load("", instructions, flags, log_level, log_size);
    match loaded {
        Ok(program) => Ok((program, log)),
        Err(error) => {
            let tail = log.char_indices().rev().nth(3000).map_or(0, |(at, _)| at);
            Err(format!("{error}: … {}", &log[tail..]))
        }
    }
}

//! Loads filters, and programs that compute how much of a frame is captured, as XDP or tc programs of their own, and runs
//! programs on frames.

use std::{io, os::fd::OwnedFd};

use crate::bpf::{self, BPF_PROG_TEST_RUN, Run};
use xdpdump::{
    filter::{
        Filter,
        ebpf::{Hook, Instruction, Target},
    },
    packet::Direction,
};

/// What the XDP program of [`Program::load`] offers a filter, for frames in several buffers.
pub const WHOLE: Target = Target {
    hook: Hook::Xdp,
    tagged: false,
    multi_buffer: true,
    offloaded: false,
    verdict: false,
    direction: Direction::Inbound,
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

/// Offsets in `struct __sk_buff`, and its size. For a function that is called for frames with a tag, the program takes the
/// tag from `cb[0]` (the protocol, in network byte order) and `mark` (the rest), and as a number from `cb[1]`.
const MARK: i16 = 8;
const CB: i16 = 48;
const SK_BUFF: usize = 192;
/// Offset of a VLAN tag in a frame.
const TAG: usize = 12;
/// `bpf_skb_vlan_push`, which keeps the tag apart from the bytes of the frame.
const VLAN_PUSH: i32 = 18;

/// Either a program that returns the result of a function plus 1 (so an XDP program drops what a filter rejects and passes
/// the rest), or a program that was already loaded.
pub struct Program {
    program: OwnedFd,
    tagged: bool,
}

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
        opened.map(|fd| Self { program: bpf::descriptor(fd), tagged: false })
    }

    /// Loads a function that was generated for this target.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn load_function(body: &[Instruction], target: Target) -> Result<(Self, usize), String> {
        let tagged = target.tagged;
        let push_tag = [
            bpf::Instruction(0xbf, 0x16, 0, 0),
            bpf::Instruction(0x61, 0x62, CB, 0),
            bpf::Instruction(0x61, 0x63, MARK, 0),
            bpf::Instruction(0x85, 0, 0, VLAN_PUSH),
            bpf::Instruction(0xbf, 0x61, 0, 0),
            bpf::Instruction(0x61, 0x63, CB + 4, 0),
        ];
        let mut instructions = if tagged { push_tag.to_vec() } else { Vec::new() };
        // r1 still contains the context, and r2 gets a verdict. Calls the function that follows; returns its result
        // plus XDP_DROP.
        instructions.extend([
            bpf::Instruction(0xb7, 0x02, 0, VERDICT),
            bpf::Instruction(0x85, 0x10, 0, 2),
            bpf::Instruction(0x07, 0x00, 0, 1),
            bpf::Instruction(0x95, 0, 0, 0),
        ]);
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
        Ok((Self { program, tagged }, processed.unwrap_or_default()))
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
        let mut context = [0u8; SK_BUFF];
        let mut without_tag = Vec::new();
        let mut frame = frame;
        if self.tagged {
            let (addresses, rest) = frame.split_at(TAG);
            let (tag, rest) = rest.split_at(4);
            let word = |number: u16| u32::from(number).to_ne_bytes();
            context[CB as usize..][..4].copy_from_slice(&word(u16::from_ne_bytes([tag[0], tag[1]])));
            context[MARK as usize..][..4].copy_from_slice(&word(u16::from_be_bytes([tag[2], tag[3]])));
            let number = u32::from_be_bytes([tag[0], tag[1], tag[2], tag[3]]);
            context[CB as usize + 4..][..4].copy_from_slice(&number.to_ne_bytes());
            without_tag.extend_from_slice(addresses);
            without_tag.extend_from_slice(rest);
            frame = &without_tag;
        }
        let mut run = Run {
            program: bpf::number(&self.program),
            context_len: if self.tagged { SK_BUFF as u32 } else { 0 },
            context: if self.tagged { context.as_ptr().expose_provenance() as u64 } else { 0 },
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
    let (kind, flags) = match target.hook {
        Hook::Xdp if target.multi_buffer => (bpf::Kind::Xdp, BPF_F_XDP_HAS_FRAGS),
        Hook::Xdp => (bpf::Kind::Xdp, 0),
        Hook::Tc => (bpf::Kind::Tc, 0),
    };
    let (loaded, log) = bpf::load(kind, "", instructions, flags, log_level, log_size);
    match loaded {
        Ok(program) => Ok((program, log)),
        Err(error) => {
            let tail = log.char_indices().rev().nth(3000).map_or(0, |(at, _)| at);
            Err(format!("{error}: … {}", &log[tail..]))
        }
    }
}

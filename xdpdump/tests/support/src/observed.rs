//! XDP programs with type information (BTF), as somebody else may have attached them: a capture takes place beside them.

use std::os::fd::OwnedFd;

use crate::{
    bpf::{self, Instruction, Kind, Load},
    wire,
};

const BPF_RAW_TRACEPOINT_OPEN: libc::c_long = 17;
const BPF_BTF_LOAD: libc::c_long = 18;
const BPF_LINK_UPDATE: libc::c_long = 29;

const BPF_F_XDP_HAS_FRAGS: u32 = 1 << 5;
const BPF_XDP: u32 = 37;

/// The first function in the BTF of [`btf`].
const FIRST_FUNCTION: u32 = 5;

/// Byte of a frame that decides about the verdict of [`Observed::decides`].
const VERDICT_AT: u8 = 14;
/// Byte that decides whether the program rewrites the byte behind it.
const REWRITE_AT: u8 = 15;
/// What the program writes there.
pub const REWRITTEN: u8 = 0xee;

/// A frame of `len` bytes on which [`Observed::decides`] has this verdict, with a number in its last 8 bytes.
pub fn frame(len: usize, verdict: u8, rewrite: bool, number: u64) -> Vec<u8> {
    let mut frame = wire::frame(len, &[verdict, rewrite.into(), 0]);
    *frame.last_chunk_mut().unwrap() = number.to_ne_bytes();
    frame
}

/// What that program makes of a frame.
pub fn rewritten(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    if frame[usize::from(REWRITE_AT)] == 1 {
        frame[usize::from(REWRITE_AT) + 1] = REWRITTEN;
    }
    frame
}

/// A loaded program.
#[derive(Debug)]
pub struct Observed {
    program: OwnedFd,
}

/// How often a program ran, and how long in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Number of runs.
    pub count: u64,
    /// Nanoseconds of all runs.
    pub time: u64,
}

/// Keeps a program attached until it is dropped.
#[derive(Debug)]
pub struct Attachment(OwnedFd);

/// A function of a program.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    instructions: Vec<Instruction>,
}

/// The members of `union bpf_attr` for `BPF_BTF_LOAD`.
#[repr(C)]
struct BtfLoad {
    btf: u64,
    log: u64,
    btf_len: u32,
    log_len: u32,
    log_level: u32,
    padding: u32,
}

/// The members of `union bpf_attr` for `BPF_LINK_CREATE` and `BPF_LINK_UPDATE`.
#[repr(C)]
struct Link([u32; 4]);

/// The members of `union bpf_attr` for `BPF_RAW_TRACEPOINT_OPEN`: name, program, padding.
#[repr(C)]
struct TracingOpen(u64, u32, u32);

/// Type information for functions that take a `struct xdp_md *` and return an `int`.
fn btf(functions: &[Function]) -> OwnedFd {
    let mut strings = b"\0xdp_md\0ctx\0int\0".to_vec();
    let (context, argument, int) = (1, 8, 12);
    let mut types: Vec<u32> = [
        // 1: struct xdp_md, 2: a pointer to it, 3: int, 4: int (struct xdp_md *ctx)
        &[context, 4 << 24, 4][..],
        &[0, 2 << 24, 1],
        &[int, 1 << 24, 4, 1 << 24 | 32],
        &[0, 13 << 24 | 1, 3, argument, 2],
    ]
    .concat();
    for function in functions {
        // A global function, which another program may replace.
        types.extend([strings.len() as u32, 12 << 24 | 1, 4]);
        strings.extend(function.name.as_bytes());
        strings.push(0);
    }
    let types_len = types.len() as u32 * 4;
    let mut bytes = 0xeb9fu16.to_ne_bytes().to_vec();
    bytes.extend([1, 0]);
    for word in [24, 0, types_len, types_len, strings.len() as u32].into_iter().chain(types) {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(strings);
    let mut log = vec![0u8; 64 << 10];
    let load = BtfLoad {
        btf: bytes.as_ptr().expose_provenance() as u64,
        log: log.as_mut_ptr().expose_provenance() as u64,
        btf_len: bytes.len() as u32,
        log_len: log.len() as u32,
        log_level: 1,
        padding: 0,
    };
    // SAFETY: the command reads the type information and writes the log, which outlive the call.
    let loaded = unsafe { bpf::bpf(BPF_BTF_LOAD, &load) };
    bpf::descriptor(
        loaded.unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&log).trim_end_matches('\0'))
        }),
    )
}

fn load(kind: Kind, flags: u32, functions: &[Function], replaces: Option<(&OwnedFd, u32)>) -> Observed {
    let btf = btf(functions);
    let (mut instructions, mut info) = (Vec::<Instruction>::new(), Vec::<u32>::new());
    for (id, function) in (FIRST_FUNCTION..).zip(functions) {
        info.extend([instructions.len() as u32, id]);
        instructions.extend(&function.instructions);
    }
    let first = &functions[0].name;
    let (attach_program, attach_btf_id) =
        replaces.map_or((0, 0), |(program, function)| (bpf::number(program), function));
    let more = Load {
        flags,
        btf: bpf::number(&btf),
        function_info_len: 8,
        function_info: info.as_ptr().expose_provenance() as u64,
        function_count: functions.len() as u32,
        attach_btf_id,
        attach_program,
        ..Load::default()
    };
    // SAFETY: the one pointer is to the function information, which outlives the call and has the given length.
    let (loaded, log) = unsafe { bpf::load_with(more, kind, first, &instructions, 1, 64 << 10) };
    Observed { program: loaded.unwrap_or_else(|error| panic!("{first}: {error}: {log}")) }
}

/// r0 = the result; exit
fn always(verdict: u8) -> Vec<Instruction> {
    vec![Instruction(0xb7, 0, 0, verdict.into()), Instruction(0x95, 0, 0, 0)]
}

impl Observed {
    /// A program called `name` that decides by a byte of each frame, see [`frame`], and passes short ones.
    pub fn decides(name: &str) -> Self {
        Self::deciding(name, 0)
    }

    /// Like [`Observed::decides`], for frames in several buffers.
    pub fn decides_frags(name: &str) -> Self {
        Self::deciding(name, BPF_F_XDP_HAS_FRAGS)
    }

    fn deciding(name: &str, flags: u32) -> Self {
        let instructions = vec![
            // r2 = frame, r3 = its end; if it has fewer than 17 bytes, return XDP_PASS
            Instruction(0x61, 0x12, 0, 0),
            Instruction(0x61, 0x13, 4, 0),
            Instruction(0xbf, 0x24, 0, 0),
            Instruction(0x07, 0x04, 0, 17),
            Instruction(0xb7, 0x00, 0, 2),
            Instruction(0x2d, 0x34, 8, 0),
            // if frame[15] == 1 { frame[16] = REWRITTEN }
            Instruction(0x71, 0x25, REWRITE_AT.into(), 0),
            Instruction(0x55, 0x05, 1, 1),
            Instruction(0x72, 0x02, i16::from(REWRITE_AT) + 1, REWRITTEN.into()),
            // r0 = frame[14]; if it is XDP_REDIRECT: r0 = bpf_redirect(1, 0), which is XDP_REDIRECT
            Instruction(0x71, 0x20, VERDICT_AT.into(), 0),
            Instruction(0x55, 0x00, 3, 4),
            Instruction(0xb7, 0x01, 0, 1),
            Instruction(0xb7, 0x02, 0, 0),
            Instruction(0x85, 0, 0, 23),
            Instruction(0x95, 0, 0, 0),
        ];
        Self::single(name, flags, instructions)
    }

    /// A program called `name` that has this verdict on every frame.
    pub fn always(name: &str, verdict: u8) -> Self {
        Self::single(name, 0, always(verdict))
    }

    fn single(name: &str, flags: u32, instructions: Vec<Instruction>) -> Self {
        let function = Function { name: name.to_owned(), instructions };
        load(Kind::Xdp, flags, &[function], None)
    }

    /// A program that calls two functions which other programs can replace, as libxdp's dispatcher does: the second one only
    /// if the first one passes the frame. Both pass every frame.
    pub fn dispatcher() -> Self {
        let function = |name: &str, instructions| Function { name: name.to_owned(), instructions };
        let main = vec![
            // r6 = r1; r0 = prog0(r6); if it is not XDP_PASS, return it; return prog1(r6)
            Instruction(0xbf, 0x16, 0, 0),
            Instruction(0x85, 0x10, 0, 4),
            Instruction(0x55, 0, 2, 2),
            Instruction(0xbf, 0x61, 0, 0),
            Instruction(0x85, 0x10, 0, 3),
            Instruction(0x95, 0, 0, 0),
        ];
        load(
            Kind::Xdp,
            0,
            &[function("test_dispatcher", main), function("prog0", always(2)), function("prog1", always(2))],
            None,
        )
    }

    /// Puts a program called `name`, with this verdict on every frame, in place of a function of this dispatcher.
    pub fn fill_slot(&self, slot: u32, name: &str, verdict: u8) -> (Self, Attachment) {
        let function = Function { name: name.to_owned(), instructions: always(verdict) };
        let target = FIRST_FUNCTION + 1 + slot;
        let program = load(Kind::Extension, 0, &[function], Some((&self.program, target)));
        let open = TracingOpen(0, bpf::number(&program.program), 0);
        // SAFETY: the command reads no name for such a program.
        let link = unsafe { bpf::bpf(BPF_RAW_TRACEPOINT_OPEN, &open) };
        let link = Attachment(bpf::descriptor(link.unwrap()));
        (program, link)
    }

    /// Attaches it to an interface of the calling thread's namespace, in a mode of [`crate::xdp`].
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn attach(&self, interface_index: u32, mode: u32) -> Attachment {
        Attachment(bpf::attach(&self.program, interface_index, BPF_XDP, mode).unwrap())
    }

    /// Its id in the kernel.
    pub fn id(&self) -> u32 {
        self.info("prog_id").parse().unwrap()
    }

    /// A hash of its instructions.
    pub fn tag(&self) -> String {
        self.info("prog_tag")
    }

    /// How often it ran, and how long in all, in nanoseconds, while `kernel.bpf_stats_enabled` was 1.
    pub fn runs(&self) -> Runs {
        Runs { count: self.info("run_cnt").parse().unwrap(), time: self.info("run_time_ns").parse().unwrap() }
    }

    fn info(&self, key: &str) -> String {
        let path = format!("/proc/self/fdinfo/{}", bpf::number(&self.program));
        let info = std::fs::read_to_string(path).unwrap();
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| *name == key).unwrap().1.trim().to_owned()
    }
}

impl Attachment {
    /// Atomically replaces the program by another one.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn replace(&self, program: &Observed) {
        let update = Link([bpf::number(&self.0), bpf::number(&program.program), 0, 0]);
        // SAFETY: the command reads no pointers.
        unsafe { bpf::bpf(BPF_LINK_UPDATE, &update) }.unwrap();
    }
}

//! bpf(2) without the code under test, for programs written by hand.

use std::{
    io,
    mem::size_of,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

/// Commands of bpf(2) (`enum bpf_cmd`, `include/uapi/linux/bpf.h`): creates a map.
pub const BPF_MAP_CREATE: libc::c_long = 0;
/// Reads a value of a map.
pub const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
/// Runs a program on a given frame.
pub const BPF_PROG_TEST_RUN: libc::c_long = 10;
/// Attaches a program.
pub const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_PROG_LOAD: libc::c_long = 5;

/// `enum bpf_prog_type`.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `BPF_PROG_TYPE_SCHED_CLS`.
    Tc = 3,
    /// `BPF_PROG_TYPE_XDP`.
    Xdp = 6,
    /// `BPF_PROG_TYPE_EXT`: replaces a function of another program.
    Extension = 28,
}

/// `struct bpf_insn`: operation, registers (source in the upper half), offset, immediate.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Instruction(pub u8, pub u8, pub i16, pub i32);

/// The members of `union bpf_attr` that `BPF_PROG_LOAD` needs here.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Load {
    pub program_type: u32,
    pub instruction_count: u32,
    pub instructions: u64,
    pub license: u64,
    pub log_level_and_size: [u32; 2],
    pub log: u64,
    pub kernel_version: u32,
    /// `BPF_F_*`.
    pub flags: u32,
    pub name: [u8; 16],
    pub interface_index: u32,
    pub attach_type: u32,
    /// Type information.
    pub btf: u32,
    /// Bytes of an entry of `function_info`.
    pub function_info_len: u32,
    /// For each function, its first instruction and its type.
    pub function_info: u64,
    /// Number of functions.
    pub function_count: u32,
    pub line_info_len: u32,
    pub line_info: u64,
    pub line_count: u32,
    /// The type of the function that the program replaces, in the type information of that function's program.
    pub attach_btf_id: u32,
    /// The program with the function that the program replaces.
    pub attach_program: u32,
    pub padding: u32,
}

/// The members of `union bpf_attr` for [`BPF_PROG_TEST_RUN`].
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Run {
    pub program: u32,
    pub result: u32,
    pub frame_len: u32,
    pub frame_len_out: u32,
    pub frame: u64,
    pub frame_out: u64,
    pub repeat: u32,
    pub duration: u32,
    pub context_len: u32,
    pub context_len_out: u32,
    pub context: u64,
    pub context_out: u64,
    pub flags: u32,
    pub cpu: u32,
    pub batch: u32,
    pub padding: u32,
}

/// Lifts the limit of locked memory, which may be as low as 64 KiB: before Linux 5.11 programs count as such.
pub fn lift_memory_limit() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the pointer refers to one rlimit, which outlives the call.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
}

/// Loads an XDP program.
///
/// # Panics
/// When the verifier refuses it; the message contains the verifier's log.
pub fn load_xdp(name: &str, instructions: &[Instruction]) -> OwnedFd {
    load_or_panic(Kind::Xdp, name, instructions)
}

/// Loads a tc program.
///
/// # Panics
/// When the verifier refuses it; the message contains the verifier's log.
pub fn load_tc(name: &str, instructions: &[Instruction]) -> OwnedFd {
    load_or_panic(Kind::Tc, name, instructions)
}

fn load_or_panic(kind: Kind, name: &str, instructions: &[Instruction]) -> OwnedFd {
    let (loaded, log) = load(kind, name, instructions, 0, 1, 64 << 10);
    loaded.unwrap_or_else(|error| panic!("{error}: {log}"))
}

/// Loads a program with these flags (`BPF_F_*`); also returns what the verifier wrote into a log of this level and size.
pub(crate) fn load(
    kind: Kind,
    name: &str,
    instructions: &[Instruction],
    flags: u32,
    log_level: u32,
    log_size: usize,
) -> (io::Result<OwnedFd>, String) {
    let more = Load { flags, ..Load::default() };
    // SAFETY: there is no pointer in these attributes.
    unsafe { load_with(more, kind, name, instructions, log_level, log_size) }
}

/// Loads a program with more attributes than those that every program has. The kernel keeps the first 15 bytes of the name.
///
/// # Safety
/// The pointers in the attributes are valid for what the command reads.
pub(crate) unsafe fn load_with(
    more: Load,
    kind: Kind,
    name: &str,
    instructions: &[Instruction],
    log_level: u32,
    log_size: usize,
) -> (io::Result<OwnedFd>, String) {
    lift_memory_limit();
    let mut name_bytes = [0; 16];
    for (to, from) in name_bytes.iter_mut().take(15).zip(name.bytes()) {
        *to = from;
    }
    let mut log = vec![0u8; log_size];
    let load = Load {
        program_type: kind as u32,
        instruction_count: instructions.len() as u32,
        instructions: instructions.as_ptr().expose_provenance() as u64,
        license: c"GPL".as_ptr().expose_provenance() as u64,
        log_level_and_size: [log_level, log.len() as u32],
        log: log.as_mut_ptr().expose_provenance() as u64,
        name: name_bytes,
        ..more
    };
    // SAFETY: the command reads instructions and licence and writes the log, which outlive the call; the caller guarantees the
    // other pointers.
    let loaded = unsafe { bpf(BPF_PROG_LOAD, &load) }.map(descriptor);
    (loaded, String::from_utf8_lossy(&log).trim_end_matches('\0').to_owned())
}

/// Runs a command of bpf(2) and returns what it returns: 0 or a new descriptor.
///
/// # Errors
/// The error of the system call.
///
/// # Safety
/// `T` is the beginning of what the command reads and writes, and the pointers in it are valid for that.
pub unsafe fn bpf<T>(command: libc::c_long, attribute: &T) -> io::Result<i32> {
    // SAFETY: the pointer and size describe `attribute`; the caller guarantees the pointers in it.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw const *attribute, size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

/// The members of `union bpf_attr` that `BPF_LINK_CREATE` needs here.
#[repr(C)]
struct LinkCreate {
    program_fd: u32,
    interface_index: u32,
    attach_type: u32,
    flags: u32,
}

/// Attaches a program to an interface of the calling thread's namespace by a `bpf_link` of this type (`enum bpf_attach_type`).
///
/// # Errors
/// When the kernel refuses.
pub fn attach(program: &OwnedFd, interface_index: u32, attach_type: u32, flags: u32) -> io::Result<OwnedFd> {
    let create = LinkCreate { program_fd: number(program), interface_index, attach_type, flags };
    // SAFETY: the command reads no pointers.
    unsafe { bpf(BPF_LINK_CREATE, &create) }.map(descriptor)
}

/// Takes over a descriptor that a command returned.
pub fn descriptor(fd: i32) -> OwnedFd {
    // SAFETY: the kernel just returned this descriptor and nothing else owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// A descriptor as a value of an attribute of bpf(2).
pub fn number(fd: &OwnedFd) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

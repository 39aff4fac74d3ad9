//! `bpf(2)`: maps, programs and links as file descriptors.
//!
//! Layouts: `union bpf_attr` in include/uapi/linux/bpf.h. Zero is the right value for every field that is left out.

use std::{
    ffi::c_int,
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use aya_obj::generated::bpf_insn;

const BPF_MAP_CREATE: c_int = 0;
const BPF_MAP_LOOKUP_ELEM: c_int = 1;
const BPF_MAP_UPDATE_ELEM: c_int = 2;
const BPF_MAP_DELETE_ELEM: c_int = 3;
const BPF_PROG_LOAD: c_int = 5;
const BPF_PROG_GET_FD_BY_ID: c_int = 13;
const BPF_OBJ_GET_INFO_BY_FD: c_int = 15;
const BPF_MAP_FREEZE: c_int = 22;
const BPF_LINK_CREATE: c_int = 28;

const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_XDP: u32 = 37;
const BPF_F_XDP_HAS_FRAGS: u32 = 1 << 5;

/// `bpf(2)` with `attributes` as its argument.
///
/// # Safety
/// Every pointer in the attributes must be valid for what the command does with it.
unsafe fn call<T>(command: c_int, attributes: &mut T) -> io::Result<i32> {
    // SAFETY: the attributes live through the call, the kernel accepts any prefix of the union, and the caller vouches
    // for the pointers in it.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

/// [`call`] for a command that makes a file descriptor.
///
/// # Safety
/// As for [`call`], and the command must be such a one.
unsafe fn call_for_fd<T>(command: c_int, attributes: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the caller vouches for the attributes; the descriptor is new and ours alone.
    unsafe { call(command, attributes).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// An object's name in the kernel: 15 bytes of it at most.
fn short_name(name: &str) -> [u8; 16] {
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().take(15).zip(name.bytes()) {
        *to = from;
    }
    short
}

/// Lets this process have as many maps and programs as there is memory, if it may say so. Before Linux 5.11 they count, for
/// all of a user's processes together and along with perf rings, against a limit that is often 64 KiB.
pub fn lift_memory_limit() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the pointer leads to one rlimit, which outlives the call. Without success, the limit may do.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
}

#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    flags: u32,
    inner_map_fd: u32,
    numa_node: u32,
    name: [u8; 16],
}

/// Creates a map as the object defines it.
///
/// # Errors
/// What the kernel says: `EPERM`, `ENOMEM`, `EINVAL` for what it does not know.
pub fn create_map(name: &str, map: &aya_obj::Map) -> io::Result<OwnedFd> {
    let mut attributes = MapCreate {
        map_type: map.map_type(),
        key_size: map.key_size(),
        value_size: map.value_size(),
        max_entries: map.max_entries(),
        flags: map.map_flags(),
        inner_map_fd: 0,
        numa_node: 0,
        name: short_name(name.trim_start_matches('.')),
    };
    // SAFETY: there is no pointer in the attributes.
    unsafe { call_for_fd(BPF_MAP_CREATE, &mut attributes) }
}

#[repr(C)]
struct MapElement {
    map_fd: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

impl MapElement {
    fn new<T>(map: BorrowedFd<'_>, key: &u32, value: *const T) -> Self {
        let key = std::ptr::from_ref(key) as u64;
        Self { map_fd: map.as_raw_fd().cast_unsigned(), padding: 0, key, value: value as u64, flags: 0 }
    }
}

/// Sets the only value of `map` for good: neither programs nor we can change it any more, so the verifier knows it.
///
/// # Errors
/// What the kernel says.
///
/// # Safety
/// `value` is as long as the map's values are: the kernel reads that much.
pub unsafe fn set_constants(map: BorrowedFd<'_>, value: &[u8]) -> io::Result<()> {
    let key = 0;
    let mut attributes = MapElement::new(map, &key, value.as_ptr());
    // SAFETY: the key is four bytes, the caller vouches for the value, and both live through the calls.
    unsafe {
        call(BPF_MAP_UPDATE_ELEM, &mut attributes)?;
        call(BPF_MAP_FREEZE, &mut attributes.map_fd).map(drop)
    }
}

/// The values of entry 0 of a per-CPU map with values of `N` numbers, for `cpus` possible CPUs.
///
/// # Errors
/// What the kernel says.
///
/// # Safety
/// The map's values are `N` numbers, and there are no more than `cpus` possible CPUs: the kernel writes a value for each.
pub unsafe fn per_cpu_values<const N: usize>(map: BorrowedFd<'_>, cpus: usize) -> io::Result<Vec<[u64; N]>> {
    let key = 0;
    let mut values = vec![[0; N]; cpus];
    let mut attributes = MapElement::new(map, &key, values.as_mut_ptr());
    // SAFETY: the key is four bytes, the caller says that there is room for all values, and both live through the call.
    unsafe { call(BPF_MAP_LOOKUP_ELEM, &mut attributes) }.map(|_| values)
}

/// Puts the perf event `ring` into the perf event array `map` at index `cpu`.
///
/// # Errors
/// What the kernel says: `E2BIG` for an index beyond the map.
pub fn set_ring(map: BorrowedFd<'_>, cpu: u32, ring: BorrowedFd<'_>) -> io::Result<()> {
    let value = ring.as_raw_fd();
    let mut attributes = MapElement::new(map, &cpu, &raw const value);
    // SAFETY: key and value are four bytes each, as a perf event array has them, and live through the call.
    unsafe { call(BPF_MAP_UPDATE_ELEM, &mut attributes) }.map(drop)
}

/// Takes the ring of `cpu` out of the perf event array `map`.
///
/// # Errors
/// What the kernel says: `ENOENT` when there is none.
pub fn unset_ring(map: BorrowedFd<'_>, cpu: u32) -> io::Result<()> {
    let mut attributes = MapElement::new(map, &cpu, std::ptr::null::<u32>());
    // SAFETY: the key is four bytes and lives through the call.
    unsafe { call(BPF_MAP_DELETE_ELEM, &mut attributes) }.map(drop)
}

#[repr(C)]
struct ProgramLoad {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    ifindex: u32,
    expected_attach_type: u32,
}

/// An XDP program to be loaded.
pub struct Program<'a> {
    /// What the kernel is to call it, 15 bytes of it.
    pub name: &'a str,
    /// With the maps' descriptors in place.
    pub instructions: &'a [bpf_insn],
    /// Whether it takes frames in several buffers.
    pub multi_buffer: bool,
    /// The interface whose NIC is to run it, 0 for none.
    pub ifindex: u32,
}

/// Loads an XDP program.
///
/// On failure the text is what the verifier, the kernel's or the driver's, had to say.
///
/// # Errors
/// What the kernel says: `EINVAL` for a flag or helper that it does not know, or when the NIC runs no programs.
pub fn load_program(program: &Program<'_>) -> Result<OwnedFd, (io::Error, String)> {
    let mut attributes = ProgramLoad {
        program_type: BPF_PROG_TYPE_XDP,
        instruction_count: program.instructions.len() as u32,
        instructions: program.instructions.as_ptr() as u64,
        license: c"Dual MIT/GPL".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log_buffer: 0,
        kernel_version: 0,
        flags: if program.multi_buffer { BPF_F_XDP_HAS_FRAGS } else { 0 },
        name: short_name(program.name),
        ifindex: program.ifindex,
        expected_attach_type: 0,
    };
    // SAFETY: instructions and licence live through the call and are as long as said.
    unsafe { call_for_fd(BPF_PROG_LOAD, &mut attributes) }.map_err(|error| {
        // Once more, to hear why; the log would cost time on every load.
        let mut log = vec![0; 256 << 10];
        attributes.log_level = 1;
        attributes.log_size = log.len() as u32;
        attributes.log_buffer = log.as_mut_ptr() as u64;
        // SAFETY: as above, and so does the log. A program that is loaded now is not wanted any more.
        drop(unsafe { call_for_fd(BPF_PROG_LOAD, &mut attributes) });
        let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
        (error, String::from_utf8_lossy(&log[..end]).trim().to_owned())
    })
}

#[repr(C)]
struct LinkCreate {
    program_fd: u32,
    target_ifindex: u32,
    attach_type: u32,
    flags: u32,
}

/// Attaches an XDP program to an interface for as long as the returned link is open.
///
/// `flags` is one of `XDP_FLAGS_*_MODE` (include/uapi/linux/if_link.h).
///
/// # Errors
/// What the kernel says: `EBUSY` when a program is attached, `EOPNOTSUPP` when the driver has no such mode, `EINVAL` when
/// the driver refuses as it is set up, or before Linux 5.9.
pub fn attach_xdp(program: BorrowedFd<'_>, ifindex: u32, flags: u32) -> io::Result<OwnedFd> {
    let mut attributes = LinkCreate {
        program_fd: program.as_raw_fd().cast_unsigned(),
        target_ifindex: ifindex,
        attach_type: BPF_XDP,
        flags,
    };
    // SAFETY: there is no pointer in the attributes.
    unsafe { call_for_fd(BPF_LINK_CREATE, &mut attributes) }
}

/// The beginning of `struct bpf_prog_info`.
#[repr(C)]
#[derive(Default)]
pub struct ProgramInfo {
    program_type: u32,
    /// The program's number in the kernel.
    pub id: u32,
    tag: [u8; 8],
    lengths: [u32; 2],
    instructions: [u64; 2],
    load_time: u64,
    created_by_uid: u32,
    map_count: u32,
    map_ids: u64,
    /// Its name, filled up with zeros.
    pub name: [u8; 16],
}

const _: () = assert!(std::mem::offset_of!(ProgramInfo, name) == 64);

#[repr(C)]
struct GetInfo {
    fd: u32,
    info_len: u32,
    info: u64,
}

/// What the kernel knows of a program.
///
/// # Errors
/// What the kernel says.
pub fn program_info(program: BorrowedFd<'_>) -> io::Result<ProgramInfo> {
    let mut info = ProgramInfo::default();
    let mut attributes = GetInfo {
        fd: program.as_raw_fd().cast_unsigned(),
        info_len: size_of::<ProgramInfo>() as u32,
        info: (&raw mut info) as u64,
    };
    // SAFETY: the structure is as long as said, every bit pattern is a value of it, and its pointers are null, so that the
    // kernel follows none.
    unsafe { call(BPF_OBJ_GET_INFO_BY_FD, &mut attributes) }.map(|_| info)
}

/// The loaded program with this number.
///
/// # Errors
/// What the kernel says: `ENOENT` when there is none, `EPERM` without `CAP_SYS_ADMIN`.
pub fn program_by_id(id: u32) -> io::Result<OwnedFd> {
    let mut attributes = [id, 0, 0];
    // SAFETY: there is no pointer in the attributes.
    unsafe { call_for_fd(BPF_PROG_GET_FD_BY_ID, &mut attributes) }
}

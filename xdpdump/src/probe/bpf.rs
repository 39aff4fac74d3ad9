//! The few `bpf(2)` calls that aya 0.14 does not offer: a ring into a perf event array, a link without the netlink
//! fallback (whose programs outlive the process), and a program for a NIC.
//!
//! Layouts: `union bpf_attr` in include/uapi/linux/bpf.h.

use std::{
    ffi::c_int,
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

const BPF_MAP_UPDATE_ELEM: c_int = 2;
const BPF_MAP_DELETE_ELEM: c_int = 3;
const BPF_PROG_LOAD: c_int = 5;
const BPF_LINK_CREATE: c_int = 28;

const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_XDP: u32 = 37;

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

/// Lets this process have as many maps and programs as there is memory, if it may say so. Before Linux 5.11 they count, for
/// all of a user's processes together and along with perf rings, against a limit that is often 64 KiB.
pub fn lift_memory_limit() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the pointer leads to one rlimit, which outlives the call. Without success, the limit may do.
    unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
}

#[repr(C)]
struct MapElement {
    map_fd: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// Puts the perf event `ring` into the perf event array `map` at index `cpu`.
///
/// # Errors
/// What the kernel says: `E2BIG` for an index beyond the map.
pub fn set_ring(map: BorrowedFd<'_>, cpu: u32, ring: BorrowedFd<'_>) -> io::Result<()> {
    let value = ring.as_raw_fd();
    let mut attributes = MapElement {
        map_fd: map.as_raw_fd().cast_unsigned(),
        padding: 0,
        key: (&raw const cpu) as u64,
        value: (&raw const value) as u64,
        flags: 0,
    };
    // SAFETY: key and value are four bytes each, as a perf event array has them, and live through the call.
    unsafe { call(BPF_MAP_UPDATE_ELEM, &mut attributes) }.map(drop)
}

/// Takes the ring of `cpu` out of the perf event array `map`.
///
/// # Errors
/// What the kernel says: `ENOENT` when there is none.
pub fn unset_ring(map: BorrowedFd<'_>, cpu: u32) -> io::Result<()> {
    let mut attributes = MapElement {
        map_fd: map.as_raw_fd().cast_unsigned(),
        padding: 0,
        key: (&raw const cpu) as u64,
        value: 0,
        flags: 0,
    };
    // SAFETY: the key is four bytes and lives through the call.
    unsafe { call(BPF_MAP_DELETE_ELEM, &mut attributes) }.map(drop)
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
    // SAFETY: there is no pointer in the attributes; the result is a file descriptor that is ours alone.
    unsafe { call(BPF_LINK_CREATE, &mut attributes).map(|fd| OwnedFd::from_raw_fd(fd)) }
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

/// Loads an XDP program for the NIC of `ifindex`, which verifies and translates it.
///
/// On failure the text is what the verifier, the kernel's or the driver's, had to say.
///
/// # Errors
/// What the kernel says: `EINVAL` when the NIC runs no programs.
pub fn load_offloaded(
    name: &str,
    instructions: &[aya_obj::generated::bpf_insn],
    ifindex: u32,
) -> Result<OwnedFd, (io::Error, String)> {
    let mut log = vec![0; 64 << 10];
    let mut program_name = [0; 16];
    for (to, from) in program_name.iter_mut().take(15).zip(name.bytes()) {
        *to = from;
    }
    let mut attributes = ProgramLoad {
        program_type: BPF_PROG_TYPE_XDP,
        instruction_count: instructions.len() as u32,
        instructions: instructions.as_ptr() as u64,
        license: c"Dual MIT/GPL".as_ptr() as u64,
        log_level: 1,
        log_size: log.len() as u32,
        log_buffer: log.as_mut_ptr() as u64,
        kernel_version: 0,
        flags: 0,
        name: program_name,
        ifindex,
        expected_attach_type: 0,
    };
    // SAFETY: instructions, licence and log live through the call and are as long as said; the result is a file
    // descriptor that is ours alone.
    unsafe { call(BPF_PROG_LOAD, &mut attributes).map(|fd| OwnedFd::from_raw_fd(fd)) }.map_err(|error| {
        let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
        (error, String::from_utf8_lossy(&log[..end]).trim().to_owned())
    })
}

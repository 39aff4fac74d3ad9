//! The smallest XDP program there is, put on interfaces without the code under test.

use std::{
    fs, io,
    mem::size_of,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

/// Commands, program and attachment types of bpf(2) (`include/uapi/linux/bpf.h`).
const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_XDP: u32 = 37;

/// `XDP_FLAGS_SKB_MODE` and `XDP_FLAGS_DRV_MODE` (`include/uapi/linux/if_link.h`).
pub const SKB_MODE: u32 = 1 << 1;
pub const DRIVER_MODE: u32 = 1 << 2;

/// A loaded program that passes every frame on.
#[derive(Debug)]
pub struct PassProgram(OwnedFd);

/// Keeps a program attached until it is dropped.
#[derive(Debug)]
pub struct Attachment(#[expect(dead_code, reason = "held for its Drop")] OwnedFd);

/// The members of `union bpf_attr` that `BPF_PROG_LOAD` needs here.
#[repr(C)]
struct Load {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level_and_size: [u32; 2],
    log: u64,
    kernel_version_and_flags: [u32; 2],
    name: [u8; 16],
}

/// The members of `union bpf_attr` that `BPF_LINK_CREATE` needs here.
#[repr(C)]
struct LinkCreate {
    program_fd: i32,
    interface_index: u32,
    attach_type: u32,
    flags: u32,
}

impl PassProgram {
    /// Loads it under the name `pass`.
    pub fn load() -> Self {
        let instruction = |opcode: u8, immediate: i32| {
            let [a, b, c, d] = immediate.to_ne_bytes();
            [opcode, 0, 0, 0, a, b, c, d]
        };
        // r0 = XDP_PASS; exit
        let instructions = [instruction(0xb7, 2), instruction(0x95, 0)];
        let mut name = [0; 16];
        name[..4].copy_from_slice(b"pass");
        let load = Load {
            program_type: BPF_PROG_TYPE_XDP,
            instruction_count: 2,
            instructions: instructions.as_ptr().expose_provenance() as u64,
            license: c"GPL".as_ptr().expose_provenance() as u64,
            log_level_and_size: [0; 2],
            log: 0,
            kernel_version_and_flags: [0; 2],
            name,
        };
        // SAFETY: the command reads instructions and licence, which outlive the call.
        Self(unsafe { bpf(BPF_PROG_LOAD, &load) }.unwrap())
    }

    /// The kernel's number for it.
    pub fn id(&self) -> u32 {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.0.as_raw_fd())).unwrap();
        let id = info.lines().find_map(|line| line.strip_prefix("prog_id:")).unwrap();
        id.trim().parse().unwrap()
    }

    /// Attaches it to an interface of the calling thread's namespace by a `bpf_link`, in one of the modes above.
    pub fn attach(&self, interface_index: u32, mode: u32) -> Attachment {
        let create =
            LinkCreate { program_fd: self.0.as_raw_fd(), interface_index, attach_type: BPF_XDP, flags: mode };
        // SAFETY: the command reads no pointers.
        Attachment(unsafe { bpf(BPF_LINK_CREATE, &create) }.unwrap())
    }
}

/// A bpf(2) command that returns a new descriptor.
///
/// # Safety
/// `T` is the beginning of what the command reads, and the pointers in it are valid for it.
unsafe fn bpf<T>(command: libc::c_long, attribute: &T) -> io::Result<OwnedFd> {
    // SAFETY: the pointer and size describe `attribute`; the caller vouches for the pointers in it.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, command, &raw const *attribute, size_of::<T>()) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just returned this descriptor and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

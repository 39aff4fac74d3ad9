//! `bpf(2)`: the commands that aya 0.14 has no function for; the module `probe` explains why they are needed.
//!
//! Zero is the right value for every attribute that is left out (`union bpf_attr`, include/uapi/linux/bpf.h).

pub mod tracing;

use std::{
    io,
    mem::zeroed,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use aya_obj::generated::{
    BPF_F_BEFORE, BPF_F_XDP_DEV_BOUND_ONLY, BPF_F_XDP_HAS_FRAGS,
    bpf_attach_type::{BPF_TCX_EGRESS, BPF_TCX_INGRESS, BPF_XDP},
    bpf_attr__bindgen_ty_1 as MapCreate, bpf_attr__bindgen_ty_2 as MapElement,
    bpf_attr__bindgen_ty_4 as ProgramLoad, bpf_attr__bindgen_ty_8 as GetById,
    bpf_attr__bindgen_ty_9 as GetInfo, bpf_attr__bindgen_ty_10 as Query,
    bpf_attr__bindgen_ty_14 as LinkCreate, bpf_attr__bindgen_ty_15 as LinkUpdate, bpf_cmd, bpf_insn,
    bpf_map_info, bpf_prog_info,
    bpf_prog_type::{BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_XDP},
};

/// `bpf(2)` with `attributes` as its argument.
///
/// # Safety
/// Every pointer in the attributes must be valid for what the command does with it.
unsafe fn call<T>(command: bpf_cmd, attributes: &mut T) -> io::Result<i32> {
    // SAFETY: the attributes outlive the call, the kernel accepts any prefix of the union, and the caller guarantees the
    // pointers in it.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

/// [`call`] for a command that makes a file descriptor.
///
/// # Safety
/// Every pointer in the attributes must be valid for what the command does with it, and the command must be one whose result is
/// a new file descriptor.
unsafe fn call_for_fd<T>(command: bpf_cmd, attributes: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the caller guarantees the attributes; the descriptor is new and nothing else owns it.
    unsafe { call(command, attributes).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// Attributes with every field 0.
///
/// # Safety
/// `T` consists of integers, arrays and unions of integers.
unsafe fn blank<T>() -> T {
    // SAFETY: zero is a valid value for the types that `T` consists of, as the caller guarantees.
    unsafe { zeroed() }
}

/// A descriptor as a value of an attribute.
fn number(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// An object's name in the kernel: at most the first 15 bytes.
fn short_name(name: &str) -> [libc::c_char; 16] {
    let mut short = [0; 16];
    for (to, from) in short.iter_mut().take(15).zip(name.bytes()) {
        *to = from.cast_signed() as libc::c_char;
    }
    short
}

/// Creates a map from its definition in the object.
///
/// # Errors
/// The error of the system call: `EPERM`, `ENOMEM`, or `EINVAL` for a kind of map or flag that the kernel does not know.
pub fn create_map(name: &str, map: &aya_obj::Map) -> io::Result<OwnedFd> {
    // SAFETY: the structure consists of integers.
    let mut attributes: MapCreate = unsafe { blank() };
    attributes.map_type = map.map_type();
    attributes.key_size = map.key_size();
    attributes.value_size = map.value_size();
    attributes.max_entries = map.max_entries();
    attributes.map_flags = map.map_flags();
    attributes.map_name = short_name(name);
    // SAFETY: there is no pointer in the attributes.
    unsafe { call_for_fd(bpf_cmd::BPF_MAP_CREATE, &mut attributes) }
}

fn element<T>(map: BorrowedFd<'_>, key: &u32, value: *const T) -> MapElement {
    // SAFETY: the structure consists of integers and a union of integers.
    let mut attributes: MapElement = unsafe { blank() };
    attributes.map_fd = number(map);
    attributes.key = std::ptr::from_ref(key) as u64;
    attributes.__bindgen_anon_1.value = value as u64;
    attributes
}

/// Sets the only value of `map`, created from `definition`, to the data of the definition, and freezes the map: neither
/// programs nor user space can change it any more, so the verifier treats it as constant.
///
/// # Errors
/// The error of the system call; `EINVAL` if the definition's value size differs from the length of its data.
pub fn set_constants(map: BorrowedFd<'_>, definition: &aya_obj::Map) -> io::Result<()> {
    let value = definition.data();
    if value.len() != definition.value_size() as usize {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let key = 0;
    let mut attributes = element(map, &key, value.as_ptr());
    // SAFETY: the key has four bytes, the value is as long as the map's values, and both outlive the calls.
    unsafe {
        call(bpf_cmd::BPF_MAP_UPDATE_ELEM, &mut attributes)?;
        call(bpf_cmd::BPF_MAP_FREEZE, &mut attributes.map_fd).map(drop)
    }
}

/// Puts the perf event `ring` into the perf event array `map` at index `cpu`.
///
/// # Errors
/// The error of the system call: `E2BIG` for an index beyond the end of the map.
pub fn set_ring(map: BorrowedFd<'_>, cpu: u32, ring: BorrowedFd<'_>) -> io::Result<()> {
    let value = ring.as_raw_fd();
    let mut attributes = element(map, &cpu, &raw const value);
    // SAFETY: key and value have four bytes each, as a perf event array requires, and outlive the call.
    unsafe { call(bpf_cmd::BPF_MAP_UPDATE_ELEM, &mut attributes) }.map(drop)
}

/// Removes the ring of `cpu` from the perf event array `map`.
///
/// # Errors
/// The error of the system call: `ENOENT` when there is none.
pub fn unset_ring(map: BorrowedFd<'_>, cpu: u32) -> io::Result<()> {
    let mut attributes = element(map, &cpu, std::ptr::null::<u32>());
    // SAFETY: the key has four bytes and outlives the call.
    unsafe { call(bpf_cmd::BPF_MAP_DELETE_ELEM, &mut attributes) }.map(drop)
}

/// The kinds of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For received frames, at the XDP hook.
    Xdp,
    /// For frames of a queueing discipline, at the tc hook.
    Tc,
}

/// A program to be loaded.
pub struct Program<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its name in the kernel, which keeps the first 15 bytes.
    pub name: &'a str,
    /// Its instructions, which contain the descriptors of its maps.
    pub instructions: &'a [bpf_insn],
    /// Whether it accepts frames in several buffers.
    pub multi_buffer: bool,
    /// The interface that it is loaded for, or 0 if it is for any.
    pub ifindex: u32,
    /// Whether it runs on the host's CPU, although it is for one interface.
    pub in_driver: bool,
}

/// Loads a program.
///
/// The text of the error is the log of the kernel's or the driver's verifier.
///
/// # Errors
/// The error of the system call: `EINVAL` for a flag or helper that the kernel does not know, or when the NIC runs no
/// programs.
pub fn load_program(program: &Program<'_>) -> Result<OwnedFd, (io::Error, String)> {
    // SAFETY: the structure consists of integers, arrays and a union of integers.
    let mut attributes: ProgramLoad = unsafe { blank() };
    attributes.prog_type = match program.kind {
        Kind::Xdp => BPF_PROG_TYPE_XDP as u32,
        Kind::Tc => BPF_PROG_TYPE_SCHED_CLS as u32,
    };
    attributes.prog_flags = if program.multi_buffer { BPF_F_XDP_HAS_FRAGS } else { 0 }
        | if program.in_driver { BPF_F_XDP_DEV_BOUND_ONLY } else { 0 };
    attributes.prog_ifindex = program.ifindex;
    load(program.name, program.instructions, attributes)
}

/// Loads a program. The attributes have everything but its name, instructions and licence.
fn load(
    name: &str,
    instructions: &[bpf_insn],
    mut attributes: ProgramLoad,
) -> Result<OwnedFd, (io::Error, String)> {
    attributes.prog_name = short_name(name);
    attributes.insn_cnt = instructions.len() as u32;
    attributes.insns = instructions.as_ptr() as u64;
    attributes.license = c"Dual MIT/GPL".as_ptr() as u64;
    // SAFETY: instructions and licence outlive the call and have the given lengths; the other pointers are null.
    unsafe { call_for_fd(bpf_cmd::BPF_PROG_LOAD, &mut attributes) }.map_err(|error| {
        // Load once more to get the log, which would cost time on every load.
        let mut log = vec![0; 256 << 10];
        attributes.log_level = 1;
        attributes.log_size = log.len() as u32;
        attributes.log_buf = log.as_mut_ptr() as u64;
        // SAFETY: as above; the log also outlives the call and has the given length.
        let _ = unsafe { call_for_fd(bpf_cmd::BPF_PROG_LOAD, &mut attributes) };
        let text = log.split(|byte| *byte == 0).next().unwrap_or_default();
        (error, String::from_utf8_lossy(text).into_owned())
    })
}

/// Attaches an XDP program to an interface for as long as the returned link is open.
///
/// `flags` is one of `XDP_FLAGS_*_MODE` (include/uapi/linux/if_link.h).
///
/// # Errors
/// The error of the system call: `EBUSY` when another program is attached, `EOPNOTSUPP` when the driver has no such mode,
/// `EINVAL` when the driver refuses because of its present settings, or before Linux 5.9.
pub fn attach_xdp(program: BorrowedFd<'_>, ifindex: u32, flags: u32) -> io::Result<OwnedFd> {
    // SAFETY: the structure consists of integers and unions of integers.
    let mut attributes: LinkCreate = unsafe { blank() };
    attributes.__bindgen_anon_1.prog_fd = number(program);
    attributes.__bindgen_anon_2.target_ifindex = ifindex;
    attributes.attach_type = BPF_XDP as u32;
    attributes.flags = flags;
    // SAFETY: there is no pointer in the attributes.
    unsafe { call_for_fd(bpf_cmd::BPF_LINK_CREATE, &mut attributes) }
}

/// Attaches a tc program to what an interface sends, before all programs that are attached there, for as long as the returned
/// link is open.
///
/// # Errors
/// The error of the system call: `EINVAL` before Linux 6.6, `ENODEV` when the interface is gone.
pub fn attach_tcx_egress(program: BorrowedFd<'_>, ifindex: u32) -> io::Result<OwnedFd> {
    // SAFETY: the structure consists of integers and unions of integers.
    let mut attributes: LinkCreate = unsafe { blank() };
    attributes.__bindgen_anon_1.prog_fd = number(program);
    attributes.__bindgen_anon_2.target_ifindex = ifindex;
    attributes.attach_type = BPF_TCX_EGRESS as u32;
    attributes.flags = BPF_F_BEFORE;
    // SAFETY: there is no pointer in the attributes.
    unsafe { call_for_fd(bpf_cmd::BPF_LINK_CREATE, &mut attributes) }
}

/// Whether the kernel attaches XDP programs by links (Linux 5.9), found without a program: the kernel looks for one only after it
/// accepted the way of attaching (`link_create`, kernel/bpf/syscall.c, v5.8 and v5.9).
///
/// # Errors
/// The error of the system call: `EPERM` where bpf(2) is forbidden.
pub fn has_xdp_links() -> io::Result<bool> {
    // SAFETY: the structure consists of integers and unions of integers.
    let mut attributes: LinkCreate = unsafe { blank() };
    attributes.__bindgen_anon_1.prog_fd = u32::MAX;
    attributes.attach_type = BPF_XDP as u32;
    // SAFETY: there is no pointer in the attributes.
    match unsafe { call_for_fd(bpf_cmd::BPF_LINK_CREATE, &mut attributes) } {
        Ok(_) => Ok(true),
        Err(error) => match error.raw_os_error() {
            Some(libc::EBADF) => Ok(true),
            Some(libc::EINVAL) => Ok(false),
            _ => Err(error),
        },
    }
}

/// The ids of the programs that are attached to an interface through tcx, in the order in which they run: those for what it
/// receives, or for what it sends.
///
/// # Errors
/// The error of the system call: `EINVAL` before Linux 6.6, `EPERM` without `CAP_NET_ADMIN`.
pub fn tcx_programs(ifindex: u32, sent: bool) -> io::Result<Vec<u32>> {
    // `BPF_MPROG_MAX` (include/linux/bpf_mprog.h, v6.18).
    let mut ids = [0u32; 64];
    // SAFETY: the structure consists of integers and unions of integers.
    let mut attributes: Query = unsafe { blank() };
    attributes.__bindgen_anon_1.target_ifindex = ifindex;
    attributes.attach_type = if sent { BPF_TCX_EGRESS } else { BPF_TCX_INGRESS } as u32;
    attributes.__bindgen_anon_2.count = ids.len() as u32;
    attributes.prog_ids = ids.as_mut_ptr() as u64;
    // SAFETY: the one pointer in the attributes is to as many numbers as they say, and the kernel writes no more.
    match unsafe { call(bpf_cmd::BPF_PROG_QUERY, &mut attributes) } {
        Ok(_) => {}
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    // SAFETY: every variant of the union is one number.
    let count = unsafe { attributes.__bindgen_anon_2.count } as usize;
    Ok(ids.into_iter().take(count).collect())
}

/// Replaces the program of `link` atomically: every frame runs through the old or the new program.
///
/// # Errors
/// The error of the system call: `EINVAL` for a program of another kind, `ENOLINK` when the interface is gone.
pub fn exchange_program(link: BorrowedFd<'_>, program: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the structure consists of integers and unions of integers.
    let mut attributes: LinkUpdate = unsafe { blank() };
    attributes.link_fd = number(link);
    attributes.__bindgen_anon_1.new_prog_fd = number(program);
    // SAFETY: there is no pointer in the attributes.
    unsafe { call(bpf_cmd::BPF_LINK_UPDATE, &mut attributes) }.map(drop)
}

/// Opens the link with this number. (aya tells of a link only what all kinds have.)
///
/// # Errors
/// What the kernel says: `ENOENT` when there is none, `EPERM` without `CAP_SYS_ADMIN`.
pub fn open_link(id: u32) -> io::Result<OwnedFd> {
    open_by_id(bpf_cmd::BPF_LINK_GET_FD_BY_ID, id)
}

/// Opens the object with this id; `command` says what kind of object.
fn open_by_id(command: bpf_cmd, id: u32) -> io::Result<OwnedFd> {
    // SAFETY: the structure consists of integers and a union of integers.
    let mut attributes: GetById = unsafe { blank() };
    // All kinds of ids are the same member of the union.
    attributes.__bindgen_anon_1.start_id = id;
    // SAFETY: there is no pointer in the attributes.
    unsafe { call_for_fd(command, &mut attributes) }
}

/// The number in the kernel of a program that is open here. (aya tells it for programs that it loaded.)
///
/// # Errors
/// The error of the system call.
pub fn program_id(program: BorrowedFd<'_>) -> io::Result<u32> {
    // SAFETY: the structure consists of integers, arrays and bit fields.
    let mut info: bpf_prog_info = unsafe { blank() };
    // SAFETY: every bit pattern is valid for the structure, and its pointers are null, so the kernel follows none.
    unsafe { object_info(program, &mut info) }.map(|()| info.id)
}

/// The id of a map.
///
/// # Errors
/// The error of the system call.
pub fn map_id(map: BorrowedFd<'_>) -> io::Result<u32> {
    // SAFETY: the structure consists of integers, arrays and bit fields.
    let mut info: bpf_map_info = unsafe { blank() };
    // SAFETY: every bit pattern is valid for the structure, and the kernel follows no pointers of it.
    unsafe { object_info(map, &mut info) }.map(|()| info.id)
}

/// Whether a program that is open here was compiled to instructions of the CPU, as far as the kernel tells this process.
///
/// # Errors
/// The error of the system call.
pub fn is_compiled(program: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: the structure consists of integers, arrays and bit fields.
    let mut info: bpf_prog_info = unsafe { blank() };
    // SAFETY: every bit pattern is valid for the structure, and its pointers are null, so the kernel follows none.
    unsafe { object_info(program, &mut info) }.map(|()| info.jited_prog_len > 0)
}

/// Fills in what the kernel tells about an object.
///
/// # Safety
/// `T` is the structure for this kind of object, and the pointers in it are null or valid for what the kernel writes.
unsafe fn object_info<T>(object: BorrowedFd<'_>, info: &mut T) -> io::Result<()> {
    let mut attributes = GetInfo {
        bpf_fd: number(object),
        info_len: size_of::<T>() as u32,
        info: std::ptr::from_mut(info) as u64,
    };
    // SAFETY: the structure has the given length; the caller guarantees its pointers.
    unsafe { call(bpf_cmd::BPF_OBJ_GET_INFO_BY_FD, &mut attributes) }.map(drop)
}

//! Programs of other processes, and programs that run before and after them.

use std::{
    fs::{self, File},
    io,
    ops::Deref,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use aya_obj::generated::{
    bpf_attach_type::{BPF_TRACE_FENTRY, BPF_TRACE_FEXIT},
    bpf_attr__bindgen_ty_4 as ProgramLoad, bpf_attr__bindgen_ty_8 as GetById,
    bpf_attr__bindgen_ty_11 as RawTracepoint, bpf_attr__bindgen_ty_14 as LinkCreate, bpf_btf_info, bpf_cmd,
    bpf_func_info, bpf_insn, bpf_link_info,
    bpf_link_type::BPF_LINK_TYPE_TRACING,
    bpf_prog_info,
    bpf_prog_type::BPF_PROG_TYPE_TRACING,
};

use crate::sys::mapping::ConstantBytes;

use super::{blank, call, call_for_fd, load, number, object_info, open_by_id};

/// The id of the kernel's type information, which is the first that is made (`bpf_get_btf_vmlinux`, kernel/bpf/verifier.c,
/// v6.18).
const KERNEL_BTF: u32 = 1;

/// What `fstatfs` says of a file in sysfs (`SYSFS_MAGIC`, include/uapi/linux/magic.h).
const SYSFS: u64 = 0x6265_6572;

/// The file with the kernel's type information.
const KERNEL_BTF_FILE: &str = "/sys/kernel/btf/vmlinux";

/// What the kernel tells about a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramInfo {
    /// Its id.
    pub id: u32,
    /// Its name: at most 15 bytes.
    pub name: String,
    /// The id of its type information (BTF); 0 if it has none.
    pub btf: u32,
    /// The type of its first function in that BTF; `None` if the program does not tell.
    pub function: Option<u32>,
    /// How many times it was not called because the same program was running on the CPU.
    pub missed: u64,
}

/// A link that replaces a function of a program, or runs before or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracingLink {
    /// The program of the link.
    pub program: u32,
    /// `enum bpf_attach_type`; 0 for a link that replaces a function.
    pub attach_type: u32,
    /// The program with the function.
    pub target: u32,
    /// The type of the function in the BTF of the target.
    pub function: u32,
}

/// A program to run before or after another one.
pub struct Tap<'a> {
    /// Its name in the kernel, which keeps the first 15 bytes.
    pub name: &'a str,
    /// Its instructions, which contain the descriptors of its maps.
    pub instructions: &'a [bpf_insn],
    /// Whether it runs after the other program, instead of before it.
    pub at_exit: bool,
    /// The other program.
    pub target: BorrowedFd<'a>,
    /// The type of the target's function, in the target's BTF.
    pub function: u32,
}

/// Opens the program with this id.
///
/// # Errors
/// The error of the system call: `ENOENT` when there is none, `EPERM` without `CAP_SYS_ADMIN`.
pub fn open_program(id: u32) -> io::Result<OwnedFd> {
    open_by_id(bpf_cmd::BPF_PROG_GET_FD_BY_ID, id)
}

/// Asks the kernel about a program.
///
/// # Errors
/// The error of the system call.
pub fn program_info(program: BorrowedFd<'_>) -> io::Result<ProgramInfo> {
    let mut function = bpf_func_info { insn_off: 0, type_id: 0 };
    // SAFETY: the structure consists of integers, arrays and bit fields.
    let mut info: bpf_prog_info = unsafe { blank() };
    info.func_info_rec_size = size_of::<bpf_func_info>() as u32;
    info.nr_func_info = 1;
    info.func_info = (&raw mut function) as u64;
    // SAFETY: every bit pattern is valid for the structure; of its pointers only that to one function is not null, and the
    // kernel writes at most one record of the given size there.
    unsafe { object_info(program, &mut info) }?;
    Ok(ProgramInfo {
        id: info.id,
        name: text(&info.name),
        btf: info.btf_id,
        function: (info.nr_func_info > 0 && function.insn_off == 0 && function.type_id != 0)
            .then_some(function.type_id),
        missed: info.recursion_misses,
    })
}

/// The type information (BTF) with this id.
///
/// # Errors
/// The error of the system call: `EPERM` without `CAP_SYS_ADMIN`.
pub fn btf(id: u32) -> io::Result<Vec<u8>> {
    btf_if(id, |_| true)
}

/// The type information (BTF) with this id, if `is_wanted` says so; otherwise `NotFound`.
fn btf_if(id: u32, is_wanted: impl Fn(&bpf_btf_info) -> bool) -> io::Result<Vec<u8>> {
    let btf = open_by_id(bpf_cmd::BPF_BTF_GET_FD_BY_ID, id)?;
    // SAFETY: the structure consists of integers.
    let mut info: bpf_btf_info = unsafe { blank() };
    // SAFETY: every bit pattern is valid for the structure, and its pointers are null.
    unsafe { object_info(btf.as_fd(), &mut info) }?;
    if !is_wanted(&info) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut bytes = vec![0; info.btf_size as usize];
    // SAFETY: as above.
    info = unsafe { blank() };
    info.btf = bytes.as_mut_ptr() as u64;
    info.btf_size = bytes.len() as u32;
    // SAFETY: every bit pattern is valid for the structure; the one pointer that is not null is to so many bytes.
    unsafe { object_info(btf.as_fd(), &mut info) }?;
    bytes.truncate(info.btf_size as usize);
    Ok(bytes)
}

/// The kernel's own type information (BTF).
pub enum KernelBtf {
    /// Where the kernel has it.
    InPlace(ConstantBytes),
    /// A copy.
    Copy(Vec<u8>),
}

impl Deref for KernelBtf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::InPlace(bytes) => bytes,
            Self::Copy(bytes) => bytes,
        }
    }
}

/// The kernel's own type information, which has several megabytes. Since Linux 6.16 its file can be mapped
/// (`btf_sysfs_vmlinux_mmap`, kernel/bpf/sysfs_btf.c). Otherwise the file has it in pieces of a page, which takes ten times as long
/// as a system call for all of it; but for that the process needs `CAP_SYS_ADMIN`, and the kernel must have read it already.
///
/// # Errors
/// The error of reading it: `ENOENT` when the kernel was built without.
pub fn kernel_btf() -> io::Result<KernelBtf> {
    if let Ok(bytes) = kernel_btf_in_place() {
        return Ok(KernelBtf::InPlace(bytes));
    }
    // The kernel's is the first; those of modules come later, and refer to it.
    let is_kernels = |info: &bpf_btf_info| info.kernel_btf != 0 && info.id == KERNEL_BTF;
    btf_if(KERNEL_BTF, is_kernels).or_else(|_| fs::read(KERNEL_BTF_FILE)).map(KernelBtf::Copy)
}

fn kernel_btf_in_place() -> io::Result<ConstantBytes> {
    let file = File::open(KERNEL_BTF_FILE)?;
    let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    if u64::try_from(rustix::fs::fstatfs(&file)?.f_type) != Ok(SYSFS) {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: in sysfs, this is a constant part of the running kernel's image, and its size is that of the part. (Only root can mount
    // another file of sysfs in its place, and the others that can be mapped are windows to devices.)
    unsafe { ConstantBytes::of(file, len) }
}

/// Every link that replaces a function of a program, or runs before or after it. Before Linux 5.13 the kernel does not tell
/// which function that is.
///
/// # Errors
/// The error of the system call: `EPERM` without `CAP_SYS_ADMIN`.
pub fn tracing_links() -> io::Result<Vec<TracingLink>> {
    let mut links = Vec::new();
    // SAFETY: the structure consists of integers and a union of integers.
    let mut next: GetById = unsafe { blank() };
    loop {
        // SAFETY: there is no pointer in the attributes.
        match unsafe { call(bpf_cmd::BPF_LINK_GET_NEXT_ID, &mut next) } {
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(links),
            Err(error) => return Err(error),
        }
        // SAFETY: every variant of the union is one number.
        let id = unsafe {
            next.__bindgen_anon_1.start_id = next.next_id;
            next.__bindgen_anon_1.link_id
        };
        // A link may end after it was listed.
        let link = match super::open_link(id) {
            Ok(link) => link,
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => continue,
            Err(error) => return Err(error),
        };
        // SAFETY: the structure consists of integers and a union of such structures.
        let mut info: bpf_link_info = unsafe { blank() };
        // SAFETY: every bit pattern is valid for the structure, and its pointers are null.
        unsafe { object_info(link.as_fd(), &mut info) }?;
        if info.type_ == BPF_LINK_TYPE_TRACING as u32 {
            // SAFETY: this variant belongs to this type, and all of it was zero if the kernel did not write it.
            let tracing = unsafe { info.__bindgen_anon_1.tracing };
            links.push(TracingLink {
                program: info.prog_id,
                attach_type: tracing.attach_type,
                target: tracing.target_obj_id,
                function: tracing.target_btf_id,
            });
        }
    }
}

/// Loads a program that runs before or after another one.
///
/// The text of the error is the verifier's log.
///
/// # Errors
/// The error of the system call: `EPERM` where such programs are forbidden, `EINVAL` when the target cannot be traced.
pub fn load_tap(tap: &Tap<'_>) -> Result<OwnedFd, (io::Error, String)> {
    // SAFETY: the structure consists of integers, arrays and a union of integers.
    let mut attributes: ProgramLoad = unsafe { blank() };
    attributes.prog_type = BPF_PROG_TYPE_TRACING as u32;
    attributes.expected_attach_type = attach_type(tap.at_exit);
    attributes.__bindgen_anon_1.attach_prog_fd = number(tap.target);
    attributes.attach_btf_id = tap.function;
    load(tap.name, tap.instructions, attributes)
}

/// Loads a program that would run before a function of the kernel, which has this type in the kernel's BTF.
///
/// The text of the error is the verifier's log.
///
/// # Errors
/// The error of the system call: `EPERM` where such programs are forbidden, `EINVAL` when the function cannot be traced.
pub fn load_before_kernel_function(
    name: &str,
    instructions: &[bpf_insn],
    function: u32,
) -> Result<OwnedFd, (io::Error, String)> {
    // SAFETY: the structure consists of integers, arrays and a union of integers.
    let mut attributes: ProgramLoad = unsafe { blank() };
    attributes.prog_type = BPF_PROG_TYPE_TRACING as u32;
    attributes.expected_attach_type = attach_type(false);
    attributes.attach_btf_id = function;
    load(name, instructions, attributes)
}

/// Attaches a program of [`load_tap`] for as long as the returned link is open.
///
/// # Errors
/// The error of the system call: `ENOTSUPP` (524) where the architecture has no trampolines, `E2BIG` when too many programs run
/// before and after the target, `EBUSY` when another program replaces the function.
pub fn attach_tap(program: BorrowedFd<'_>, at_exit: bool) -> io::Result<OwnedFd> {
    // SAFETY: the structure consists of integers and unions of integers.
    let mut attributes: LinkCreate = unsafe { blank() };
    attributes.__bindgen_anon_1.prog_fd = number(program);
    attributes.attach_type = attach_type(at_exit);
    // SAFETY: there is no pointer in the attributes.
    match unsafe { call_for_fd(bpf_cmd::BPF_LINK_CREATE, &mut attributes) } {
        // Before 5.19 such links are made by another command, and `BPF_LINK_CREATE` gives `EINVAL`.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            // SAFETY: the structure consists of integers.
            let mut attributes: RawTracepoint = unsafe { blank() };
            attributes.prog_fd = number(program);
            // SAFETY: the one pointer in the attributes is null, as the command requires for such a program.
            unsafe { call_for_fd(bpf_cmd::BPF_RAW_TRACEPOINT_OPEN, &mut attributes) }
        }
        result => result,
    }
}

fn attach_type(at_exit: bool) -> u32 {
    (if at_exit { BPF_TRACE_FEXIT } else { BPF_TRACE_FENTRY }) as u32
}

/// A name with a NUL behind it.
fn text(name: &[libc::c_char]) -> String {
    let bytes: Vec<u8> =
        name.iter().flat_map(|byte| byte.to_ne_bytes()).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

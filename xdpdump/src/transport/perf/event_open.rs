//! `perf_event_open(2)` and the shared memory of its event.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

/// `struct perf_event_attr` up to `PERF_ATTR_SIZE_VER5` (include/uapi/linux/perf_event.h).
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    breakpoint_type: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clock_id: i32,
    sample_regs_intr: u64,
    aux_watermark: u32,
    sample_max_stack: u16,
    reserved: u16,
}

const _: () = assert!(size_of::<Attributes>() == 112);

const PERF_TYPE_SOFTWARE: u32 = 1;
const PERF_COUNT_SW_BPF_OUTPUT: u64 = 10;
const PERF_SAMPLE_TIME: u64 = 1 << 2;
const PERF_SAMPLE_RAW: u64 = 1 << 10;
const PERF_FORMAT_TOTAL_TIME_ENABLED: u64 = 1 << 0;
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 1 << 3;
const FLAG_WATERMARK: u64 = bit(14);
const FLAG_USE_CLOCK_ID: u64 = bit(25);

/// Bit `n` of the C bit field `flags`, which a big-endian compiler fills from the top.
const fn bit(n: u32) -> u64 {
    if cfg!(target_endian = "big") { 1 << (63 - n) } else { 1 << n }
}

/// When the kernel wakes the reader of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// For every frame: where a person watches.
    EveryFrame,
    /// When so many bytes are waiting: 15 to 20 times the throughput of a wake-up per frame.
    Bytes(u32),
}

/// Opens the event that `bpf_perf_event_output` writes to on `cpu`, stamped by `CLOCK_MONOTONIC`. Read, it gives two `u64`:
/// a count of no use, and for how many nanoseconds it has been enabled; see [`Pulse`](super::Pulse).
///
/// # Errors
/// What the kernel says: `EPERM` without `CAP_PERFMON`, `ENODEV` for a CPU that is offline.
pub fn open(cpu: u32, wakeup: Wakeup) -> io::Result<OwnedFd> {
    let (flags, wakeup) = match wakeup {
        Wakeup::EveryFrame => (FLAG_USE_CLOCK_ID, 1),
        Wakeup::Bytes(bytes) => (FLAG_USE_CLOCK_ID | FLAG_WATERMARK, bytes),
    };
    let attributes = Attributes {
        kind: PERF_TYPE_SOFTWARE,
        size: size_of::<Attributes>() as u32,
        config: PERF_COUNT_SW_BPF_OUTPUT,
        sample_period: 1,
        sample_type: PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
        read_format: PERF_FORMAT_TOTAL_TIME_ENABLED,
        flags,
        wakeup,
        clock_id: libc::CLOCK_MONOTONIC,
        ..Attributes::default()
    };
    let any_process: libc::pid_t = -1;
    let no_group: libc::c_int = -1;
    // SAFETY: the attributes live through the call and say their own size; the kernel only reads them.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            any_process,
            cpu.cast_signed(),
            no_group,
            PERF_FLAG_FD_CLOEXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave this file descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Offsets in `struct perf_event_mmap_page`.
const DATA_HEAD: usize = 1024;
const DATA_TAIL: usize = 1032;

/// The mapped ring: one page of control, then data pages, a power of two in number.
pub struct Mapping {
    base: NonNull<u8>,
    page_size: usize,
    data_len: usize,
}

// SAFETY: the memory belongs to this value alone, and moves with it.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the ring of `event` with `data_len` bytes, a power of two of at least a page.
    ///
    /// # Errors
    /// What the kernel says: `EPERM` or `ENOMEM` when the ring is larger than it may or can be.
    pub fn new(event: &OwnedFd, data_len: usize) -> io::Result<Self> {
        // SAFETY: sysconf has no preconditions.
        let page_size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
        // SAFETY: a fresh shared mapping at an address of the kernel's choice touches no memory of ours.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                page_size + data_len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                event.as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mmap gave a null pointer"))?;
        Ok(Self { base, page_size, data_len })
    }

    /// Bytes of data pages, a power of two.
    pub fn data_len(&self) -> usize {
        self.data_len
    }

    /// Where the kernel writes next; everything before it is complete.
    ///
    /// The acquire pairs with the kernel's barrier in `perf_output_put_handle`
    /// (kernel/events/ring_buffer.c, v6.18).
    pub fn head(&self) -> u64 {
        self.position(DATA_HEAD).load(Ordering::Acquire)
    }

    /// Gives everything before `tail` back to the kernel.
    pub fn set_tail(&self, tail: u64) {
        self.position(DATA_TAIL).store(tail, Ordering::Release);
    }

    fn position(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the control page is mapped for as long as `self` lives, both offsets are aligned to 8 inside it,
        // and both sides access them atomically.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(offset).cast()) }
    }

    /// The bytes from position `tail` to position `head`, in two pieces when the ring ends between them. A head
    /// that is further away than the ring is long gives nothing.
    ///
    /// # Safety
    /// The kernel must not write between the two: `head` was read from [`Mapping::head`], and no tail beyond `tail`
    /// is set while the slices live.
    pub unsafe fn bytes(&self, tail: u64, head: u64) -> (&[u8], &[u8]) {
        let len = usize::try_from(head.wrapping_sub(tail)).unwrap_or(usize::MAX);
        if len > self.data_len {
            return (&[], &[]);
        }
        let start = tail as usize & (self.data_len - 1);
        let first = len.min(self.data_len - start);
        // SAFETY: `start + first <= data_len` and `len - first <= start`, so both slices lie in the data pages, which
        // begin one page behind the base; the caller keeps the kernel from writing to them.
        unsafe {
            let data = self.base.as_ptr().add(self.page_size);
            (
                std::slice::from_raw_parts(data.add(start), first),
                std::slice::from_raw_parts(data, len - first),
            )
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the same address and length that were mapped; no borrow of the memory outlives `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.page_size + self.data_len) };
    }
}

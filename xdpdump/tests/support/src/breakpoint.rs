//! Hardware breakpoints on kernel code, to act exactly when an instruction is executed.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    ptr,
    time::Duration,
};

/// `PERF_TYPE_BREAKPOINT` (`include/uapi/linux/perf_event.h`).
const PERF_TYPE_BREAKPOINT: u32 = 5;
/// `HW_BREAKPOINT_X` (`include/uapi/linux/hw_breakpoint.h`).
const HW_BREAKPOINT_X: u32 = 4;
/// The control page and one page of records.
const MAPPED: usize = 2 * 4096;

/// `struct perf_event_attr`, up to what a breakpoint needs (`PERF_ATTR_SIZE_VER1`).
#[derive(Default)]
#[repr(C)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    breakpoint_address: u64,
    breakpoint_len: u64,
}

/// A breakpoint at an address on one CPU, until it is dropped.
#[derive(Debug)]
pub struct Breakpoint {
    event: OwnedFd,
    /// The mapped ring, [`MAPPED`] bytes.
    memory: *mut libc::c_void,
}

impl Breakpoint {
    /// Sets a breakpoint.
    pub fn at(address: u64, cpu: usize) -> Self {
        let attributes = Attributes {
            kind: PERF_TYPE_BREAKPOINT,
            size: size_of::<Attributes>() as u32,
            sample_period: 1,
            wakeup_events: 1,
            breakpoint_type: HW_BREAKPOINT_X,
            breakpoint_address: address,
            // "sizeof(long)" is the only length of an instruction (arch/x86/kernel/hw_breakpoint.c).
            breakpoint_len: 8,
            ..Attributes::default()
        };
        // SAFETY: the call only reads the attributes, which outlive it.
        let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, &raw const attributes, -1, cpu, -1, 0) };
        assert!(fd >= 0, "breakpoint at {address:#x}: {}", io::Error::last_os_error());
        // SAFETY: the kernel just returned this descriptor and nothing else owns it.
        let event = unsafe { OwnedFd::from_raw_fd(fd as i32) };
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel chooses the address, so no other memory is affected; nothing reads the records.
        let memory =
            unsafe { libc::mmap(ptr::null_mut(), MAPPED, access, libc::MAP_SHARED, event.as_raw_fd(), 0) };
        assert_ne!(memory, libc::MAP_FAILED, "{}", io::Error::last_os_error());
        Self { event, memory }
    }

    /// Waits until the instruction is executed; false if it was not executed within `timeout`.
    ///
    /// If the waiting thread is on the same CPU and has a higher priority, it runs before the instruction does.
    pub fn wait(&self, timeout: Duration) -> bool {
        let mut poll = libc::pollfd { fd: self.event.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: the pointer refers to one pollfd, which outlives the call.
        unsafe { libc::poll(&raw mut poll, 1, timeout.as_millis() as i32) > 0 }
    }
}

impl Drop for Breakpoint {
    fn drop(&mut self) {
        // SAFETY: the memory was mapped with this length, and nothing points into it.
        unsafe { libc::munmap(self.memory, MAPPED) };
    }
}

//! `perf_event_open(2)`.

use std::{
    io,
    os::fd::{FromRawFd, OwnedFd},
};

use aya_obj::generated::{
    PERF_FLAG_FD_CLOEXEC, perf_event_attr, perf_event_sample_format, perf_sw_ids, perf_type_id,
};

/// `PERF_FORMAT_TOTAL_TIME_ENABLED`, include/uapi/linux/perf_event.h.
const FORMAT_TOTAL_TIME_ENABLED: u64 = 1 << 0;

/// When the kernel wakes the reader of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// For every frame, when the user watches the output.
    EveryFrame,
    /// When this many bytes are waiting: 15 to 20 times the throughput of a wake-up for every frame.
    Bytes(u32),
}

/// Opens the event that `bpf_perf_event_output` writes to on `cpu`, stamped by `CLOCK_MONOTONIC`. Reading it returns two
/// `u64`: a count, which is not used, and the nanoseconds for which it has been enabled.
///
/// # Errors
/// The error of the system call: `EPERM` without `CAP_PERFMON`, `ENODEV` for a CPU that is offline.
pub fn open(cpu: u32, wakeup: Wakeup) -> io::Result<OwnedFd> {
    // SAFETY: the structure consists of integers and unions of integers, for which zero is valid.
    let mut attributes: perf_event_attr = unsafe { std::mem::zeroed() };
    attributes.type_ = perf_type_id::PERF_TYPE_SOFTWARE as u32;
    attributes.size = size_of::<perf_event_attr>() as u32;
    attributes.config = perf_sw_ids::PERF_COUNT_SW_BPF_OUTPUT as u64;
    attributes.__bindgen_anon_1.sample_period = 1;
    attributes.sample_type =
        perf_event_sample_format::PERF_SAMPLE_TIME as u64 | perf_event_sample_format::PERF_SAMPLE_RAW as u64;
    attributes.read_format = FORMAT_TOTAL_TIME_ENABLED;
    attributes.set_use_clockid(1);
    attributes.clockid = libc::CLOCK_MONOTONIC;
    match wakeup {
        Wakeup::EveryFrame => attributes.__bindgen_anon_2.wakeup_events = 1,
        Wakeup::Bytes(bytes) => {
            attributes.set_watermark(1);
            attributes.__bindgen_anon_2.wakeup_watermark = bytes;
        }
    }
    let any_process: libc::pid_t = -1;
    let no_group: libc::c_int = -1;
    // SAFETY: the attributes outlive the call and contain their own size; the kernel only reads them.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            any_process,
            cpu.cast_signed(),
            no_group,
            libc::c_ulong::from(PERF_FLAG_FD_CLOEXEC),
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just created this file descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Whether the kernel may have a CPU of this number, online or not: it refuses others with `EINVAL` (`perf_event_alloc`,
/// kernel/events/core.c, v6.18). Where it refuses every event, for another reason, it may.
pub fn is_possible(cpu: u32) -> bool {
    open(cpu, Wakeup::EveryFrame).map_or_else(|error| error.raw_os_error() != Some(libc::EINVAL), |_| true)
}

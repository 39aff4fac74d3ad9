//! What the kernel counts of an XDP program: how often it ran and for how long.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::process;

use anyhow::{Context, Result};

use super::support::bpf::{bpf, descriptor};

/// `BPF_ENABLE_STATS` (`enum bpf_cmd`, include/uapi/linux/bpf.h).
const BPF_ENABLE_STATS: libc::c_long = 32;

/// The beginning of `union bpf_attr` for `BPF_ENABLE_STATS`.
#[repr(C)]
struct EnableStats {
    /// `BPF_STATS_RUN_TIME` is 0.
    kind: u32,
}

/// Has the kernel take the time of every run of every BPF program until the result is dropped. That alone costs some 40 ns
/// a run.
pub fn enable_statistics() -> Result<OwnedFd> {
    // SAFETY: the command reads no pointers.
    let enabled = unsafe { bpf(BPF_ENABLE_STATS, &EnableStats { kind: 0 }) };
    enabled.map(descriptor).context("the kernel does not take the time of BPF programs")
}

/// Nanoseconds a run of the programs that a process has open, or of one of those of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunTime {
    nanos: u64,
    count: u64,
}

impl RunTime {
    /// Of all programs of a process. A tool's programs have one purpose.
    pub fn of_process(pid: i32) -> Result<Self> {
        Ok(programs(pid)?.into_values().fold(Self::default(), |sum, one| Self {
            nanos: sum.nanos + one.nanos,
            count: sum.count + one.count,
        }))
    }

    /// Of a program of this process, by the kernel's number.
    pub fn of_own(program: u32) -> Result<Self> {
        let own = programs(process::id().cast_signed())?;
        own.get(&program).copied().context("the empty XDP program is gone")
    }

    /// Nanoseconds a run since `before`.
    pub fn each_since(self, before: Self) -> f64 {
        (self.nanos - before.nanos) as f64 / (self.count - before.count) as f64
    }
}

/// The programs a process has open (`bpf_prog_show_fdinfo`, kernel/bpf/syscall.c).
fn programs(pid: i32) -> Result<BTreeMap<u32, RunTime>> {
    let mut programs = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).context("the tool is gone")? {
        // Some may be closed meanwhile.
        let info = fs::read_to_string(entry?.path()).unwrap_or_default();
        let value =
            |key: &str| info.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok());
        if let (Some(id), Some(nanos), Some(count)) =
            (value("prog_id:"), value("run_time_ns:"), value("run_cnt:"))
        {
            programs.insert(id as u32, RunTime { nanos, count });
        }
    }
    Ok(programs)
}

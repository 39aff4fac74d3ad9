//! The kernel's statistics of an XDP program: how often it ran and for how long.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process;

use anyhow::{Context, Result, bail, ensure};

use xdpdump_testing::bpf::{bpf, descriptor};

/// `BPF_ENABLE_STATS` (`enum bpf_cmd`, include/uapi/linux/bpf.h).
const BPF_ENABLE_STATS: libc::c_long = 32;

/// `BPF_PROG_GET_FD_BY_ID`.
const BPF_PROG_GET_FD_BY_ID: libc::c_long = 13;

/// The beginning of `union bpf_attr` for `BPF_ENABLE_STATS`.
#[repr(C)]
struct EnableStats {
    /// `BPF_STATS_RUN_TIME` is 0.
    kind: u32,
}

/// Makes the kernel measure the time of every run of every BPF program until the result is dropped. The measuring itself
/// costs about 40 ns per run.
pub fn enable_statistics() -> Result<OwnedFd> {
    // SAFETY: the command reads no pointers.
    let enabled = unsafe { bpf(BPF_ENABLE_STATS, &EnableStats { kind: 0 }) };
    enabled.map(descriptor).context("the kernel does not measure the run time of BPF programs")
}

/// Number of runs and total run time of programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunTime {
    nanos: u64,
    count: u64,
}

impl RunTime {
    /// The statistics of all programs of a process together, because all programs of a tool serve one purpose.
    pub fn of_process(pid: i32) -> Result<Self> {
        Ok(programs(pid)?.into_values().fold(Self::default(), |sum, one| Self {
            nanos: sum.nanos + one.nanos,
            count: sum.count + one.count,
        }))
    }

    /// The statistics of a program of this process, by its id.
    pub fn of_own(program: u32) -> Result<Self> {
        let own = programs(process::id().cast_signed())?;
        own.get(&program).copied().context("the empty XDP program is gone")
    }

    /// Nanoseconds per run since `before`. Fails if the program did not run.
    pub fn each_since(self, before: Self) -> Result<f64> {
        ensure!(self.count > before.count, "an XDP program that was to be measured did not run");
        Ok((self.nanos - before.nanos) as f64 / (self.count - before.count) as f64)
    }
}

/// The programs that a process holds, directly or through a link (`bpf_prog_show_fdinfo` and `bpf_link_show_fdinfo`,
/// kernel/bpf/syscall.c). Only a descriptor of the program itself shows its run time, so this opens one.
fn programs(pid: i32) -> Result<BTreeMap<u32, RunTime>> {
    let mut programs = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).context("the tool is gone")? {
        // A descriptor may have been closed meanwhile.
        let info = fs::read_to_string(entry?.path()).unwrap_or_default();
        if let Some(id) = value(&info, "prog_id:") {
            programs.insert(id as u32, run_time(id as u32)?);
        }
    }
    Ok(programs)
}

fn run_time(id: u32) -> Result<RunTime> {
    // SAFETY: the command reads no pointers.
    let program = unsafe { bpf(BPF_PROG_GET_FD_BY_ID, &[id, 0, 0]) }.map(descriptor);
    let program = program.with_context(|| format!("XDP program {id} is gone"))?;
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", program.as_raw_fd()))?;
    match (value(&info, "run_time_ns:"), value(&info, "run_cnt:")) {
        (Some(nanos), Some(count)) => Ok(RunTime { nanos, count }),
        _ => bail!("the kernel does not show the run time of XDP program {id}"),
    }
}

fn value(info: &str, key: &str) -> Option<u64> {
    info.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
}

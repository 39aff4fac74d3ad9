//! The memory of rings, and what limits it.

use std::fs;

use rustix::{
    process::{Resource, getrlimit},
    thread::{CapabilitySet, capabilities},
};

use super::{Finding, Group, kernel::Offer};
use crate::{cpus, probe, transport::mapped::Lengths};

const GROUP: Group = Group::Memory;

/// Looks at the memory that a capture takes by default.
pub fn examine(offer: Offer) -> Vec<Finding> {
    let Ok(online) = cpus::online() else {
        return vec![
            GROUP.unknown("rings", "which CPUs are online cannot be seen, so neither can the size of rings"),
        ];
    };
    let buffer = cpus::default_buffer(online.len());
    let lengths = Lengths::within(cpus::share(buffer, online.len()));
    let rings = cpus::with_spare(&online, cpus::possible());
    // How many CPUs there may be cannot be seen without privileges.
    let wanted = match offer.mapped_rings {
        Some(true) => lengths.value_len() as u64 * u64::from(rings),
        _ => buffer,
    };
    vec![free(wanted, lengths.large as u64, online.len(), &limits()), locked(wanted, online.len())]
}

/// Memory that may still be used, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limit {
    bytes: u64,
    of: &'static str,
}

/// What limits the memory of this process.
fn limits() -> Vec<Limit> {
    let mut limits = Vec::new();
    if let Some(bytes) = fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(available) {
        limits.push(Limit { bytes, of: "the machine" });
    }
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let number = |path: String| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    for (folder, most, used) in folders(&groups) {
        // "max" is no number and no limit.
        let (Some(most), Some(used)) =
            (number(format!("{folder}/{most}")), number(format!("{folder}/{used}")))
        else {
            continue;
        };
        limits.push(Limit { bytes: most.saturating_sub(used), of: "the control group of this process" });
    }
    limits
}

/// Bytes that are available without swapping, from `/proc/meminfo` (proc_meminfo(5)).
fn available(meminfo: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The folders of the control group for memory that this process is in, and of those above it, each with its files of limit and
/// use, from `/proc/self/cgroup` (cgroups(7)): of version 2 in the line `0::`, of version 1 in that of the controller.
fn folders(groups: &str) -> Vec<(String, &'static str, &'static str)> {
    let mut folders = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (root, most, used) = if number == "0" && controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.max", "memory.current")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
        } else {
            continue;
        };
        let mut path = path.trim_end_matches('/');
        loop {
            folders.push((format!("{root}{path}"), most, used));
            match path.rsplit_once('/') {
                Some((above, _)) => path = above,
                None => break,
            }
        }
    }
    folders
}

fn free(wanted: u64, ring: u64, cpus: usize, limits: &[Limit]) -> Finding {
    let by_default = format!("a capture takes {} for rings by default, {} a CPU", mib(wanted), mib(ring));
    let Some(Limit { bytes, of }) = limits.iter().min_by_key(|limit| limit.bytes) else {
        return GROUP.unknown("rings", format!("{by_default}; how much memory is free cannot be seen"));
    };
    let free = format!("{} has {} left", of, mib(*bytes));
    // Half of what is left, for all CPUs: the option takes KiB.
    let less = (bytes / 2 / 1024).max(cpus as u64 * 128);
    if wanted > *bytes {
        GROUP.failure("rings", format!("{by_default}, and {free}: ask for less, such as -B {less}"))
    } else if wanted > bytes / 2 {
        GROUP.warning(
            "rings",
            format!("{by_default}, and {free}: less, such as -B {less}, leaves room for others"),
        )
    } else {
        GROUP.ok("rings", format!("{by_default}; {free}"))
    }
}

/// The limit of locked memory.
fn locked(wanted: u64, cpus: usize) -> Finding {
    let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let limit = getrlimit(Resource::Memlock);
    if probe::counts_locked_memory() {
        let lifts = held.contains(CapabilitySet::SYS_RESOURCE) || limit.maximum.is_none();
        return match limit.current {
            Some(most) if !lifts && most < wanted => GROUP.failure(
                "locked",
                format!(
                    "rings count as locked memory before Linux 5.11, of which this user may have {}: raise the limit \
                     (`ulimit -l`), or give the program cap_sys_resource",
                    mib(most)
                ),
            ),
            _ => GROUP.ok("locked", "rings count as locked memory before Linux 5.11; the limit is high enough or can be lifted"),
        };
    }
    let each = fs::read_to_string("/proc/sys/kernel/perf_event_mlock_kb").ok();
    let each = each.and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(516);
    let for_perf = (each * 1024).saturating_mul(cpus as u64);
    match limit.current {
        Some(most) if !held.contains(CapabilitySet::IPC_LOCK) && most.saturating_add(for_perf) < wanted => GROUP.ok(
            "locked",
            format!(
                "mapped rings do not count as locked memory; perf rings do without cap_ipc_lock, and get {} together instead of {}",
                mib(most.saturating_add(for_perf)),
                mib(wanted)
            ),
        ),
        _ => GROUP.ok("locked", "the limit of locked memory does not limit rings"),
    }
}

fn mib(bytes: u64) -> String {
    if bytes < 1 << 20 { format!("{} KiB", bytes >> 10) } else { format!("{} MiB", bytes >> 20) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn memory_is_compared_with_what_is_left() {
        let limit = |mib: u64, of| Limit { bytes: mib << 20, of };
        let verdict = |limits: &[Limit]| free(32 << 20, 16 << 20, 2, limits);
        assert_eq!(verdict(&[limit(1000, "the machine")]).verdict, Verdict::Ok);
        let tight = verdict(&[limit(1000, "the machine"), limit(40, "the control group of this process")]);
        assert_eq!(tight.verdict, Verdict::Warning);
        assert_eq!(
            tight.sentence,
            "a capture takes 32 MiB for rings by default, 16 MiB a CPU, and the control group of this process has 40 MiB left: \
             less, such as -B 20480, leaves room for others"
        );
        assert_eq!(verdict(&[limit(20, "the machine")]).verdict, Verdict::Failure);
        assert_eq!(verdict(&[]).verdict, Verdict::Unknown);
    }

    #[test]
    fn what_the_kernel_writes_is_read() {
        let meminfo = "MemTotal:       24585964 kB\nMemFree:         1 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(available(meminfo), Some(20_000_000 << 10));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert_eq!(available("MemAvailable: many kB\n"), None);
        let of = |text| folders(text).into_iter().map(|(folder, ..)| folder).collect::<Vec<_>>();
        assert_eq!(of("0::/a/b\n"), ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]);
        assert_eq!(of("0::/\n"), ["/sys/fs/cgroup"]);
        assert_eq!(
            of("9:name=systemd:/\n4:cpu,memory:/x:y\nnonsense\n"),
            ["/sys/fs/cgroup/memory/x:y", "/sys/fs/cgroup/memory"]
        );
    }
}

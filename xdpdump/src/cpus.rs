//! Which CPUs there are, and how much memory each gets.

use std::{collections::BTreeSet, ffi::c_ulong, fs, io};

use crate::sys::affinity;

/// `NR_CPUS` of the largest kernel there is (arch/x86/Kconfig, v6.18).
const MOST_CPUS: u32 = 8192;

/// The CPUs that are online.
///
/// # Errors
/// When sysfs cannot be read or says something else.
pub fn online() -> io::Result<BTreeSet<u32>> {
    read("/sys/devices/system/cpu/online")
}

/// A number that the number of every CPU, also of one that comes later, is below. The kernel itself says it: what is
/// read from `/sys` may be made up, so no length that the kernel writes to may rest on that.
pub fn limit() -> u32 {
    let words = affinity::mask().ok().and_then(|mask| u32::try_from(mask.len()).ok());
    words.and_then(|words| words.checked_mul(c_ulong::BITS)).filter(|bits| *bits > 0).unwrap_or(MOST_CPUS)
}

fn read(path: &str) -> io::Result<BTreeSet<u32>> {
    let text = fs::read_to_string(path)?;
    parse(&text).ok_or_else(|| io::Error::other(format!("{path} makes no sense")))
}

/// What each of so many CPUs gets of `buffer` bytes.
pub fn share(buffer: u64, cpus: usize) -> usize {
    usize::try_from(buffer / cpus.max(1) as u64).unwrap_or(usize::MAX >> 1)
}

/// Bytes for the rings of all CPUs together when nobody says how many: 16 MiB for each, at most 1/32 of the machine's
/// memory.
pub fn default_buffer(cpus: usize) -> u64 {
    let wanted = cpus as u64 * (16 << 20);
    total_memory().map_or(wanted, |memory| wanted.min(memory / 32))
}

/// Bytes of memory of the machine.
fn total_memory() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        })
        .map(|kib| kib << 10)
        .ok_or_else(|| io::Error::other("/proc/meminfo has no MemTotal"))
}

/// Parses the kernel's list format: `0-3,5`.
fn parse(text: &str) -> Option<BTreeSet<u32>> {
    let mut cpus = BTreeSet::new();
    for range in text.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cpus.extend(first.parse::<u32>().ok()?..=last.parse().ok()?);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_cpus() {
        assert_eq!(parse("0-2,5,7-7\n"), Some([0, 1, 2, 5, 7].into()));
        assert_eq!(parse("0\n"), Some([0].into()));
        assert_eq!(parse("all"), None);
    }
}

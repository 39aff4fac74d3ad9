//! Which CPUs there are, and how much ring memory each gets.

use std::{collections::BTreeSet, fs, io};

use libc::c_ulong;

use crate::sys::{affinity, kernel, perf_event};

/// Number of CPUs of the largest kernel (`NR_CPUS`, arch/x86/Kconfig, v6.18), used when the kernel does not tell its own
/// limit.
const MOST_CPUS: u32 = 8192;

/// The CPUs that are online: those that `/sys` says, or `/proc` if there is no `/sys`, and those on which this process may run.
/// `/sys` may be a container's own and leave some out, or name some that do not exist.
///
/// # Errors
/// When nothing tells.
pub fn online() -> io::Result<BTreeSet<u32>> {
    let told = |path, parse: fn(&str) -> Option<BTreeSet<u32>>| {
        fs::read_to_string(path).ok().and_then(|text| parse(&text))
    };
    let told = told("/sys/devices/system/cpu/online", parse_list).or_else(|| told("/proc/stat", parse_stat));
    match (told, affinity::mask()) {
        (Some(told), Ok(mask)) => Ok(&told | &cpus_of(&mask)),
        (Some(told), Err(_)) => Ok(told),
        (None, mask) => mask.map(|mask| cpus_of(&mask)),
    }
}

/// Bytes of the largest cache that a CPU has for itself: of its second level. `None` where `/sys` does not tell.
pub fn cache() -> Option<usize> {
    let size = fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index2/size").ok()?;
    // Always in KiB (`size_show`, drivers/base/cacheinfo.c, v6.18).
    size.trim().strip_suffix('K')?.parse::<usize>().ok()?.checked_mul(1 << 10)
}

/// Of how many CPUs, from CPU 0 on, rings are to be in memory from the start: all up to the last that is `online`, and of those
/// that may come online later as many as are online now, so that memory at most doubles on a machine that has few of the CPUs it
/// could have. `possible` is one more than the highest number a CPU can have, of which a file in `/sys` knows nothing.
pub fn with_spare(online: &BTreeSet<u32>, possible: u32) -> u32 {
    let there = online.last().map_or(1, |last| last + 1).min(possible);
    there.saturating_add(online.len() as u32).min(possible)
}

/// One more than the highest number that a CPU of this machine can have: the kernel's own word where it gives one.
pub fn possible() -> u32 {
    let limit = limit();
    // The smallest number that the kernel says no CPU has.
    let (mut known, mut beyond) = (0, limit);
    while known < beyond {
        let middle = known + (beyond - known) / 2;
        if perf_event::is_possible(middle) { known = middle + 1 } else { beyond = middle }
    }
    if known == 0 { limit } else { known }
}

/// An upper bound: the numbers of all CPUs, also of those that come online later, are below it. It comes from a system
/// call: files below `/sys` may be replaced, so no length of a buffer that the kernel writes to may depend on them.
pub fn limit() -> u32 {
    let words = affinity::mask().ok().and_then(|mask| u32::try_from(mask.len()).ok());
    words.and_then(|words| words.checked_mul(c_ulong::BITS)).filter(|bits| *bits > 0).unwrap_or(MOST_CPUS)
}

/// The share in bytes of each of `cpus` CPUs in a total of `buffer` bytes.
pub fn share(buffer: u64, cpus: usize) -> usize {
    usize::try_from(buffer / cpus.max(1) as u64).unwrap_or(usize::MAX >> 1)
}

/// Default size in bytes of the rings of all CPUs together: 16 MiB for each CPU, but at most 1/32 of the machine's memory.
pub fn default_buffer(cpus: usize) -> u64 {
    (cpus as u64 * (16 << 20)).min(kernel::total_memory() / 32)
}

/// Parses the kernel's list format, such as `0-3,5`. `None` if it is malformed or contains numbers that no CPU can have.
pub fn parse_list(text: &str) -> Option<BTreeSet<u32>> {
    let mut cpus = BTreeSet::new();
    for range in text.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse().ok().filter(|last| *last < MOST_CPUS)?);
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// The CPUs that have a line of their own in `/proc/stat` (`show_stat`, fs/proc/stat.c, v6.18: the online ones); `None`
/// when there is no such line.
fn parse_stat(text: &str) -> Option<BTreeSet<u32>> {
    let number = |line: &str| line.strip_prefix("cpu")?.split(' ').next()?.parse().ok();
    Some(text.lines().filter_map(number).collect()).filter(|cpus: &BTreeSet<u32>| !cpus.is_empty())
}

fn cpus_of(mask: &[c_ulong]) -> BTreeSet<u32> {
    (0..)
        .zip(mask.iter().flat_map(|word| (0..c_ulong::BITS).map(move |bit| word >> bit & 1 != 0)))
        .filter_map(|(cpu, is_set)| is_set.then_some(cpu))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_cpus() {
        assert_eq!(parse_list("0-2,5,7-7\n"), Some([0, 1, 2, 5, 7].into()));
        assert_eq!(parse_list("0\n"), Some([0].into()));
        assert_eq!(parse_list("all"), None);
        assert_eq!(parse_list(""), None);
        assert_eq!(parse_list("0-4294967295"), None, "such a range must not be expanded");
    }

    #[test]
    fn online_cpus_have_a_line_each() {
        let text = "cpu  1 2 3\ncpu0 1 0 0\ncpu12 4 5 6\nintr 5 0\nctxt 7\n";
        assert_eq!(parse_stat(text), Some([0, 12].into()));
        assert_eq!(parse_stat("cpu  1 2 3\nintr 5\n"), None);
    }

    #[test]
    fn bits_of_a_mask_are_numbers() {
        let highest = c_ulong::BITS - 1;
        assert_eq!(cpus_of(&[1 << highest | 0b101, 1]), [0, 2, highest, highest + 1].into());
        assert_eq!(cpus_of(&[]), BTreeSet::new());
    }

    #[test]
    fn memory_for_cpus_that_may_come_is_bounded() {
        for (online, possible, rings) in [
            (&[0, 1][..], 2, 2),
            // A machine that could have many more.
            (&[0, 1], 128, 4),
            // One is away, or hidden.
            (&[0], 2, 2),
            (&[0, 2], 4, 4),
            // Said to be there, and impossible.
            (&[0, 1, 2, 3, 4, 5], 2, 2),
            (&[], 2, 1),
        ] {
            assert_eq!(with_spare(&online.iter().copied().collect(), possible), rings, "{online:?}");
        }
    }

    #[test]
    fn every_cpu_is_possible() {
        let possible = possible();
        assert!(possible <= limit());
        assert!(cpus_of(&affinity::mask().unwrap()).last().is_some_and(|last| *last < possible));
    }

    #[test]
    fn every_cpu_is_below_the_limit() {
        let limit = limit();
        assert!(limit >= 1);
        for cpus in [online().unwrap(), cpus_of(&affinity::mask().unwrap())] {
            assert!(cpus.last().is_some_and(|last| *last < limit), "{cpus:?} and {limit}");
        }
    }
}

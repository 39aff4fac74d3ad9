//! Which CPUs there are, and how much ring memory each gets.

use std::{collections::BTreeSet, fs, io};

use libc::c_ulong;

use crate::sys::{affinity, kernel};

/// Number of CPUs of the largest kernel (`NR_CPUS`, arch/x86/Kconfig, v6.18), used when the kernel does not tell its own
/// limit.
const MOST_CPUS: u32 = 8192;

/// The CPUs that are online, according to `/sys`, or to `/proc` if there is no `/sys`. If there is neither, the CPUs on
/// which this process may run, which can be fewer.
///
/// # Errors
/// When that cannot be found out either.
pub fn online() -> io::Result<BTreeSet<u32>> {
    let told = |path, parse: fn(&str) -> Option<BTreeSet<u32>>| {
        fs::read_to_string(path).ok().and_then(|text| parse(&text))
    };
    match told("/sys/devices/system/cpu/online", parse_list).or_else(|| told("/proc/stat", parse_stat)) {
        Some(cpus) => Ok(cpus),
        None => affinity::mask().map(|mask| cpus_of(&mask)),
    }
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
fn parse_list(text: &str) -> Option<BTreeSet<u32>> {
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
    fn every_cpu_is_below_the_limit() {
        let limit = limit();
        assert!(limit >= 1);
        for cpus in [online().unwrap(), cpus_of(&affinity::mask().unwrap())] {
            assert!(cpus.last().is_some_and(|last| *last < limit), "{cpus:?} and {limit}");
        }
    }
}

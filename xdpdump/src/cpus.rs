//! Which CPUs there are, and how much memory each gets.

use std::{collections::BTreeSet, fs, io};

use libc::c_ulong;

use crate::sys::{affinity, kernel};

/// CPUs of the largest kernel (`NR_CPUS`, arch/x86/Kconfig, v6.18), for one that does not tell how many it can have.
const MOST_CPUS: u32 = 8192;

/// The CPUs that are online, as far as this process is told: by `/sys`, or `/proc` where there is no `/sys`. Where there is
/// neither, those that this process may run on, which can be fewer.
///
/// # Errors
/// When the kernel does not tell that either.
pub fn online() -> io::Result<BTreeSet<u32>> {
    let told = |path, parse: fn(&str) -> Option<BTreeSet<u32>>| {
        fs::read_to_string(path).ok().and_then(|text| parse(&text))
    };
    match told("/sys/devices/system/cpu/online", parse_list).or_else(|| told("/proc/stat", parse_stat)) {
        Some(cpus) => Ok(cpus),
        None => affinity::mask().map(|mask| cpus_of(&mask)),
    }
}

/// The CPUs that there can ever be.
///
/// # Errors
/// None: without `/sys`, every number below [`limit`] is possible.
pub fn possible() -> io::Result<BTreeSet<u32>> {
    let told = fs::read_to_string("/sys/devices/system/cpu/possible").ok();
    Ok(told.and_then(|text| parse_list(&text)).unwrap_or_else(|| (0..limit()).collect()))
}

/// A number that the number of every CPU, also of one that comes later, is below. The kernel itself says it: what is
/// read from `/sys` may be made up, so no length that the kernel writes to may rest on that.
pub fn limit() -> u32 {
    let words = affinity::mask().ok().and_then(|mask| u32::try_from(mask.len()).ok());
    words.and_then(|words| words.checked_mul(c_ulong::BITS)).filter(|bits| *bits > 0).unwrap_or(MOST_CPUS)
}

/// What each of so many CPUs gets of `buffer` bytes.
pub fn share(buffer: u64, cpus: usize) -> usize {
    usize::try_from(buffer / cpus.max(1) as u64).unwrap_or(usize::MAX >> 1)
}

/// Bytes for the rings of all CPUs together when nobody says how many: 16 MiB for each, at most 1/32 of the machine's
/// memory.
pub fn default_buffer(cpus: usize) -> u64 {
    (cpus as u64 * (16 << 20)).min(kernel::total_memory() / 32)
}

/// Parses the kernel's list format: `0-3,5`. Numbers that no kernel can have make it nonsense.
fn parse_list(text: &str) -> Option<BTreeSet<u32>> {
    let mut cpus = BTreeSet::new();
    for range in text.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<u32>().ok()?, last.parse().ok().filter(|last| *last < MOST_CPUS)?);
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// The CPUs that have a line of their own (`show_stat`, fs/proc/stat.c, v6.18: the online ones); none when none has.
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
        assert_eq!(parse_list("0-4294967295"), None, "not to be counted out");
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
        for cpus in [online().unwrap(), possible().unwrap(), cpus_of(&affinity::mask().unwrap())] {
            assert!(cpus.last().is_some_and(|last| *last < limit), "{cpus:?} and {limit}");
        }
    }
}

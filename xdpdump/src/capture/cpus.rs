//! Which CPUs there are.

use std::{collections::BTreeSet, fs, io};

/// The CPUs that are online.
///
/// # Errors
/// When sysfs cannot be read or says something else.
pub fn online() -> io::Result<BTreeSet<u32>> {
    let text = fs::read_to_string("/sys/devices/system/cpu/online")?;
    parse(&text).ok_or_else(|| io::Error::other("the list of online CPUs makes no sense"))
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

//! Features of the running kernel, for tests that expect a refusal if one is missing.

use std::fs;

/// Whether the kernel has multi-buffer XDP (`BPF_F_XDP_HAS_FRAGS`): Linux 5.18.
pub fn has_multi_buffer() -> bool {
    is_at_least(5, 18)
}

/// The values of `--transport` that this kernel supports.
pub fn transports() -> &'static [&'static str] {
    // Mapped rings need features that came with the same version.
    if has_multi_buffer() { &["ring", "perf"] } else { &["perf"] }
}

/// Whether the running kernel is `major.minor` or newer.
///
/// # Panics
/// When its version cannot be read.
pub fn is_at_least(major: u32, minor: u32) -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (major, minor)
}

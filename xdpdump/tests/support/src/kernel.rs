//! What the running kernel can do, where tests expect a reason instead of a result.

use std::fs;

/// Whether frames in several buffers reach XDP programs (`BPF_F_XDP_HAS_FRAGS`): Linux 5.18.
pub fn has_multi_buffer() -> bool {
    is_at_least(5, 18)
}

/// The kinds of rings that `--transport` may ask for here.
pub fn transports() -> &'static [&'static str] {
    // What mapped rings take came with the same version.
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

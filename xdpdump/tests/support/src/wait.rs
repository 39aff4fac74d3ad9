//! Waiting for what takes a moment, without waiting for ever.

use std::{
    env,
    fmt::Debug,
    thread,
    time::{Duration, Instant},
};

/// Longest time anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How many times slower than a usual machine this one is, when it says so: 1, more where instructions are emulated.
///
/// # Panics
/// When it is not a number.
pub fn slowness() -> u32 {
    env::var("XDPDUMP_TEST_SLOW").map_or(1, |factor| factor.parse().unwrap())
}

/// Waits until `look` gives `wanted`.
///
/// # Panics
/// When it still does not after [`PATIENCE`].
pub fn until_equal<T: PartialEq + Debug>(wanted: &T, mut look: impl FnMut() -> T) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = look();
        if seen == *wanted {
            return;
        }
        assert!(Instant::now() < deadline, "still {seen:?} instead of {wanted:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until `holds`.
///
/// # Panics
/// When it still does not after [`PATIENCE`].
pub fn until(holds: impl FnMut() -> bool) {
    until_equal(&true, holds);
}

//! Waits for conditions, with a limit.

use std::{
    env,
    fmt::Debug,
    thread,
    time::{Duration, Instant},
};

/// Longest time that anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How many times slower than usual this machine is: 1, or more if instructions are emulated and the environment says so.
///
/// # Panics
/// When the environment variable is not a number.
pub fn slowness() -> u32 {
    env::var("XDPDUMP_TEST_SLOW").map_or(1, |factor| factor.parse().unwrap())
}

/// Waits until `look` returns `wanted`.
///
/// # Panics
/// When that has not happened after [`PATIENCE`], or four times that if instructions are emulated: tshark takes a minute to start.
pub fn until_equal<T: PartialEq + Debug>(wanted: &T, mut look: impl FnMut() -> T) {
    let deadline = Instant::now() + PATIENCE * slowness().min(4);
    loop {
        let seen = look();
        if seen == *wanted {
            return;
        }
        assert!(Instant::now() < deadline, "still {seen:?} instead of {wanted:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until `holds` returns true.
///
/// # Panics
/// As [`until_equal`].
pub fn until(holds: impl FnMut() -> bool) {
    until_equal(&true, holds);
}

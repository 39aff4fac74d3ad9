//! The kernel's clocks, in nanoseconds.

use rustix::time::{ClockId, clock_gettime};

/// `CLOCK_MONOTONIC`: time since boot, without the time that the machine slept.
pub fn monotonic() -> i64 {
    nanos(ClockId::Monotonic)
}

/// `CLOCK_REALTIME`: time since 1970, UTC.
pub fn realtime() -> i64 {
    nanos(ClockId::Realtime)
}

fn nanos(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

//! Finds out whether a perf event is still running.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

/// Watches one event. When a CPU goes offline, the kernel stops its events for good, and the CPU may be online again before
/// anybody checks. But the time for which a stopped event has been enabled no longer grows.
#[derive(Debug)]
pub struct Pulse {
    enabled: Duration,
    /// When `enabled` was read.
    asked: Instant,
}

impl Pulse {
    /// Starts to watch `event`.
    ///
    /// # Errors
    /// When the event cannot be read.
    pub fn new(event: &OwnedFd) -> io::Result<Self> {
        Ok(Self { enabled: enabled(event)?, asked: Instant::now() })
    }

    /// Whether `event` has been enabled ever since the last call. An event that stopped less than an eighth of that time
    /// ago still counts as running, and so does an event that cannot be read.
    pub fn is_running(&mut self, event: &OwnedFd) -> bool {
        // Measured from after the last reading to before this one, so it is never longer than the time between the
        // readings.
        let elapsed = self.asked.elapsed();
        let Ok(enabled) = enabled(event) else { return true };
        let has_run = enabled.saturating_sub(self.enabled);
        *self = Self { enabled, asked: Instant::now() };
        // Allow an eighth of difference, because the two times come from different clocks.
        has_run * 8 >= elapsed * 7
    }
}

fn enabled(event: &OwnedFd) -> io::Result<Duration> {
    // The event's count, which is not used, and the nanoseconds for which it has been enabled.
    let mut values = [[0; 8]; 2];
    File::from(event.try_clone()?).read_exact(values.as_flattened_mut())?;
    Ok(Duration::from_nanos(u64::from_ne_bytes(values[1])))
}

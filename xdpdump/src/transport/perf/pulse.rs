//! Whether a perf event still runs.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

/// Watches one event. The kernel ends an event for good when its CPU goes offline, and the CPU may be back before anybody
/// looks; but the time for which the event has been enabled stands still from then on.
#[derive(Debug)]
pub struct Pulse {
    enabled: Duration,
    /// When that was asked.
    asked: Instant,
}

impl Pulse {
    /// Begins to watch `event`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn new(event: &OwnedFd) -> io::Result<Self> {
        Ok(Self { enabled: enabled(event)?, asked: Instant::now() })
    }

    /// Whether `event` has been enabled all the time since the last call. An event that ended less than an eighth of that time ago
    /// still counts as running, and so does one that cannot be read.
    pub fn is_running(&mut self, event: &OwnedFd) -> bool {
        // From after the last reading to before this one: never longer than what lies between the two.
        let elapsed = self.asked.elapsed();
        let Ok(enabled) = enabled(event) else { return true };
        let has_run = enabled.saturating_sub(self.enabled);
        *self = Self { enabled, asked: Instant::now() };
        // The two are counted by different clocks.
        has_run * 8 >= elapsed * 7
    }
}

fn enabled(event: &OwnedFd) -> io::Result<Duration> {
    // A count of no use, and nanoseconds.
    let mut values = [[0; 8]; 2];
    File::from(event.try_clone()?).read_exact(values.as_flattened_mut())?;
    Ok(Duration::from_nanos(u64::from_ne_bytes(values[1])))
}

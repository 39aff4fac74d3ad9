//! Tells the service manager that started the capture, if one did, how it goes (sd_notify(3)).

use std::time::{Duration, Instant};

use sd_notify::{NotifyState, notify, watchdog_enabled};

/// The service manager.
#[derive(Debug, Default)]
pub struct Service {
    /// How often it wants to hear that the capture goes on, and when it hears that next.
    watchdog: Option<(Duration, Instant)>,
}

impl Service {
    /// Says that the capture runs. Without a service manager nothing is said, now and later.
    pub fn ready() -> Self {
        tell(&[NotifyState::Ready]);
        // It acts when it has heard nothing for this long; half of it is what sd_watchdog_enabled(3) recommends.
        let watchdog = watchdog_enabled().map(|limit| (limit / 2, Instant::now()));
        Self { watchdog }
    }

    /// When to call [`Service::goes_on`].
    pub fn due(&self) -> Option<Instant> {
        self.watchdog.map(|(_, next)| next)
    }

    /// Says that the capture goes on, if that is due.
    pub fn goes_on(&mut self, now: Instant) {
        if let Some((every, next)) = &mut self.watchdog
            && now >= *next
        {
            *next = now + *every;
            tell(&[NotifyState::Watchdog]);
        }
    }

    /// Says that the capture ends.
    pub fn stopping() {
        tell(&[NotifyState::Stopping]);
    }
}

/// A service manager that cannot be reached is no reason not to capture.
fn tell(states: &[NotifyState<'_>]) {
    let _ = notify(states);
}

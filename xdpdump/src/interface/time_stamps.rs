//! The clocks that stamp received frames: the host's, and that of the adapter.

use std::{ffi::OsString, io};

use super::Link;
use crate::sys::{
    ethtool::{Ethtool, TimeStamping},
    ptp::PtpClock,
};

/// Whose clock stamps received frames, in tcpdump's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStampType {
    /// The host's.
    #[default]
    Host,
    /// The adapter's, converted to the host's wall clock.
    Adapter,
    /// The adapter's, as it is.
    AdapterUnsynced,
}

impl TimeStampType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Host, Self::Adapter, Self::AdapterUnsynced];

    /// The name for `-j`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Adapter => "adapter",
            Self::AdapterUnsynced => "adapter_unsynced",
        }
    }

    /// What `-J` says about it.
    pub fn description(self) -> &'static str {
        match self {
            Self::Host => "Host",
            Self::Adapter => "Adapter",
            Self::AdapterUnsynced => "Adapter, not synced with system time",
        }
    }
}

impl Link {
    /// The time stamps that frames received by this interface can have.
    pub fn time_stamp_types(&self) -> Vec<TimeStampType> {
        let has_time = self.metadata().time;
        let has_clock = has_time && self.clock().is_ok();
        TimeStampType::ALL
            .into_iter()
            .filter(|kind| match kind {
                TimeStampType::Host => true,
                TimeStampType::Adapter => has_clock,
                TimeStampType::AdapterUnsynced => has_time,
            })
            .collect()
    }

    /// The clock of the adapter.
    ///
    /// # Errors
    /// `NotFound` if it has none, or why it cannot be read.
    pub fn clock(&self) -> io::Result<PtpClock> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "its driver names none");
        let number = Ethtool::open()?.clock(&self.name)?.ok_or_else(none)?;
        let clock = PtpClock::open(number)?;
        clock.compare()?;
        Ok(clock)
    }
}

/// Keeps an adapter stamping all frames that it receives. Dropping it leaves the adapter as it was; the end of the process
/// does not.
pub struct Stamping {
    ethtool: Ethtool,
    name: OsString,
    before: TimeStamping,
}

impl Stamping {
    /// Makes the adapter stamp all received frames; `None` if it does so already, or if it cannot be told to.
    ///
    /// # Errors
    /// When the adapter stamps no frames or only some, or without permission.
    pub fn begin(link: &Link) -> io::Result<Option<Self>> {
        let ethtool = Ethtool::open()?;
        let before = match ethtool.time_stamping(&link.name) {
            Ok(before) => before,
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => return Ok(None),
            Err(error) => return Err(error),
        };
        if before == before.of_all_received() {
            return Ok(None);
        }
        ethtool.set_time_stamping(&link.name, before.of_all_received())?;
        Ok(Some(Self { ethtool, name: link.name.clone(), before }))
    }
}

impl Drop for Stamping {
    fn drop(&mut self) {
        // The interface may be gone.
        let _ = self.ethtool.set_time_stamping(&self.name, self.before);
    }
}

//! The hardware behind an interface, as its driver describes it.

use std::{ffi::OsStr, fmt};

use super::message;
use crate::printable::printable;
use crate::sys::ethtool::Ethtool;

/// The driver of an interface as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Driver {
    /// Name, such as `virtio_net`.
    pub name: String,
    /// Version of the card's firmware.
    pub firmware: Option<String>,
    /// Location of the card, such as the PCI address `0000:00:03.0`.
    pub bus: Option<String>,
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "driver {}", self.name)?;
        if let Some(bus) = &self.bus {
            write!(f, ", bus {bus}")?;
        }
        if let Some(firmware) = &self.firmware {
            write!(f, ", firmware {firmware}")?;
        }
        Ok(())
    }
}

/// The driver of an interface; `None` if it does not describe itself, like that of `lo`.
pub(super) fn driver(ethtool: &Ethtool, name: &OsStr) -> Option<Driver> {
    let info = ethtool.driver(name).ok()?;
    let text =
        |bytes: &[u8]| Some(printable(message::text(bytes))).filter(|text| !text.is_empty() && text != "N/A");
    Some(Driver { name: text(&info.driver)?, firmware: text(&info.firmware), bus: text(&info.bus) })
}

/// Speed of the link in bits per second; `None` without a link or when the interface has no speed.
pub(super) fn speed(ethtool: &Ethtool, name: &OsStr) -> Option<u64> {
    let megabits = ethtool.speed(name).ok()??;
    Some(u64::from(megabits) * 1_000_000)
}

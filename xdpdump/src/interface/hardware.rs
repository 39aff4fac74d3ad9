//! The hardware behind an interface, asked of its driver, and the operating system.

use std::{
    ffi::{CStr, OsStr},
    fmt, io,
    mem::zeroed,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
};

use super::{message, printable};

/// `ETHTOOL_GDRVINFO` and `ETHTOOL_GLINKSETTINGS` (include/uapi/linux/ethtool.h).
const GET_DRIVER: u32 = 0x03;
const GET_LINK_SETTINGS: u32 = 0x4c;
/// `SPEED_UNKNOWN` as the unsigned number it is read as.
const SPEED_UNKNOWN: u32 = u32::MAX;

/// The driver of an interface as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Driver {
    /// Name, such as `virtio_net`.
    pub name: String,
    /// Version of the card's firmware.
    pub firmware: Option<String>,
    /// Where the card is, such as the PCI address `0000:00:03.0`.
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

/// `struct ethtool_drvinfo`.
#[repr(C)]
struct DriverInfo {
    command: u32,
    driver: [u8; 32],
    version: [u8; 32],
    firmware: [u8; 32],
    bus: [u8; 32],
    expansion_rom: [u8; 32],
    reserved: [u8; 12],
    counts: [u32; 5],
}

/// `struct ethtool_link_settings` with room for all the link mode masks its `nwords` can announce.
#[repr(C)]
struct LinkSettings {
    command: u32,
    /// Megabits per second.
    speed: u32,
    modes: [u8; 7],
    mask_words: i8,
    more_modes: [u8; 4],
    reserved: [u32; 7],
    masks: [[u32; 127]; 3],
}

/// The ethtool ioctl of the namespace it was opened in. `/sys` is not asked: it shows the namespace it was mounted
/// in, which need not be this one.
pub(super) struct Ethtool(OwnedFd);

impl Ethtool {
    pub(super) fn open() -> io::Result<Self> {
        // SAFETY: no pointers are passed.
        let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just returned this descriptor and nothing else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The driver of an interface; `None` where it does not tell, as `lo`.
    pub(super) fn driver(&self, name: &OsStr) -> Option<Driver> {
        // SAFETY: all fields are integers, for which zero is valid.
        let mut info: DriverInfo = unsafe { zeroed() };
        info.command = GET_DRIVER;
        // SAFETY: for this command the kernel reads and writes one `struct ethtool_drvinfo`.
        unsafe { self.ioctl(name, &mut info) }.ok()?;

        let text = |bytes: &[u8]| {
            Some(printable(&message::text(bytes))).filter(|text| !text.is_empty() && text != "N/A")
        };
        Some(Driver { name: text(&info.driver)?, firmware: text(&info.firmware), bus: text(&info.bus) })
    }

    /// Speed of the link in bits per second; `None` without a link or where there is no such thing.
    pub(super) fn speed(&self, name: &OsStr) -> Option<u64> {
        // SAFETY: all fields are integers, for which zero is valid.
        let mut settings: LinkSettings = unsafe { zeroed() };
        settings.command = GET_LINK_SETTINGS;
        // The kernel answers the wrong size of the masks with minus the right one, and nothing else.
        // SAFETY: for this command the kernel reads and writes one `struct ethtool_link_settings` and three masks of
        // `mask_words` words, for which there is room whatever the i8 says.
        unsafe { self.ioctl(name, &mut settings) }.ok()?;
        if settings.mask_words < 0 {
            settings.command = GET_LINK_SETTINGS;
            settings.mask_words = settings.mask_words.checked_neg()?;
            // SAFETY: as above.
            unsafe { self.ioctl(name, &mut settings) }.ok()?;
        }
        match settings.speed {
            0 | SPEED_UNKNOWN => None,
            megabits => Some(u64::from(megabits) * 1_000_000),
        }
    }

    /// # Safety
    /// `T` begins with an ethtool command number, and is as large as what the kernel reads and writes for it.
    unsafe fn ioctl<T>(&self, name: &OsStr, argument: &mut T) -> io::Result<()> {
        // SAFETY: ifreq is integers and a union of integers and pointers, for which zero is valid.
        let mut request: libc::ifreq = unsafe { zeroed() };
        if name.len() >= request.ifr_name.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for (to, from) in request.ifr_name.iter_mut().zip(name.as_bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        request.ifr_ifru.ifru_data = (&raw mut *argument).cast();
        // SAFETY: `request` is what SIOCETHTOOL takes, and the caller vouches for what its pointer leads to.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// Name and release of the running kernel, such as `Linux 6.18.2`.
pub fn operating_system() -> Option<String> {
    // SAFETY: utsname is arrays of characters, for which zero is valid.
    let mut name: libc::utsname = unsafe { zeroed() };
    // SAFETY: the kernel fills the structure the pointer leads to.
    if unsafe { libc::uname(&raw mut name) } < 0 {
        return None;
    }
    // SAFETY: uname terminates every field with NUL.
    let text =
        |field: &[libc::c_char]| unsafe { CStr::from_ptr(field.as_ptr()) }.to_string_lossy().into_owned();
    Some(format!("{} {}", text(&name.sysname), text(&name.release)))
}

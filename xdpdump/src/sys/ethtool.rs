//! The ethtool ioctl (`include/uapi/linux/ethtool.h`, v6.18).

use std::{
    ffi::OsStr,
    io,
    mem::zeroed,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// `ETHTOOL_GDRVINFO` and `ETHTOOL_GLINKSETTINGS`.
const GET_DRIVER: u32 = 0x03;
const GET_LINK_SETTINGS: u32 = 0x4c;
/// `SPEED_UNKNOWN` (-1) as an unsigned number.
const SPEED_UNKNOWN: u32 = u32::MAX;

/// `struct ethtool_drvinfo`: strings end with NUL unless they fill their field.
#[repr(C)]
pub struct DriverInfo {
    command: u32,
    /// Name of the driver.
    pub driver: [u8; 32],
    version: [u8; 32],
    /// Version of the card's firmware.
    pub firmware: [u8; 32],
    /// Location of the card, such as its PCI address.
    pub bus: [u8; 32],
    expansion_rom: [u8; 32],
    reserved: [u8; 12],
    counts: [u32; 5],
}

const _: () = assert!(size_of::<DriverInfo>() == 196);

/// `struct ethtool_link_settings` with room for the largest link mode masks that `mask_words` can announce.
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

const _: () = assert!(size_of::<LinkSettings>() == 48 + 3 * 127 * 4);

/// A socket for the ioctl, which refers to the network namespace in which it was opened. `/sys` is not used: it shows the
/// namespace in which it was mounted, which can be another one.
pub struct Ethtool(OwnedFd);

impl Ethtool {
    /// Opens the socket.
    ///
    /// # Errors
    /// The error of the system call.
    pub fn open() -> io::Result<Self> {
        Ok(Self(socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?))
    }

    /// Information about the driver of an interface.
    ///
    /// # Errors
    /// EOPNOTSUPP when the driver does not tell, like that of `lo`; ENODEV when there is no such interface.
    pub fn driver(&self, name: &OsStr) -> io::Result<DriverInfo> {
        // SAFETY: all fields are integers, for which zero is valid.
        let mut info: DriverInfo = unsafe { zeroed() };
        info.command = GET_DRIVER;
        // SAFETY: for this command the kernel reads and writes one `struct ethtool_drvinfo`.
        unsafe { self.ioctl(name, &mut info) }?;
        Ok(info)
    }

    /// Speed of the link in megabits per second; `None` without a link.
    ///
    /// # Errors
    /// EOPNOTSUPP when the interface has no speed; ENODEV when there is no such interface.
    pub fn speed(&self, name: &OsStr) -> io::Result<Option<u32>> {
        // SAFETY: all fields are integers, for which zero is valid.
        let mut settings: LinkSettings = unsafe { zeroed() };
        settings.command = GET_LINK_SETTINGS;
        // If the size of the masks is wrong, the kernel only answers with the negative of the right size. SAFETY: for this
        // command the kernel reads and writes one `struct ethtool_link_settings` and three masks of `mask_words` words;
        // there is room for the largest value of this i8.
        unsafe { self.ioctl(name, &mut settings) }?;
        if settings.mask_words < 0 {
            settings.command = GET_LINK_SETTINGS;
            // The negation fails for -128 only: masks of 128 words would not fit.
            settings.mask_words = settings.mask_words.checked_neg().ok_or(io::ErrorKind::InvalidData)?;
            // SAFETY: as above.
            unsafe { self.ioctl(name, &mut settings) }?;
        }
        Ok(Some(settings.speed).filter(|speed| !matches!(*speed, 0 | SPEED_UNKNOWN)))
    }

    /// # Safety
    /// `T` begins with an ethtool command number, and is as large as what the kernel reads and writes for it.
    unsafe fn ioctl<T>(&self, name: &OsStr, argument: &mut T) -> io::Result<()> {
        // SAFETY: ifreq consists of integers and a union of integers and pointers, for which zero is valid.
        let mut request: libc::ifreq = unsafe { zeroed() };
        if name.len() >= request.ifr_name.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for (to, from) in request.ifr_name.iter_mut().zip(name.as_bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        request.ifr_ifru.ifru_data = (&raw mut *argument).cast();
        // SAFETY: `request` is what SIOCETHTOOL expects, and the caller guarantees what its pointer refers to.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

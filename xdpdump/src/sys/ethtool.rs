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

/// `ETHTOOL_GDRVINFO`, `ETHTOOL_GLINKSETTINGS`, `ETHTOOL_GSTRINGS`, `ETHTOOL_GSSET_INFO`, `ETHTOOL_GFEATURES`,
/// `ETHTOOL_SFEATURES` and `ETHTOOL_GET_TS_INFO`.
const GET_DRIVER: u32 = 0x03;
const GET_LINK_SETTINGS: u32 = 0x4c;
const GET_STRINGS: u32 = 0x1b;
const GET_STRING_SET_INFO: u32 = 0x37;
const GET_FEATURES: u32 = 0x3a;
const SET_FEATURES: u32 = 0x3b;
const GET_TIME_STAMPING: u32 = 0x41;
/// Requests (include/uapi/linux/sockios.h).
const SIOCETHTOOL: libc::Ioctl = 0x8946;
const SIOCSHWTSTAMP: libc::Ioctl = 0x89b0;
const SIOCGHWTSTAMP: libc::Ioctl = 0x89b1;
/// `ETH_SS_FEATURES`: the set of strings with the names of features.
const FEATURE_NAMES: u32 = 4;
/// Room for features: Linux 6.18 has fewer than 64.
const MOST_FEATURES: usize = 128;
/// `ETH_GSTRING_LEN`.
const STRING: usize = 32;
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

/// `struct ethtool_gfeatures` with room for [`MOST_FEATURES`].
#[repr(C)]
struct GetFeatures {
    command: u32,
    /// Number of blocks that there is room for; afterwards, the number that the kernel has.
    size: u32,
    blocks: [FeatureBlock; MOST_FEATURES / 32],
}

/// `struct ethtool_get_features_block`.
#[repr(C)]
struct FeatureBlock {
    available: u32,
    requested: u32,
    active: u32,
    never_changed: u32,
}

/// `struct ethtool_sfeatures` with room for [`MOST_FEATURES`]: for each 32 features, those to change and their new values.
#[repr(C)]
struct SetFeatures {
    command: u32,
    size: u32,
    blocks: [[u32; 2]; MOST_FEATURES / 32],
}

/// `struct ethtool_sset_info` for one set of strings.
#[repr(C)]
struct StringSetInfo {
    command: u32,
    reserved: u32,
    mask: u64,
    count: u32,
}

/// `struct ethtool_gstrings` with room for [`MOST_FEATURES`].
#[repr(C)]
struct Strings {
    command: u32,
    set: u32,
    count: u32,
    text: [[u8; STRING]; MOST_FEATURES],
}

/// `struct ethtool_ts_info`.
#[repr(C)]
struct TimeStampingInfo {
    command: u32,
    kinds: u32,
    /// The number of the NIC's clock, or -1.
    clock: i32,
    of_sent: [u32; 4],
    of_received: [u32; 4],
}

/// `struct hwtstamp_config` (include/uapi/linux/net_tstamp.h): which packets the NIC stamps.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeStamping {
    flags: i32,
    of_sent: i32,
    /// `HWTSTAMP_FILTER_*`.
    of_received: i32,
}

impl TimeStamping {
    /// The same for sent packets, and all that are received.
    #[must_use]
    pub fn of_all_received(self) -> Self {
        const ALL: i32 = 1;
        Self { of_received: ALL, ..self }
    }
}

const _: () = assert!(size_of::<TimeStampingInfo>() == 44);
const _: () = assert!(size_of::<TimeStamping>() == 12);
const _: () = assert!(size_of::<GetFeatures>() == 8 + 16 * 4);
const _: () = assert!(size_of::<SetFeatures>() == 8 + 8 * 4);
const _: () = assert!(size_of::<Strings>() == 12 + STRING * MOST_FEATURES);

/// Offloads and other features of an interface, one bit each, whose number is the position of its name in
/// [`Ethtool::feature_names`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Those that are on.
    pub active: u128,
    /// Those that somebody wants on, and that can be switched.
    pub wanted: u128,
    /// Those that can be switched.
    pub changeable: u128,
    /// How many words of 32 bits the kernel has for them.
    words: u32,
}

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

    /// The features of an interface.
    ///
    /// # Errors
    /// ENODEV when there is no such interface.
    pub fn features(&self, name: &OsStr) -> io::Result<Features> {
        // SAFETY: all fields are integers, for which zero is valid.
        let mut answer: GetFeatures = unsafe { zeroed() };
        answer.command = GET_FEATURES;
        answer.size = answer.blocks.len() as u32;
        // SAFETY: for this command the kernel reads and writes one `struct ethtool_gfeatures` with at most `size` blocks.
        unsafe { self.ioctl(name, &mut answer) }?;
        let mut features = Features { words: answer.size, ..Features::default() };
        for block in answer.blocks.iter().rev() {
            features.active = features.active << 32 | u128::from(block.active);
            features.wanted = features.wanted << 32 | u128::from(block.requested);
            features.changeable =
                features.changeable << 32 | u128::from(block.available & !block.never_changed);
        }
        Ok(features)
    }

    /// The names of all features that the kernel knows, by their number.
    ///
    /// # Errors
    /// ENODEV when there is no such interface; `InvalidData` when the kernel has more features than there is room for.
    pub fn feature_names(&self, name: &OsStr) -> io::Result<Vec<[u8; STRING]>> {
        let mut info =
            StringSetInfo { command: GET_STRING_SET_INFO, reserved: 0, mask: 1 << FEATURE_NAMES, count: 0 };
        // SAFETY: for this command the kernel reads and writes one `struct ethtool_sset_info`, with one number for each bit of
        // the mask.
        unsafe { self.ioctl(name, &mut info) }?;
        let count = info.count as usize;
        if count > MOST_FEATURES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        // SAFETY: all fields are integers, for which zero is valid.
        let mut strings: Strings = unsafe { zeroed() };
        (strings.command, strings.set, strings.count) = (GET_STRINGS, FEATURE_NAMES, info.count);
        // SAFETY: for this command the kernel writes one `struct ethtool_gstrings` with all strings of the set. Their number is
        // a constant of the kernel, and there is room for as many as it said.
        unsafe { self.ioctl(name, &mut strings) }?;
        Ok(strings.text.into_iter().take(count).collect())
    }

    /// Asks for features to be on, of which the driver may refuse some.
    ///
    /// # Errors
    /// EPERM without `CAP_NET_ADMIN`; ENODEV when there is no such interface.
    pub fn want_features(&self, name: &OsStr, wanted: u128) -> io::Result<()> {
        // SAFETY: all fields are integers, for which zero is valid.
        let mut request: SetFeatures = unsafe { zeroed() };
        request.command = SET_FEATURES;
        request.size = self.features(name)?.words.min(request.blocks.len() as u32);
        for (number, block) in request.blocks.iter_mut().enumerate() {
            let word = (wanted >> (32 * number)) as u32;
            *block = [word, word];
        }
        // SAFETY: for this command the kernel reads one `struct ethtool_sfeatures` with `size` blocks, for which there is room.
        unsafe { self.ioctl(name, &mut request) }
    }

    /// The number of the clock by which the NIC stamps packets; `None` if it has none.
    ///
    /// # Errors
    /// EOPNOTSUPP when the driver does not tell; ENODEV when there is no such interface.
    pub fn clock(&self, name: &OsStr) -> io::Result<Option<u32>> {
        // SAFETY: all fields are integers, for which zero is valid.
        let mut info: TimeStampingInfo = unsafe { zeroed() };
        info.command = GET_TIME_STAMPING;
        // SAFETY: for this command the kernel reads and writes one `struct ethtool_ts_info`.
        unsafe { self.ioctl(name, &mut info) }?;
        Ok(u32::try_from(info.clock).ok())
    }

    /// Which packets the NIC stamps.
    ///
    /// # Errors
    /// EOPNOTSUPP when that cannot be chosen; ENODEV when there is no such interface.
    pub fn time_stamping(&self, name: &OsStr) -> io::Result<TimeStamping> {
        let mut config = TimeStamping::default();
        // SAFETY: for this request the kernel writes one `struct hwtstamp_config`.
        unsafe { self.request(SIOCGHWTSTAMP, name, &mut config) }?;
        Ok(config)
    }

    /// Chooses which packets the NIC stamps. A driver may stamp more than it is asked to.
    ///
    /// # Errors
    /// ERANGE when the NIC cannot stamp these; EPERM without `CAP_NET_ADMIN`; and those of [`Ethtool::time_stamping`].
    pub fn set_time_stamping(&self, name: &OsStr, mut config: TimeStamping) -> io::Result<()> {
        // SAFETY: for this request the kernel reads and writes one `struct hwtstamp_config`.
        unsafe { self.request(SIOCSHWTSTAMP, name, &mut config) }
    }

    /// # Safety
    /// `T` begins with an ethtool command number, and is as large as what the kernel reads and writes for it.
    unsafe fn ioctl<T>(&self, name: &OsStr, argument: &mut T) -> io::Result<()> {
        // SAFETY: guaranteed by the caller.
        unsafe { self.request(SIOCETHTOOL, name, argument) }
    }

    /// # Safety
    /// `T` is what the kernel reads and writes for this request.
    unsafe fn request<T>(&self, code: libc::Ioctl, name: &OsStr, argument: &mut T) -> io::Result<()> {
        // SAFETY: ifreq consists of integers and a union of integers and pointers, for which zero is valid.
        let mut request: libc::ifreq = unsafe { zeroed() };
        if name.len() >= request.ifr_name.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for (to, from) in request.ifr_name.iter_mut().zip(name.as_bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        request.ifr_ifru.ifru_data = (&raw mut *argument).cast();
        // SAFETY: `request` is what these requests expect, and the caller guarantees what its pointer refers to.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), code, &raw mut request) };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

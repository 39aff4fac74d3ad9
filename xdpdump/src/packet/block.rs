//! Blocks of pcapng files as they were read, and the fields in them.
//!
//! A copy keeps blocks, and options of blocks, for which nothing in this program has a field.

use xdpdump_ebpf::pcapng::{
    END_OF_OPTIONS,
    block::{ENHANCED_PACKET, HEADER_LEN, PACKET, SECTION_HEADER, SIMPLE_PACKET, TRAILER_LEN},
};

/// The byte order of a pcap file or of a pcapng section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// The first byte counts most.
    Big,
    /// The last byte counts most.
    Little,
}

impl ByteOrder {
    /// That of this machine.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    /// That of a pcap file with this header.
    pub fn of_pcap(header: &[u8; 24]) -> Option<Self> {
        let magic = *header.first_chunk()?;
        let is_magic = |order: &Self| matches!(order.u32(magic), PCAP_MICRO | PCAP_NANO);
        [Self::Little, Self::Big].into_iter().find(is_magic)
    }

    /// The number in two bytes.
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Big => u16::from_be_bytes(bytes),
            Self::Little => u16::from_le_bytes(bytes),
        }
    }

    /// The number in four bytes.
    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Big => u32::from_be_bytes(bytes),
            Self::Little => u32::from_le_bytes(bytes),
        }
    }

    /// The number in eight bytes.
    pub fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Big => u64::from_be_bytes(bytes),
            Self::Little => u64::from_le_bytes(bytes),
        }
    }

    /// The number of two bytes, as it lies in memory in this order.
    #[inline]
    pub fn of_u16(self, number: u16) -> [u8; 2] {
        self.u16(number.to_ne_bytes()).to_ne_bytes()
    }

    /// The number of four bytes, as it lies in memory in this order.
    #[inline]
    pub fn of_u32(self, number: u32) -> [u8; 4] {
        self.u32(number.to_ne_bytes()).to_ne_bytes()
    }

    /// The number of eight bytes, as it lies in memory in this order.
    #[inline]
    pub fn of_u64(self, number: u64) -> [u8; 8] {
        self.u64(number.to_ne_bytes()).to_ne_bytes()
    }
}

/// The magic number of a pcap file with microseconds.
pub const PCAP_MICRO: u32 = 0xa1b2_c3d4;
/// The magic number of a pcap file with nanoseconds.
pub const PCAP_NANO: u32 = 0xa1b2_3c4d;

/// A whole block of a pcapng file, from its type to the second copy of its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The order of the bytes of numbers in it.
    pub order: ByteOrder,
}

/// What a packet was read from, as far as a copy needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Record<'a> {
    /// Nothing that the packet itself does not have.
    #[default]
    None,
    /// A record of a pcap file whose fraction of a second is a second or more.
    Pcap {
        /// The seconds.
        seconds: u32,
        /// The fraction.
        fraction: u32,
        /// Whether that is in microseconds, and not in nanoseconds.
        is_micro: bool,
    },
    /// The block of a pcapng file.
    Pcapng(Block<'a>),
}

impl<'a> Record<'a> {
    /// The block, if it is one.
    pub fn block(self) -> Option<Block<'a>> {
        match self {
            Self::Pcapng(block) => Some(block),
            Self::None | Self::Pcap { .. } => None,
        }
    }
}

/// A [`Block`] that does not go away with the next one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnedBlock {
    bytes: Box<[u8]>,
    order: ByteOrder,
}

impl OwnedBlock {
    /// The block.
    pub fn borrow(&self) -> Block<'_> {
        Block { bytes: &self.bytes, order: self.order }
    }
}

/// Types of blocks (draft-ietf-opsawg-pcapng-03, section 4) that nothing in the kernel program needs.
pub mod kind {
    /// Name Resolution Block (4.5).
    pub const NAME_RESOLUTION: u32 = 4;
    /// Decryption Secrets Block (4.8).
    pub const DECRYPTION_SECRETS: u32 = 10;
    /// Custom Block (4.9).
    pub const CUSTOM: u32 = 0x0bad;
    /// Custom Block (4.9) that does not belong into a file in which something was changed.
    pub const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
}

/// Options of a Section Header Block (4.1).
pub mod section {
    /// `shb_hardware`, UTF-8.
    pub const HARDWARE: u16 = 2;
    /// `shb_os`, UTF-8.
    pub const OS: u16 = 3;
    /// `shb_userappl`, UTF-8: the program that wrote the section.
    pub const USER_APPLICATION: u16 = 4;
}

/// More options of an Interface Description Block (4.2).
pub mod interface {
    /// `if_fcslen`, 1 byte: length of the frame check sequence in bytes.
    pub const FCS_LEN: u16 = 13;
    /// `if_txspeed`, 8 bytes: bits per second.
    pub const SEND_SPEED: u16 = 16;
    /// `if_rxspeed`, 8 bytes: bits per second.
    pub const RECEIVE_SPEED: u16 = 17;
}

/// Options of any block (3.5.1) of which only the number is known that the rest belongs to: its first 4 bytes.
pub const CUSTOM_OPTIONS: [u16; 4] = [2988, 2989, 19372, 19373];

/// Bytes of a Section Header Block's body before its options.
pub const SECTION_OPTIONS: usize = 16;
/// Bytes of an Interface Description Block's body before its options.
pub const INTERFACE_OPTIONS: usize = 8;
/// Bytes of an Enhanced Packet Block's body, or a Packet Block's, before the frame.
pub const PACKET_FRAME: usize = 20;

impl<'a> Block<'a> {
    /// Its type.
    pub fn kind(self) -> u32 {
        self.word(0).unwrap_or(0)
    }

    /// Whether it begins a section.
    pub fn is_section(self) -> bool {
        self.kind() == SECTION_HEADER
    }

    /// What is between the block type and length in front and the length at the end.
    pub fn body(self) -> &'a [u8] {
        self.bytes.get(HEADER_LEN..self.bytes.len().saturating_sub(TRAILER_LEN)).unwrap_or_default()
    }

    /// Where the frame begins, if it is a packet.
    pub fn frame_offset(self) -> Option<usize> {
        match self.kind() {
            ENHANCED_PACKET | PACKET => Some(HEADER_LEN + PACKET_FRAME),
            SIMPLE_PACKET => Some(HEADER_LEN + 4),
            _ => None,
        }
    }

    /// Units of the interface's time, if it is a packet with a time.
    pub fn units(self) -> Option<u64> {
        match self.kind() {
            ENHANCED_PACKET | PACKET => {
                Some(u64::from(self.word(HEADER_LEN + 4)?) << 32 | u64::from(self.word(HEADER_LEN + 8)?))
            }
            _ => None,
        }
    }

    /// The number of captured bytes that a packet block says it has; a Simple Packet Block does not say it.
    pub fn captured(self) -> Option<u32> {
        match self.kind() {
            ENHANCED_PACKET | PACKET => self.word(HEADER_LEN + 12),
            _ => None,
        }
    }

    /// What follows so many bytes of the body: options, with the mark of their end if there is one.
    pub fn options_at(self, offset: usize) -> Fields<'a> {
        Fields::new(self.body().get(offset..).unwrap_or_default(), self.order)
    }

    /// The options of a packet.
    pub fn packet_options(self) -> Fields<'a> {
        match self.captured() {
            Some(captured) => {
                self.options_at(PACKET_FRAME.saturating_add((captured as usize).next_multiple_of(4)))
            }
            None => Fields::new(&[], self.order),
        }
    }

    /// Bytes of memory that a copy takes.
    pub fn cost(self) -> usize {
        // The allocator's share is about as large.
        self.bytes.len() + 2 * size_of::<OwnedBlock>()
    }

    /// A copy that stays.
    pub fn owned(self) -> OwnedBlock {
        OwnedBlock { bytes: self.bytes.into(), order: self.order }
    }

    fn word(self, at: usize) -> Option<u32> {
        self.bytes.get(at..)?.first_chunk().map(|word| self.order.u32(*word))
    }
}

/// Code and value of each option (section 3.5), up to the end-of-options mark or to the first option that does not fit into the
/// block.
pub fn options(mut fields: Fields<'_>) -> impl Iterator<Item = (u16, Fields<'_>)> {
    std::iter::from_fn(move || {
        let code = fields.u16().filter(|&code| code != END_OF_OPTIONS)?;
        let length = fields.u16()?;
        Some((code, Fields::new(fields.padded(length.into())?, fields.order)))
    })
}

/// The value of an option as UTF-8, with invalid bytes replaced, and without the NUL bytes that some writers append.
pub fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

/// Takes values from the front of a slice; each is `None` once the slice is too short.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// What was not taken yet.
    pub rest: &'a [u8],
    /// The order of the bytes of numbers.
    pub order: ByteOrder,
}

impl<'a> Fields<'a> {
    /// At the beginning of `bytes`.
    pub fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { rest: bytes, order }
    }

    /// Takes a number of two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(|bytes| self.order.u16(bytes))
    }

    /// Takes a number of four bytes.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(|bytes| self.order.u32(bytes))
    }

    /// Takes a number of eight bytes.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(|bytes| self.order.u64(bytes))
    }

    /// Takes a pcapng time stamp: the upper 32 bits of a 64-bit count, then the lower 32.
    pub fn time(&mut self) -> Option<u64> {
        let upper = self.u32()?;
        Some(u64::from(upper) << 32 | u64::from(self.u32()?))
    }

    /// Takes the next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Takes the next `length` bytes and skips the padding to a multiple of four. The padding may be missing at the end of
    /// a block.
    pub fn padded(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes(length)?;
        let padding = length.next_multiple_of(4) - length;
        self.rest = self.rest.get(padding..).unwrap_or_default();
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (&taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(taken)
    }
}

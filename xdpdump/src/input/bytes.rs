//! Reads numbers in the byte order of a file.

/// The byte order of a pcap file or of a pcapng section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Big,
    Little,
}

impl ByteOrder {
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Big => u16::from_be_bytes(bytes),
            Self::Little => u16::from_le_bytes(bytes),
        }
    }

    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Big => u32::from_be_bytes(bytes),
            Self::Little => u32::from_le_bytes(bytes),
        }
    }

    pub fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Big => u64::from_be_bytes(bytes),
            Self::Little => u64::from_le_bytes(bytes),
        }
    }
}

/// Takes values from the front of a slice; each is `None` once the slice is too short.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub rest: &'a [u8],
    pub order: ByteOrder,
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { rest: bytes, order }
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(|bytes| self.order.u16(bytes))
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(|bytes| self.order.u32(bytes))
    }

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

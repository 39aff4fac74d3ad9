//! Writes numbers, and the blocks of pcapng files, in a byte order.

/// A byte order.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Whether the most significant byte comes first.
    pub big: bool,
}

/// Both byte orders.
pub const ORDERS: [Order; 2] = [Order { big: false }, Order { big: true }];

impl Order {
    fn bytes<const N: usize>(self, mut little_endian: [u8; N]) -> Vec<u8> {
        if self.big {
            little_endian.reverse();
        }
        little_endian.to_vec()
    }

    /// A number of two bytes.
    pub fn u16(self, value: u16) -> Vec<u8> {
        self.bytes(value.to_le_bytes())
    }

    /// A number of four bytes.
    pub fn u32(self, value: u32) -> Vec<u8> {
        self.bytes(value.to_le_bytes())
    }

    /// A number of eight bytes.
    pub fn u64(self, value: u64) -> Vec<u8> {
        self.bytes(value.to_le_bytes())
    }

    /// Numbers of four bytes.
    pub fn words(self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|&word| self.u32(word)).collect()
    }

    /// An option (draft-ietf-opsawg-pcapng, section 3.5), padded.
    pub fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        [self.u16(code), self.u16(value.len() as u16), padded(value)].concat()
    }

    /// A block (section 3.1), padded.
    pub fn block(self, kind: u32, body: &[Vec<u8>]) -> Vec<u8> {
        let body = padded(&body.concat());
        let length = self.u32(body.len() as u32 + 12);
        [self.u32(kind), length.clone(), body, length].concat()
    }
}

/// Bytes, and as many zeros that their number is a multiple of four.
pub fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

//! Reads big-endian fields from bytes that may end anywhere.

/// The captured bytes ended before the end of the field. Contains the short name of the protocol: the line ends with `
/// [|name]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode) struct Truncated(pub(in crate::decode) &'static str);

/// The result of a protocol's printer: whether it could print everything.
pub(in crate::decode) type Printed = Result<(), Truncated>;

/// One protocol layer of a frame: a header and everything after it.
#[derive(Clone, Copy, Debug)]
pub(in crate::decode) struct Layer<'a> {
    /// The captured bytes. Fewer than `len` where the frame was cut, more where a length field is wrong or padding follows.
    pub(in crate::decode) bytes: &'a [u8],
    /// Length on the wire in bytes, according to the outer headers.
    pub(in crate::decode) len: usize,
}

impl<'a> Layer<'a> {
    /// The layer without its first `n` bytes.
    pub(in crate::decode) fn skip(self, n: usize) -> Self {
        Self { bytes: self.bytes.get(n..).unwrap_or_default(), len: self.len.saturating_sub(n) }
    }

    /// Ends the layer after `len` bytes: what follows is padding or belongs to an outer layer.
    pub(in crate::decode) fn cut(self, len: usize) -> Self {
        Self { bytes: self.bytes.get(..len).unwrap_or(self.bytes), len }
    }

    /// Limits the layer to `len` bytes if it is longer.
    pub(in crate::decode) fn cut_to(self, len: usize) -> Self {
        if len < self.len { self.cut(len) } else { self }
    }

    /// A cursor at the start of the layer; reads past the end report the protocol `name`.
    pub(in crate::decode) fn cursor(self, name: &'static str) -> Cursor<'a> {
        Cursor { name, bytes: self.bytes, at: 0 }
    }
}

/// How a protocol writes its type-length-value elements.
#[derive(Clone, Copy)]
pub(in crate::decode) struct Element {
    /// The width of type and length.
    pub(in crate::decode) field: Field,
    /// Whether the length includes type and length.
    pub(in crate::decode) counts_header: bool,
}

/// The width of a field.
#[derive(Clone, Copy)]
pub(in crate::decode) enum Field {
    /// One byte.
    Byte,
    /// Two bytes in network byte order.
    Word,
}

/// A position in captured bytes. Every read either succeeds completely or returns [`Truncated`].
#[derive(Clone, Copy, Debug)]
pub(in crate::decode) struct Cursor<'a> {
    name: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`; reads past the end report the protocol `name`.
    pub(in crate::decode) fn new(name: &'static str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(in crate::decode) fn at(&self) -> usize {
        self.at
    }

    /// The captured bytes not read yet.
    pub(in crate::decode) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The error of a read past the end.
    pub(in crate::decode) fn truncated(&self) -> Truncated {
        Truncated(self.name)
    }

    /// The next `n` bytes.
    pub(in crate::decode) fn take(&mut self, n: usize) -> Result<&'a [u8], Truncated> {
        let taken = self.rest().get(..n).ok_or(Truncated(self.name))?;
        self.at += n;
        Ok(taken)
    }

    /// Fails unless `n` more bytes were captured.
    pub(in crate::decode) fn need(&self, n: usize) -> Printed {
        if self.rest().len() < n { Err(self.truncated()) } else { Ok(()) }
    }

    /// Skips `n` bytes.
    pub(in crate::decode) fn skip(&mut self, n: usize) -> Printed {
        self.take(n).map(|_| ())
    }

    /// Skips `n` bytes, or all that are left if there are fewer.
    pub(in crate::decode) fn skip_to_end(&mut self, n: usize) -> Printed {
        self.skip(n.min(self.rest().len()))
    }

    /// The next `N` bytes as an array.
    pub(in crate::decode) fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The next type-length-value element: its type, and a cursor over its value. Fails where the length is shorter than
    /// the header that it includes.
    pub(in crate::decode) fn element(&mut self, shape: Element) -> Result<(u16, Cursor<'a>), Truncated> {
        let (kind, len) = match shape.field {
            Field::Byte => (u16::from(self.u8()?), usize::from(self.u8()?)),
            Field::Word => (self.u16()?, usize::from(self.u16()?)),
        };
        let header = match (shape.counts_header, shape.field) {
            (false, _) => 0,
            (true, Field::Byte) => 2,
            (true, Field::Word) => 4,
        };
        let len = len.checked_sub(header).ok_or(self.truncated())?;
        let value = Cursor { name: self.name, bytes: self.take(len)?, at: 0 };
        Ok((kind, value))
    }

    /// The next byte.
    pub(in crate::decode) fn u8(&mut self) -> Result<u8, Truncated> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    /// The next two bytes in network byte order.
    pub(in crate::decode) fn u16(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next three bytes in network byte order.
    pub(in crate::decode) fn u24(&mut self) -> Result<u32, Truncated> {
        self.array().map(|[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]))
    }

    /// The next four bytes in network byte order.
    pub(in crate::decode) fn u32(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes in network byte order.
    pub(in crate::decode) fn u64(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_be_bytes)
    }
}

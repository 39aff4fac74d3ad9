//! Reads big-endian fields from bytes that may end anywhere.

/// The captured bytes ended before the end of the field. Contains the short name of the protocol: the line ends with `
/// [|name]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Truncated(pub(super) &'static str);

/// The result of a protocol's printer: whether it could print everything.
pub(super) type Printed = Result<(), Truncated>;

/// One protocol layer of a frame: a header and everything after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer<'a> {
    /// The captured bytes. Fewer than `len` where the frame was cut, more where a length field is wrong or padding follows.
    pub(super) bytes: &'a [u8],
    /// Length on the wire in bytes, according to the outer headers.
    pub(super) len: usize,
}

impl<'a> Layer<'a> {
    /// The layer without its first `n` bytes.
    pub(super) fn skip(self, n: usize) -> Self {
        Self { bytes: self.bytes.get(n..).unwrap_or_default(), len: self.len.saturating_sub(n) }
    }

    /// Ends the layer after `len` bytes: what follows is padding or belongs to an outer layer.
    pub(super) fn cut(self, len: usize) -> Self {
        Self { bytes: self.bytes.get(..len).unwrap_or(self.bytes), len }
    }

    /// Limits the layer to `len` bytes if it is longer.
    pub(super) fn cut_to(self, len: usize) -> Self {
        if len < self.len { self.cut(len) } else { self }
    }

    /// A cursor at the start of the layer; reads past the end report the protocol `name`.
    pub(super) fn cursor(self, name: &'static str) -> Cursor<'a> {
        Cursor { name, bytes: self.bytes, at: 0 }
    }
}

/// A position in captured bytes. Every read either succeeds completely or returns [`Truncated`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    name: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`; reads past the end report the protocol `name`.
    pub(super) fn new(name: &'static str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The captured bytes not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The error of a read past the end.
    pub(super) fn truncated(&self) -> Truncated {
        Truncated(self.name)
    }

    /// The next `n` bytes.
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], Truncated> {
        let taken = self.rest().get(..n).ok_or(Truncated(self.name))?;
        self.at += n;
        Ok(taken)
    }

    /// Fails unless `n` more bytes were captured.
    pub(super) fn need(&self, n: usize) -> Printed {
        if self.rest().len() < n { Err(self.truncated()) } else { Ok(()) }
    }

    /// Skips `n` bytes.
    pub(super) fn skip(&mut self, n: usize) -> Printed {
        self.take(n).map(|_| ())
    }

    /// Skips `n` bytes, or all that are left if there are fewer.
    pub(super) fn skip_to_end(&mut self, n: usize) -> Printed {
        self.skip(n.min(self.rest().len()))
    }

    /// The next `N` bytes as an array.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The next byte.
    pub(super) fn u8(&mut self) -> Result<u8, Truncated> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    /// The next two bytes in network byte order.
    pub(super) fn u16(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next three bytes in network byte order.
    pub(super) fn u24(&mut self) -> Result<u32, Truncated> {
        self.array().map(|[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]))
    }

    /// The next four bytes in network byte order.
    pub(super) fn u32(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next eight bytes in network byte order.
    pub(super) fn u64(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_be_bytes)
    }
}

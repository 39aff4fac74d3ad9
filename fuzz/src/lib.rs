//! What the targets share.

use std::cell::Cell;

/// Bytes that any input may be made into, and more for each of its bytes: what a hostile input costs is in proportion to it.
const PER_INPUT: u64 = 64 << 10;
const PER_BYTE: u64 = 1 << 10;

/// A bound on what is made of an input: text, packets, instructions.
#[derive(Debug)]
pub struct Output {
    bound: u64,
    bytes: Cell<u64>,
}

impl Output {
    /// The bound for an input of this many bytes.
    pub fn of(input: usize) -> Self {
        Self::at_most(PER_INPUT + PER_BYTE * input as u64)
    }

    /// Another bound, in bytes.
    pub fn at_most(bound: u64) -> Self {
        Self { bound, bytes: Cell::new(0) }
    }

    /// Takes note of `bytes` that were made.
    ///
    /// # Panics
    /// When there are too many: libFuzzer keeps the input.
    pub fn made(&self, bytes: usize) {
        self.bytes.set(self.bytes.get() + bytes as u64);
        assert!(
            self.bytes.get() <= self.bound,
            "{} bytes, at most {} expected",
            self.bytes.get(),
            self.bound
        );
    }
}

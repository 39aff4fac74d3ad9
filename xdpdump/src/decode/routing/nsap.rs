//! OSI network addresses (ISO 8348).

use std::fmt;

/// Longest address.
const MAX: usize = 20;

/// A network address or a part of one: the first byte, then groups of two bytes.
#[derive(Clone, Copy)]
pub(super) struct Nsap<'a>(pub(super) &'a [u8]);

impl fmt::Display for Nsap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() || self.0.len() > MAX {
            return f.write_str("isonsap_string: illegal length");
        }
        for (i, byte) in self.0.iter().enumerate() {
            if i % 2 == 1 {
                f.write_str(".")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

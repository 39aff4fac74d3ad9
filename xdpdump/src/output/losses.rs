//! What a file cannot hold of what was read, counted for a sentence at the end.

use std::{collections::BTreeMap, fmt, mem};

use super::pcapng;

/// What is missing from a copy.
#[derive(Debug, Default)]
pub struct Losses(BTreeMap<&'static str, u64>);

impl Losses {
    /// Counts a block of this type.
    pub fn block(&mut self, kind: u32) {
        self.count(pcapng::name_of_block(kind));
    }

    /// Counts something with this name.
    pub fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// What was counted, if there is something; counting begins anew.
    pub fn take(&mut self) -> Option<Self> {
        Some(mem::take(self)).filter(|losses| !losses.0.is_empty())
    }
}

/// `comments (1), decryption secrets (2)`.
impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for (what, count) in &self.0 {
            write!(f, "{before}{what} ({count})")?;
            before = ", ";
        }
        Ok(())
    }
}

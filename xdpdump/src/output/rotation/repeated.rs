//! What each of several files has of the file that is copied into them.

use crate::packet::{
    Block, OwnedBlock,
    block::kind::{DECRYPTION_SECRETS, NAME_RESOLUTION},
};

/// Most bytes that names and secrets which are repeated in every file may take.
pub const MAX_REPEATED: usize = 16 << 20;

/// Blocks of a section that is copied, without which a file would not be complete in itself.
#[derive(Default)]
pub struct Repeated {
    /// The header of the section.
    pub section: Option<OwnedBlock>,
    /// Names and secrets.
    pub blocks: Vec<OwnedBlock>,
    /// The memory that they take, in bytes.
    bytes: usize,
}

impl Repeated {
    /// Those of a section that begins with this header.
    pub fn of_section(header: &Block<'_>) -> Self {
        Self { section: Some(header.owned()), ..Self::default() }
    }

    /// Whether such a block is one of them.
    pub fn includes(block: &Block<'_>) -> bool {
        matches!(block.kind(), NAME_RESOLUTION | DECRYPTION_SECRETS)
    }

    /// Adds one; false the first time that there are too many.
    pub fn add(&mut self, block: &Block<'_>) -> bool {
        let was_full = self.bytes > MAX_REPEATED;
        self.bytes = self.bytes.saturating_add(block.cost());
        if self.bytes <= MAX_REPEATED {
            self.blocks.push(block.owned());
        }
        was_full || self.bytes <= MAX_REPEATED
    }
}

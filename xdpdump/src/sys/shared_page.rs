//! A page of numbers that two processes share.

use std::{fs::File, io, sync::atomic::AtomicU64};

use rustix::fs::MemfdFlags;

use super::mapping::Mapping;

/// How many numbers the page holds.
pub const SLOTS: usize = 512;
/// Bytes of the page; a kernel with larger pages rounds up.
const LEN: usize = SLOTS * size_of::<u64>();

/// Numbers in memory that is also a file: any process with a descriptor of the file can read the number last stored in a
/// slot at offset `8 * slot`.
#[derive(Debug)]
pub struct SharedPage {
    file: File,
    mapping: Mapping,
}

impl SharedPage {
    /// A page in which every number is 0, without a name in the file system.
    ///
    /// # Errors
    /// When the kernel has no memory or no descriptor left.
    pub fn new() -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create("xdpdump", MemfdFlags::CLOEXEC)?);
        file.set_len(LEN as u64)?;
        let mapping = Mapping::new(&file, LEN, 0)?;
        Ok(Self { file, mapping })
    }

    /// The number at `slot`; `None` from [`SLOTS`] on.
    pub fn slot(&self, slot: usize) -> Option<&AtomicU64> {
        (slot < SLOTS).then(|| self.mapping.word(slot * size_of::<u64>()))
    }

    /// The file that is this memory.
    pub fn file(&self) -> &File {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::FileExt as _, sync::atomic::Ordering};

    use super::*;

    #[test]
    fn the_file_holds_what_was_stored() {
        let page = SharedPage::new().unwrap();
        assert!(page.slot(SLOTS).is_none());
        page.slot(SLOTS - 1).unwrap().store(0x1234_5678_9abc, Ordering::Release);
        let mut number = [0; 8];
        page.file().read_exact_at(&mut number, 8 * (SLOTS as u64 - 1)).unwrap();
        assert_eq!(u64::from_ne_bytes(number), 0x1234_5678_9abc);
    }
}

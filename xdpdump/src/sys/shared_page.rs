//! A page of numbers that two processes share.

use std::{
    fs::File,
    io,
    ptr::{self, NonNull},
    sync::atomic::AtomicU64,
};

use rustix::{
    fs::MemfdFlags,
    mm::{MapFlags, ProtFlags},
};

/// Numbers in a page.
pub const SLOTS: usize = 512;
/// Bytes of the page; the kernel rounds up where its pages are larger.
const LEN: usize = SLOTS * size_of::<u64>();

/// Numbers in memory that is a file as well: whoever has the file reads at offset `8 * slot` what was stored last.
#[derive(Debug)]
pub struct SharedPage {
    file: File,
    slots: NonNull<AtomicU64>,
}

impl SharedPage {
    /// A page in which every number is 0, without a name in the file system.
    ///
    /// # Errors
    /// When the kernel has no memory or descriptor for it.
    pub fn new() -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create("xdpdump", MemfdFlags::CLOEXEC)?);
        file.set_len(LEN as u64)?;
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing of this process.
        let page = unsafe {
            rustix::mm::mmap(
                ptr::null_mut(),
                LEN,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &file,
                0,
            )?
        };
        match NonNull::new(page.cast()) {
            Some(slots) => Ok(Self { file, slots }),
            None => Err(io::ErrorKind::OutOfMemory.into()),
        }
    }

    /// The number at `slot`, of [`SLOTS`].
    pub fn slot(&self, slot: usize) -> Option<&AtomicU64> {
        if slot >= SLOTS {
            return None;
        }
        // SAFETY: the slot is inside the mapping, which lives as long as `self`, and aligned, as the page is. Whoever shares
        // the memory can only change numbers, for which atomics are made: nobody is given the file for writing, and its length
        // stays.
        Some(unsafe { self.slots.add(slot).as_ref() })
    }

    /// The memory as a file.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for SharedPage {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and what `slot` gave borrows the value. A failure leaves it mapped.
        let _ = unsafe { rustix::mm::munmap(self.slots.as_ptr().cast(), LEN) };
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

//! Memory mapped from a file descriptor.

use std::{io, os::fd::AsFd, ptr::NonNull, sync::atomic::AtomicU64};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Shared, writable memory behind a file descriptor, unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    len: usize,
    /// What it is in tests: of the heap.
    #[cfg(test)]
    layout: Option<std::alloc::Layout>,
}

// SAFETY: the mapping belongs to this value alone, and moves with it.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `len` bytes of `fd`, a multiple of the page size, from `offset` on.
    ///
    /// # Errors
    /// What the kernel says: `EPERM` or `ENOMEM` when it is more than it may or can be.
    pub fn new(fd: impl AsFd, len: usize, offset: u64) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice touches no memory of ours.
        let base = unsafe {
            mmap(std::ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, fd, offset)
        }?;
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mmap gave a null pointer"))?;
        Ok(Self {
            base,
            len,
            #[cfg(test)]
            layout: None,
        })
    }

    /// Memory of the heap, all zero, that begins with a page: for tests without a kernel.
    #[cfg(test)]
    pub fn of_heap(len: usize) -> Self {
        let layout = std::alloc::Layout::from_size_align(len, 4096).unwrap();
        // SAFETY: the layout is not of size 0.
        let base = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }).unwrap();
        Self { base, len, layout: Some(layout) }
    }

    /// Its first byte: whatever is done with it, others may write to the memory at any time.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The word of eight bytes at `offset`, which both sides access in one piece.
    ///
    /// # Panics
    /// When it is not aligned or not inside: offsets are constants of a layout.
    pub fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(
            offset.is_multiple_of(8) && offset + 8 <= self.len,
            "no word of {} bytes at {offset}",
            self.len
        );
        // SAFETY: aligned, since mappings begin with a page; inside, so mapped for as long as `self` lives; and whoever else
        // writes there does so atomically.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(offset).cast()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        #[cfg(test)]
        if let Some(layout) = self.layout {
            // SAFETY: it was allocated with this layout, and no borrow of it outlives `self`.
            return unsafe { std::alloc::dealloc(self.base.as_ptr(), layout) };
        }
        // SAFETY: the same address and length that were mapped; no borrow of the memory outlives `self`.
        let unmapped = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

//! Memory mapped from a file descriptor.

use std::{io, ops::Deref, os::fd::AsFd, ptr::NonNull, slice, sync::atomic::AtomicU64};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Memory behind a file descriptor, shared and writable unless it is that of [`ConstantBytes`]; unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    len: usize,
    /// In tests: the layout of heap memory that is used instead of a mapping.
    #[cfg(test)]
    layout: Option<std::alloc::Layout>,
}

// SAFETY: this value alone owns the mapping, which is not tied to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `len` bytes of `fd`, a multiple of the page size, from `offset` on.
    ///
    /// # Errors
    /// The error of the system call: `EPERM` or `ENOMEM` when it exceeds the limit of locked memory or the free memory.
    pub fn new(fd: impl AsFd, len: usize, offset: u64) -> io::Result<Self> {
        Self::map(fd, len, offset, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED)
    }

    fn map(fd: impl AsFd, len: usize, offset: u64, access: ProtFlags, kind: MapFlags) -> io::Result<Self> {
        // SAFETY: a new mapping at an address that the kernel chooses overlaps no other memory.
        let base = unsafe { mmap(std::ptr::null_mut(), len, access, kind, fd, offset) }?;
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mmap gave a null pointer"))?;
        Ok(Self {
            base,
            len,
            #[cfg(test)]
            layout: None,
        })
    }

    /// Heap memory, filled with zeros and aligned to a page: for tests that run without a kernel.
    #[cfg(test)]
    pub fn of_heap(len: usize) -> Self {
        let layout = std::alloc::Layout::from_size_align(len, 4096).unwrap();
        // SAFETY: the layout is not of size 0.
        let base = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }).unwrap();
        Self { base, len, layout: Some(layout) }
    }

    /// Pointer to its first byte. Other writers may change the memory at any time.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The word of eight bytes at `offset`, which both sides access atomically.
    ///
    /// # Panics
    /// When `offset` is not aligned or not inside the mapping: offsets are constants of a layout.
    pub fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(
            offset.is_multiple_of(8) && offset + 8 <= self.len,
            "no word of {} bytes at {offset}",
            self.len
        );
        // SAFETY: the word is aligned, since mappings begin on a page boundary; it is inside the mapping, so it is valid as
        // long as `self` lives; and all other writers access it atomically.
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

/// Bytes that nobody changes, read in place.
#[derive(Debug)]
pub struct ConstantBytes(Mapping);

impl ConstantBytes {
    /// Maps the first `len` bytes of `fd`.
    ///
    /// # Errors
    /// The error of the system call: such as `ENODEV`, `EIO` or `EINVAL` when it cannot be mapped.
    ///
    /// # Safety
    /// There are so many bytes, and neither their number nor their values change while this exists.
    pub unsafe fn of(fd: impl AsFd, len: usize) -> io::Result<Self> {
        Mapping::map(fd, len, 0, ProtFlags::READ, MapFlags::PRIVATE).map(Self)
    }
}

impl Deref for ConstantBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let Self(mapping) = self;
        // SAFETY: the mapping is of this length and readable as long as `self` lives, and by the contract of `of` nobody writes to it.
        unsafe { slice::from_raw_parts(mapping.base.as_ptr(), mapping.len) }
    }
}

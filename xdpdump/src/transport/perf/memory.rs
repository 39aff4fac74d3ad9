//! The shared memory of a perf event.

use std::{io, os::fd::OwnedFd, sync::atomic::Ordering};

use rustix::param::page_size;

use crate::sys::mapping::Mapping;

/// Offsets in `struct perf_event_mmap_page` (include/uapi/linux/perf_event.h).
const DATA_HEAD: usize = 1024;
const DATA_TAIL: usize = 1032;

/// The mapped ring: one page of control, then data pages, a power of two in number.
pub struct RingMemory {
    mapping: Mapping,
    data_len: usize,
}

impl RingMemory {
    /// Maps the ring of `event` with `data_len` bytes, a power of two of at least a page.
    ///
    /// # Errors
    /// The error of the system call: `EPERM` or `ENOMEM` when the ring exceeds the limit of locked memory or the free
    /// memory.
    pub fn new(event: &OwnedFd, data_len: usize) -> io::Result<Self> {
        Ok(Self { mapping: Mapping::new(event, page_size() + data_len, 0)?, data_len })
    }

    /// Bytes of data pages, a power of two.
    pub fn data_len(&self) -> usize {
        self.data_len
    }

    /// Where the kernel writes next; everything before it is complete.
    ///
    /// The acquire pairs with the kernel's barrier in `perf_output_put_handle`
    /// (kernel/events/ring_buffer.c, v6.18).
    pub fn head(&self) -> u64 {
        self.mapping.word(DATA_HEAD).load(Ordering::Acquire)
    }

    /// Gives everything before `tail` back to the kernel.
    pub fn set_tail(&self, tail: u64) {
        self.mapping.word(DATA_TAIL).store(tail, Ordering::Release);
    }

    /// The bytes from position `tail` to position `head`, in two pieces when the ring ends between them. If the head is
    /// more than a ring's length away, both are empty.
    ///
    /// # Safety
    /// The kernel must not write between the two: `head` was read from [`RingMemory::head`], and no tail beyond `tail`
    /// is set while the slices live.
    pub unsafe fn bytes(&self, tail: u64, head: u64) -> (&[u8], &[u8]) {
        let len = usize::try_from(head.wrapping_sub(tail)).unwrap_or(usize::MAX);
        if len > self.data_len {
            return (&[], &[]);
        }
        let start = tail as usize & (self.data_len - 1);
        let first = len.min(self.data_len - start);
        // SAFETY: `start + first <= data_len` and `len - first <= start`, so both slices lie in the data pages, which
        // begin one page behind the base; the caller keeps the kernel from writing to them.
        unsafe {
            let data = self.mapping.base().as_ptr().add(page_size());
            (
                std::slice::from_raw_parts(data.add(start), first),
                std::slice::from_raw_parts(data, len - first),
            )
        }
    }
}

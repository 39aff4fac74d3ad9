//! One CPU's memory, shared with the kernel program.

use std::{
    io,
    mem::offset_of,
    os::fd::BorrowedFd,
    sync::atomic::{Ordering, fence},
};

use rustix::param::page_size;
use xdpdump_ebpf::ring::{Control, DATA, SLACK};

use crate::sys::mapping::Mapping;

/// The mapped value of one CPU: control page, ring, slack.
pub struct RingMemory {
    mapping: Mapping,
    /// Bytes of the ring alone, a power of two.
    ring_len: usize,
}

/// Bytes of a map value that holds a ring of `ring_len` bytes: whole pages, so that each CPU's begins with one.
pub fn value_len(ring_len: usize) -> usize {
    (DATA + ring_len + SLACK).next_multiple_of(page_size())
}

impl RingMemory {
    /// Maps the value of `cpu` in the array `map`, whose values are [`value_len`] long.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn map(map: BorrowedFd<'_>, cpu: u32, ring_len: usize) -> io::Result<Self> {
        let len = value_len(ring_len);
        let mapping = Mapping::new(map, len, len as u64 * u64::from(cpu))?;
        Ok(Self { mapping, ring_len })
    }

    /// Bytes of the ring, a power of two.
    pub fn ring_len(&self) -> usize {
        self.ring_len
    }

    /// Position behind the last complete record. The acquire pairs with the program's exchange.
    pub fn head(&self) -> u64 {
        self.mapping.word(offset_of!(Control, head)).load(Ordering::Acquire)
    }

    /// Gives everything before `tail` back to the program.
    pub fn set_tail(&self, tail: u64) {
        self.mapping.word(offset_of!(Control, tail)).store(tail, Ordering::Release);
    }

    /// Asks the program to ring the doorbell when its head gets to `position`; returns whether it is there already.
    pub fn wake_at(&self, position: u64) -> bool {
        self.mapping.word(offset_of!(Control, wake_at)).store(position, Ordering::Relaxed);
        // The program shows a record and then looks here; we write here and then look for a record. A full barrier on both
        // sides keeps each from missing the other.
        fence(Ordering::SeqCst);
        self.head() >= position
    }

    /// The memory of the records from position `tail` on: as far as `head`, or to the end of the slack behind the ring,
    /// whichever is nearer. The second value says how many of the bytes a record may begin in.
    ///
    /// # Safety
    /// `head` was read from [`RingMemory::head`], and no tail beyond `tail` is set while the slice lives.
    pub unsafe fn records(&mut self, tail: u64, head: u64) -> (&mut [u8], usize) {
        let offset = tail as usize & (self.ring_len - 1);
        let waiting = usize::try_from(head.wrapping_sub(tail)).unwrap_or(usize::MAX);
        // More cannot be waiting: the head makes no sense.
        let waiting = if waiting > self.ring_len { 0 } else { waiting };
        let lap = self.ring_len - offset;
        let len = waiting.min(lap + SLACK);
        // SAFETY: offset + len is at most ring_len + SLACK, which the value holds behind the control page. The program writes
        // from `head` on, and never further than a ring's length from `tail`, where its records end before this slice begins.
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(self.mapping.base().as_ptr().add(DATA + offset), len) };
        (bytes, lap.min(len))
    }
}

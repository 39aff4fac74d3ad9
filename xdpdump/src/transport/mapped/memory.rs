//! One CPU's memory, shared with the kernel program.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd},
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering, fence},
};

use xdpdump_ebpf::{
    Counters,
    ring::{Control, DATA, SLACK},
};

/// The mapped value of one CPU: control page, ring, slack.
pub struct Memory {
    base: NonNull<u8>,
    len: usize,
    /// Bytes of the ring alone, a power of two.
    ring_len: usize,
}

// SAFETY: the mapping belongs to this value alone, and moves with it.
unsafe impl Send for Memory {}

/// Bytes of a map value that holds a ring of `ring_len` bytes: whole pages, so that each CPU's begins with one.
pub fn value_len(ring_len: usize) -> usize {
    // SAFETY: sysconf has no preconditions.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    (DATA + ring_len + SLACK).next_multiple_of(page)
}

impl Memory {
    /// Maps the value of `cpu` in the array `map`, whose values are [`value_len`] long.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn map(map: BorrowedFd<'_>, cpu: u32, ring_len: usize) -> io::Result<Self> {
        let len = value_len(ring_len);
        let offset = libc::off_t::try_from(len * cpu as usize).map_err(io::Error::other)?;
        // SAFETY: a fresh shared mapping at an address of the kernel's choice touches no memory of ours.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                map.as_raw_fd(),
                offset,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("mmap gave a null pointer"))?;
        Ok(Self { base, len, ring_len })
    }

    /// Bytes of the ring, a power of two.
    pub fn ring_len(&self) -> usize {
        self.ring_len
    }

    /// Position behind the last complete record. The acquire pairs with the program's exchange.
    pub fn head(&self) -> u64 {
        self.field(|control| &raw mut control.head).load(Ordering::Acquire)
    }

    /// Gives everything before `tail` back to the program.
    pub fn set_tail(&self, tail: u64) {
        self.field(|control| &raw mut control.tail).store(tail, Ordering::Release);
    }

    /// Asks the program to ring the doorbell when its head gets to `position`; returns whether it is there already.
    pub fn wake_at(&self, position: u64) -> bool {
        self.field(|control| &raw mut control.wake_at).store(position, Ordering::Relaxed);
        // The program shows a record and then looks here; we write here and then look for a record. A full barrier on both
        // sides keeps each from missing the other.
        fence(Ordering::SeqCst);
        self.head() >= position
    }

    /// What the program counted.
    pub fn counters(&self) -> Counters {
        let load = |field: &AtomicU64| field.load(Ordering::Relaxed);
        let nested = load(self.field(|control| &raw mut control.nested));
        Counters {
            seen: load(self.field(|control| &raw mut control.seen)) + nested,
            emitted: load(self.field(|control| &raw mut control.emitted)),
            failed: load(self.field(|control| &raw mut control.failed)) + nested,
        }
    }

    fn field(&self, field: impl FnOnce(&mut Control) -> *mut u64) -> &AtomicU64 {
        // SAFETY: the control structure is at the beginning of the mapping, which lives as long as `self`, and every field of
        // it is an aligned u64. The reference to it only serves to compute the field's address.
        unsafe { AtomicU64::from_ptr(field(self.base.cast::<Control>().as_mut())) }
    }

    /// The memory of the records from position `tail` on: as far as `head`, or to the end of the slack behind the ring,
    /// whichever is nearer. The second value says how many of the bytes a record may begin in.
    ///
    /// # Safety
    /// `head` was read from [`Memory::head`], and no tail beyond `tail` is set while the slice lives.
    pub unsafe fn records(&mut self, tail: u64, head: u64) -> (&mut [u8], usize) {
        let offset = tail as usize & (self.ring_len - 1);
        let waiting = usize::try_from(head.wrapping_sub(tail)).unwrap_or(usize::MAX);
        // More cannot be waiting: the head makes no sense.
        let waiting = if waiting > self.ring_len { 0 } else { waiting };
        let lap = self.ring_len - offset;
        let len = waiting.min(lap + SLACK);
        // SAFETY: offset + len is at most ring_len + SLACK, which the value holds behind the control page. The program writes
        // from `head` on, and never further than a ring's length from `tail`, where its records end before this slice begins.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr().add(DATA + offset), len) };
        (bytes, lap.min(len))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the same address and length that were mapped; no borrow of the memory outlives `self`.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

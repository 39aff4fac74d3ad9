//! One CPU's memory, shared with the kernel program.

use std::{
    io,
    mem::offset_of,
    os::fd::BorrowedFd,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::param::page_size;
use xdpdump_ebpf::ring::{Control, DATA, MARKS_AT, Mark, SLACK, section_shift};

use super::protocol::ReaderSide;
use crate::sys::mapping::Mapping;

/// The mapped value of one CPU: control page, ring, slack.
pub struct RingMemory {
    mapping: Mapping,
    /// Bytes of the ring alone, a power of two.
    ring_len: usize,
}

/// Bytes of a map value that holds a ring of `ring_len` bytes: whole pages, so that the value of each CPU begins on a page
/// boundary.
pub fn value_len(ring_len: usize) -> usize {
    (DATA + ring_len + SLACK).next_multiple_of(page_size())
}

impl RingMemory {
    /// Maps the value of `cpu` in the array `map`, whose values are [`value_len`] long.
    ///
    /// # Errors
    /// The error of the system call.
    pub fn map(map: BorrowedFd<'_>, cpu: u32, ring_len: usize) -> io::Result<Self> {
        let len = value_len(ring_len);
        let mapping = Mapping::new(map, len, len as u64 * u64::from(cpu))?;
        Ok(Self { mapping, ring_len })
    }

    /// Bytes of the ring, a power of two.
    pub fn ring_len(&self) -> usize {
        self.ring_len
    }

    /// The control words through which reader and program communicate.
    pub fn control(&self) -> ReaderSide<'_, AtomicU64> {
        ReaderSide {
            head: self.mapping.word(offset_of!(Control, head)),
            busy: self.mapping.word(offset_of!(Control, busy)),
            tail: self.mapping.word(offset_of!(Control, tail)),
            wake_at: self.mapping.word(offset_of!(Control, wake_at)),
        }
    }

    /// Makes the programs add so many nanoseconds to `CLOCK_MONOTONIC` in the time stamps of records. A program that runs at the
    /// moment may not yet.
    pub fn set_offset(&self, nanoseconds: u64) {
        self.mapping.word(offset_of!(Control, offset)).store(nanoseconds, Ordering::Relaxed);
    }

    /// The position of the last record that a mark shows between the positions `tail` and `limit`, in the same lap as `tail` or at
    /// the beginning of the next, and the number of records before it. `None` if there is none within about `most` bytes.
    ///
    /// `limit` was read from [`ReaderSide::head`]. Marks were written before that head, and are not overwritten before a tail
    /// beyond them is set.
    pub fn last_mark(&self, tail: u64, limit: u64, most: usize) -> Option<Mark> {
        let shift = section_shift(self.ring_len);
        let (ring, sections) = (self.ring_len as u64, self.ring_len as u64 >> shift);
        let first = (tail >> shift) + 1;
        let lap = ((tail / ring) + 1) * sections;
        let last = (limit >> shift).min(lap).min(first.max(tail.saturating_add(most as u64) >> shift));
        (first..=last).rev().find_map(|section| {
            let at = MARKS_AT + (section % sections) as usize * size_of::<Mark>();
            let word = |field: usize| self.mapping.word(at + field).load(Ordering::Relaxed);
            let position = word(offset_of!(Mark, position));
            // Otherwise it is of an earlier lap, or damaged.
            let is_there = position >> shift == section && position <= limit && position > tail;
            is_there.then(|| Mark { position, emitted: word(offset_of!(Mark, emitted)) })
        })
    }

    /// The memory of the records from position `tail` up to `head`, or up to the end of the slack behind the ring if that
    /// comes first. The second value is the number of those bytes in which a record may begin (a record that begins in the
    /// ring may end in the slack).
    ///
    /// # Safety
    /// `head` was read from [`ReaderSide::head`], and no tail beyond `tail` is set while the slice lives.
    pub unsafe fn records(&mut self, tail: u64, head: u64) -> (&mut [u8], usize) {
        let offset = tail as usize & (self.ring_len - 1);
        let waiting = usize::try_from(head.wrapping_sub(tail)).unwrap_or(usize::MAX);
        // A ring cannot hold more than its length, so this head is damaged.
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

/// For tests: heap memory instead of memory shared with the kernel, so that Miri can check them (see CONTRIBUTING.md), and what the
/// kernel program writes to it.
#[cfg(test)]
impl RingMemory {
    pub fn of_heap(ring_len: usize) -> Self {
        Self { mapping: Mapping::of_heap(value_len(ring_len)), ring_len }
    }

    /// What the program is to add to the time.
    pub fn offset(&self) -> u64 {
        self.mapping.word(offset_of!(Control, offset)).load(Ordering::Relaxed)
    }

    /// Where the reader is.
    pub fn tail(&self) -> u64 {
        self.mapping.word(offset_of!(Control, tail)).load(Ordering::Relaxed)
    }

    pub fn set_busy(&self, busy: bool) {
        self.mapping.word(offset_of!(Control, busy)).store(busy.into(), Ordering::Relaxed);
    }

    /// Appends a record at `head`, as `record` in xdpdump-ebpf/src/ring.rs does; returns the new head.
    pub fn append(&self, head: u64, record: &[u8], emitted: u64) -> u64 {
        let offset = DATA + (head as usize & (self.ring_len - 1));
        assert!(record.len() <= SLACK, "a record is at most that long");
        // SAFETY: offset and length are inside the mapping, and the test is the only one who accesses it.
        unsafe {
            self.mapping.base().as_ptr().add(offset).copy_from_nonoverlapping(record.as_ptr(), record.len());
        }
        let (next, shift) = (head + record.len() as u64, section_shift(self.ring_len));
        if next >> shift != head >> shift {
            let index = (next >> shift) as usize & ((self.ring_len >> shift) - 1);
            for (field, value) in [(offset_of!(Mark, position), next), (offset_of!(Mark, emitted), emitted)] {
                let word = self.mapping.word(MARKS_AT + index * size_of::<Mark>() + field);
                word.store(value, Ordering::Relaxed);
            }
        }
        self.mapping.word(offset_of!(Control, head)).store(next, Ordering::Release);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: usize = 4096;

    fn memory() -> RingMemory {
        RingMemory::of_heap(RING)
    }

    #[test]
    fn records_are_where_their_positions_say() {
        let mut memory = memory();
        for (tail, head, len, begins) in [
            (0, 100, 100, 100),
            (10 * RING as u64 + 4, 10 * RING as u64 + 8, 4, 4),
            // At the end of the ring: the last record may reach into the slack, and the next one begins at the start of the
            // ring.
            (RING as u64 - 8, RING as u64 + 92, 100, 8),
        ] {
            // SAFETY: nothing else accesses the memory.
            let (bytes, lap) = unsafe { memory.records(tail, head) };
            assert_eq!((bytes.len(), lap), (len, begins), "{tail}..{head}");
            bytes.fill(0x5a);
        }
    }

    #[test]
    fn a_head_that_cannot_be_gives_nothing() {
        let mut memory = memory();
        for (tail, head) in [(0, RING as u64 + 1), (100, 99), (0, u64::MAX), (u64::MAX, 0)] {
            // SAFETY: nothing else accesses the memory.
            let (bytes, lap) = unsafe { memory.records(tail, head) };
            assert!(bytes.len() <= 1 && lap <= bytes.len(), "{tail}..{head}: {}", bytes.len());
        }
    }

    #[test]
    fn control_words_are_where_the_program_has_them() {
        let memory = memory();
        memory.mapping.word(offset_of!(Control, head)).store(7, Ordering::Relaxed);
        assert_eq!(memory.control().head(), 7);
        assert!(memory.control().wake_at(7) && !memory.control().wake_at(8));
        assert_eq!(memory.mapping.word(offset_of!(Control, wake_at)).load(Ordering::Relaxed), 8);
        memory.control().give_back(5);
        assert_eq!(memory.mapping.word(offset_of!(Control, tail)).load(Ordering::Relaxed), 5);
    }
}

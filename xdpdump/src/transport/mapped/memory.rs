//! One CPU's memory, shared with the kernel program.

use std::{
    io,
    mem::offset_of,
    os::fd::BorrowedFd,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::param::page_size;
use xdpdump_ebpf::ring::{Control, DATA, MARKS_AT, Mark, SLACK, SMALL_MARKS, section_shift};

use super::protocol::ReaderSide;
use crate::sys::mapping::Mapping;

/// Bytes of the rings of a CPU, powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// The small ring; 0 if there is only one.
    pub small: usize,
    /// The large ring, or the only one.
    pub large: usize,
}

impl Lengths {
    /// Bytes of a map value that holds the rings: whole pages, so that the value of each CPU begins on a page boundary.
    pub fn value_len(self) -> usize {
        let small = if self.small == 0 { 0 } else { self.small + SLACK };
        (DATA + small + self.large + SLACK).next_multiple_of(page_size())
    }
}

/// The mapped value of one CPU: control page, marks, rings, each with slack.
pub struct RingMemory {
    mapping: Mapping,
    rings: [Area; 2],
    /// Binary logarithm of the length of a section.
    shift: u32,
}

/// Where a ring is.
#[derive(Clone, Copy, Debug)]
struct Area {
    /// Offset of its first byte in the mapping.
    begin: usize,
    /// Its length in bytes, a power of two.
    len: usize,
    /// Index of its first mark.
    marks: usize,
}

impl Area {
    fn of(lengths: Lengths) -> [Self; 2] {
        let Lengths { small, large } = lengths;
        let only = Self { begin: DATA, len: large, marks: 0 };
        match small {
            0 => [only; 2],
            small => [
                Self { len: small, ..only },
                Self { begin: DATA + small + SLACK, len: large, marks: SMALL_MARKS },
            ],
        }
    }
}

/// A change from one ring to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Position of the first record in the other ring, counted in both rings together.
    pub position: u64,
    /// Number of records before that.
    pub emitted: u64,
}

impl RingMemory {
    /// Maps the value of `cpu` in the array `map`, whose values are [`Lengths::value_len`] long.
    ///
    /// # Errors
    /// The error of the system call.
    pub fn map(map: BorrowedFd<'_>, cpu: u32, lengths: Lengths) -> io::Result<Self> {
        let len = lengths.value_len();
        let mapping = Mapping::new(map, len, len as u64 * u64::from(cpu))?;
        Ok(Self::new(mapping, lengths))
    }

    fn new(mapping: Mapping, lengths: Lengths) -> Self {
        Self { mapping, rings: Area::of(lengths), shift: section_shift(lengths.large) }
    }

    /// Bytes of one of its rings, a power of two.
    pub fn ring_len(&self, ring: usize) -> usize {
        self.rings[ring].len
    }

    /// The control words through which reader and program communicate about one of the rings.
    pub fn control(&self, ring: usize) -> ReaderSide<'_, AtomicU64> {
        ReaderSide {
            head: self.mapping.word(offset_of!(Control, head)),
            busy: self.mapping.word(offset_of!(Control, busy)),
            tail: self.mapping.word(offset_of!(Control, tail) + 8 * ring),
            wake_at: self.mapping.word(offset_of!(Control, wake_at)),
        }
    }

    /// Makes the programs add so many nanoseconds to `CLOCK_MONOTONIC` in the time stamps of records. A program that runs at the
    /// moment may not yet.
    pub fn set_offset(&self, nanoseconds: u64) {
        self.mapping.word(offset_of!(Control, offset)).store(nanoseconds, Ordering::Relaxed);
    }

    /// The last change of the ring. It was written before any head beyond it; until that is followed, there is no other.
    pub fn change(&self) -> Change {
        let word = |field| self.mapping.word(field).load(Ordering::Relaxed);
        Change {
            position: word(offset_of!(Control, changed)),
            emitted: word(offset_of!(Control, changed_emitted)),
        }
    }

    /// Tells the program that everything before a change has been read.
    pub fn set_followed(&self, change: Change) {
        self.mapping.word(offset_of!(Control, followed)).store(change.position, Ordering::Release);
    }

    /// The last record that a mark shows in a ring, after the position `tail` in it, at or before the position `limit`, in the same
    /// lap as `tail` or as the first of the next. `None` if there is none within about `most` bytes.
    ///
    /// `limit` was read from [`ReaderSide::head`]. Marks were written before that head, and are not overwritten before a tail
    /// beyond them is set.
    pub fn last_mark(&self, ring: usize, tail: u64, limit: u64, most: usize) -> Option<Mark> {
        let Area { len, marks, .. } = self.rings[ring];
        let (shift, sections) = (self.shift, len as u64 >> self.shift);
        let first = (tail >> shift) + 1;
        let lap = ((tail / len as u64) + 1) * sections;
        let last = (limit >> shift).min(lap).min(first.max(tail.saturating_add(most as u64) >> shift));
        (first..=last).rev().find_map(|section| {
            let at = MARKS_AT + (marks + (section % sections) as usize) * size_of::<Mark>();
            let word = |field: usize| self.mapping.word(at + field).load(Ordering::Relaxed);
            let position = word(offset_of!(Mark, position));
            // Otherwise it is of an earlier lap, or damaged.
            let is_there = position >> shift == section && position <= limit && position > tail;
            is_there.then(|| Mark { position, emitted: word(offset_of!(Mark, emitted)) })
        })
    }

    /// Whether a ring's next lap begins within `len` bytes after the position `tail`.
    pub fn has_lap_within(&self, ring: usize, tail: u64, len: u64) -> bool {
        let ring_len = self.rings[ring].len as u64;
        (tail & (ring_len - 1)) + len > ring_len
    }

    /// The memory of `waiting` bytes of records from the position `tail` in a ring on, or up to the end of the slack behind the ring
    /// if that comes first. The second value is the number of those bytes in which a record may begin (a record that begins in
    /// the ring may end in the slack).
    ///
    /// # Safety
    /// The head, or the change of the ring, was read from the memory and shows so many bytes, and no tail beyond `tail` is set
    /// while the slice lives.
    pub unsafe fn records(&mut self, ring: usize, tail: u64, waiting: u64) -> (&mut [u8], usize) {
        let Area { begin, len: ring_len, .. } = self.rings[ring];
        let offset = tail as usize & (ring_len - 1);
        // A ring cannot hold more than its length, so this head is damaged.
        let waiting = usize::try_from(waiting).ok().filter(|waiting| *waiting <= ring_len).unwrap_or(0);
        let lap = ring_len - offset;
        let len = waiting.min(lap + SLACK);
        // SAFETY: offset + len is at most ring_len + SLACK, which the value holds from the beginning of the ring on. The program
        // writes from the head on, and never further than a ring's length from `tail`, where its records end before this slice
        // begins.
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(self.mapping.base().as_ptr().add(begin + offset), len) };
        (bytes, lap.min(len))
    }
}

/// For tests: heap memory instead of memory shared with the kernel, so that Miri can check them (see CONTRIBUTING.md), and what the
/// kernel program writes to it.
#[cfg(test)]
pub mod model {
    use super::*;

    impl RingMemory {
        pub fn of_heap(lengths: Lengths) -> Self {
            Self::new(Mapping::of_heap(lengths.value_len()), lengths)
        }

        fn word(&self, field: usize) -> &AtomicU64 {
            self.mapping.word(field)
        }

        /// What the program is to add to the time.
        pub fn offset(&self) -> u64 {
            self.word(offset_of!(Control, offset)).load(Ordering::Relaxed)
        }

        pub fn set_busy(&self, busy: bool) {
            self.word(offset_of!(Control, busy)).store(busy.into(), Ordering::Relaxed);
        }

        pub fn set_head(&self, head: u64) {
            self.word(offset_of!(Control, head)).store(head, Ordering::Release);
        }
    }

    /// The program of a CPU, as xdpdump-ebpf/src/ring.rs has it.
    #[derive(Debug, Default)]
    pub struct Program {
        head: u64,
        ring: usize,
        at: [u64; 2],
        changed: u64,
        /// Number of records that it has written.
        pub emitted: u64,
        /// Number of times that it went on in the other ring.
        pub changes: u64,
    }

    impl Program {
        /// Writes a record if there is room. A record that `fails` is not shown, after a place for it was found.
        pub fn write(&mut self, memory: &RingMemory, record: &[u8], fails: bool) {
            let tail =
                |ring: usize| memory.word(offset_of!(Control, tail) + 8 * ring).load(Ordering::Acquire);
            let (small, len) = (memory.rings[0].len as u64 - 1, record.len() as u64);
            let waiting = |at: [u64; 2], ring: usize| at[ring] - tail(ring);
            let here = waiting(self.at, self.ring);
            let is_time = if self.ring == 0 { here + SLACK as u64 > small } else { here <= small / 4 };
            let has_two = memory.rings[0].begin != memory.rings[1].begin;
            let is_followed =
                self.changed == memory.word(offset_of!(Control, followed)).load(Ordering::Acquire);
            if has_two && is_time && is_followed && waiting(self.at, self.ring ^ 1) == 0 {
                self.changed = self.head;
                self.changes += 1;
                self.ring ^= 1;
                memory.word(offset_of!(Control, changed)).store(self.head, Ordering::Relaxed);
                memory.word(offset_of!(Control, changed_emitted)).store(self.emitted, Ordering::Relaxed);
            }
            let Area { begin, len: ring_len, marks } = memory.rings[self.ring];
            let position = self.at[self.ring];
            if fails || position - tail(self.ring) + len > ring_len as u64 {
                return;
            }
            let offset = begin + (position as usize & (ring_len - 1));
            assert!(record.len() <= SLACK, "a record is at most that long");
            // SAFETY: offset and length are inside the mapping, and the test is the only one who accesses it.
            unsafe {
                let at = memory.mapping.base().as_ptr().add(offset);
                at.copy_from_nonoverlapping(record.as_ptr(), record.len());
            }
            self.emitted += 1;
            let (next, shift) = (position + len, memory.shift);
            if next >> shift != position >> shift {
                let index = marks + ((next >> shift) as usize & ((ring_len >> shift) - 1));
                for (field, value) in
                    [(offset_of!(Mark, position), next), (offset_of!(Mark, emitted), self.emitted)]
                {
                    let at = MARKS_AT + index * size_of::<Mark>() + field;
                    memory.word(at).store(value, Ordering::Relaxed);
                }
            }
            self.at[self.ring] = next;
            self.head += len;
            memory.set_head(self.head);
        }
    }
}

#[cfg(test)]
mod tests {
    use xdpdump_ebpf::ring::{LARGE, SMALL};

    use super::*;

    const RING: u64 = 4096;

    fn memory() -> RingMemory {
        RingMemory::of_heap(Lengths { small: 0, large: RING as usize })
    }

    #[test]
    fn records_are_where_their_positions_say() {
        let mut memory = memory();
        for (tail, waiting, len, begins) in [
            (0, 100, 100, 100),
            (10 * RING + 4, 4, 4, 4),
            // At the end of the ring: the last record may reach into the slack, and the next one begins at the start of the
            // ring.
            (RING - 8, 100, 100, 8),
        ] {
            // SAFETY: nothing else accesses the memory.
            let (bytes, lap) = unsafe { memory.records(0, tail, waiting) };
            assert_eq!((bytes.len(), lap), (len, begins), "{waiting} at {tail}");
            bytes.fill(0x5a);
        }
    }

    #[test]
    fn rings_of_one_cpu_do_not_overlap() {
        let mut memory = RingMemory::of_heap(Lengths { small: 4096, large: 8192 });
        for (ring, len) in [(SMALL, 4096), (LARGE, 8192)] {
            assert_eq!(memory.ring_len(ring), len);
            // SAFETY: nothing else accesses the memory.
            let (bytes, _) = unsafe { memory.records(ring, len as u64 - 4, len as u64) };
            let fill = 1 + ring as u8;
            bytes.fill(fill);
            // SAFETY: nothing else accesses the memory.
            let (bytes, _) = unsafe { memory.records(ring, 0, len as u64) };
            bytes.fill(fill);
        }
        // SAFETY: nothing else accesses the memory.
        let (bytes, _) = unsafe { memory.records(SMALL, 4092, 4096) };
        assert!(bytes.iter().all(|byte| *byte == 1));
    }

    #[test]
    fn a_head_that_cannot_be_gives_nothing() {
        let mut memory = memory();
        for (tail, waiting) in [(0, RING + 1), (0, u64::MAX), (u64::MAX, 1)] {
            // SAFETY: nothing else accesses the memory.
            let (bytes, lap) = unsafe { memory.records(0, tail, waiting) };
            assert!(bytes.len() <= 1 && lap <= bytes.len(), "{waiting} at {tail}: {}", bytes.len());
        }
    }

    #[test]
    fn control_words_are_where_the_program_has_them() {
        let memory = memory();
        memory.set_head(7);
        assert_eq!(memory.control(0).head(), 7);
        assert!(memory.control(0).wake_at(7) && !memory.control(0).wake_at(8));
        assert_eq!(memory.mapping.word(offset_of!(Control, wake_at)).load(Ordering::Relaxed), 8);
        for (ring, field) in [(SMALL, 0), (LARGE, 8)] {
            memory.control(ring).give_back(5);
            assert_eq!(memory.mapping.word(offset_of!(Control, tail) + field).load(Ordering::Relaxed), 5);
        }
    }
}

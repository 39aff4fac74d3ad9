//! The protocol between the reader of a ring and the kernel program that writes to it: four words of the control page, and
//! the memory order in which both sides access them.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A word that both sides access atomically: in memory shared with the kernel, or, in the tests, in loom's model of memory.
pub trait Word {
    /// Reads it.
    fn load(&self, order: Ordering) -> u64;
    /// Writes it.
    fn store(&self, value: u64, order: Ordering);
    /// A full memory barrier: every CPU sees the accesses before it as earlier than those after it.
    fn full_barrier();
}

impl Word for AtomicU64 {
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }

    fn store(&self, value: u64, order: Ordering) {
        self.store(value, order);
    }

    fn full_barrier() {
        fence(Ordering::SeqCst);
    }
}

/// The reader's side. Positions count bytes from the beginning of the capture.
pub struct ReaderSide<'a, W> {
    /// Position after the last complete record. Written by the program.
    pub head: &'a W,
    /// Not 0 while a program writes a record. Written by the program.
    pub busy: &'a W,
    /// Position of the oldest record that the reader still needs. Written by the reader.
    pub tail: &'a W,
    /// The program rings the doorbell when its head reaches this position. Written by the reader.
    pub wake_at: &'a W,
}

impl<W: Word> ReaderSide<'_, W> {
    /// Position after the last complete record. The acquire pairs with the program's store, which releases: a reader that sees
    /// the new head also sees the record.
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Whether the program has completed, and shown, every record that it had begun some microseconds before this call. A
    /// program that is interrupted within a record has not.
    pub fn has_shown_all(&self) -> bool {
        /// Longer than it takes to write a record without an interruption.
        const LOOKS: u32 = 200;
        let head = self.head();
        for _ in 0..LOOKS {
            // A new head shows the record that was being written when the old one was read.
            if self.busy.load(Ordering::Acquire) == 0 || self.head() != head {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }

    /// Gives everything before `tail` back to the program. The release orders all earlier reads of the records before this
    /// store.
    pub fn give_back(&self, tail: u64) {
        self.tail.store(tail, Ordering::Release);
    }

    /// Asks the program to ring the doorbell when its head reaches `position`; returns whether its head has done so already.
    ///
    /// The program stores its head and then loads this word; the reader stores this word and then loads the head. There is no
    /// full barrier between the program's two accesses, which would cost every frame tens of nanoseconds. So its store may
    /// still wait in its CPU when its load is done, and neither side sees the other's store. The reader therefore calls
    /// [`ReaderSide::head`] once more before it sleeps for long, after a time in which a store becomes visible: less than a
    /// microsecond, as nothing holds it back.
    pub fn wake_at(&self, position: u64) -> bool {
        self.wake_at.store(position, Ordering::Relaxed);
        W::full_barrier();
        self.head() >= position
    }
}

/// The reader's side is the code above. The program's side, xdpdump-ebpf/src/ring.rs, is modelled here. loom runs every
/// order in which the two can execute and see each other's stores.
#[cfg(test)]
mod tests {
    use loom::{
        cell::UnsafeCell,
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicU64, fence},
        },
        thread,
    };

    use super::*;

    impl Word for AtomicU64 {
        fn load(&self, order: Ordering) -> u64 {
            self.load(order)
        }

        fn store(&self, value: u64, order: Ordering) {
            self.store(value, order);
        }

        fn full_barrier() {
            fence(Ordering::SeqCst);
        }
    }

    /// Bytes of the ring; each record has one byte.
    const RING: u64 = 2;
    const RECORDS: u64 = 3;

    #[derive(Default)]
    struct Ring {
        head: AtomicU64,
        busy: AtomicU64,
        tail: AtomicU64,
        wake_at: AtomicU64,
        records: [UnsafeCell<u64>; RING as usize],
        doorbell: AtomicBool,
    }

    /// Whether the reader would have slept on a record in any order of execution, if it had not looked once more.
    static MISSED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

    impl Ring {
        fn reader(&self) -> ReaderSide<'_, AtomicU64> {
            ReaderSide { head: &self.head, busy: &self.busy, tail: &self.tail, wake_at: &self.wake_at }
        }

        /// Models `record` in xdpdump-ebpf/src/ring.rs; returns the number of records that found room.
        fn write_all(&self) -> u64 {
            let mut rung = 0;
            let mut head = 0;
            for number in 1..=RECORDS {
                if head + 1 - self.tail.load(Ordering::Acquire) > RING {
                    continue;
                }
                self.records[(head % RING) as usize].with_mut(|record| {
                    // SAFETY: loom fails the test if another thread accesses the cell at the same time.
                    unsafe { *record = number }
                });
                head += 1;
                // A plain store on x86, which does not come before earlier stores; elsewhere an exchange, which is stronger.
                self.head.store(head, Ordering::Release);
                let wake_at = self.wake_at.load(Ordering::Relaxed);
                if head >= wake_at && rung != wake_at {
                    rung = wake_at;
                    self.doorbell.store(true, Ordering::SeqCst);
                }
            }
            head
        }
    }

    #[test]
    fn no_record_is_read_before_it_is_written_and_nobody_sleeps_on_one() {
        loom::model(|| {
            let ring = Arc::new(Ring::default());
            let program = thread::spawn({
                let ring = Arc::clone(&ring);
                move || ring.write_all()
            });
            let reader = ring.reader();
            let mut tail = 0;
            let mut last = 0;
            let mut read = |tail: &mut u64| {
                let head = reader.head();
                assert!(head - *tail <= RING);
                for position in *tail..head {
                    // SAFETY: loom fails the test if another thread writes to the cell at the same time.
                    let number = ring.records[(position % RING) as usize].with(|record| unsafe { *record });
                    assert!(number > last, "{number} after {last}");
                    last = number;
                }
                *tail = head;
                reader.give_back(head);
            };
            read(&mut tail);
            let asleep = !reader.wake_at(tail + 1);
            // The second look comes after the stores have become visible.
            let written = program.join().unwrap();
            let woken = ring.doorbell.load(Ordering::SeqCst);
            let sees_it = reader.head() > tail;
            if asleep && written > tail {
                assert!(woken || sees_it, "{written} written, {tail} read, and nobody woke the reader");
                MISSED.fetch_or(!woken, Ordering::Relaxed);
            }
            read(&mut tail);
            assert_eq!(tail, written);
        });
        assert!(MISSED.load(Ordering::Relaxed), "the second look is needed");
    }
}

//! What the reader of a ring and the program that writes to it tell each other, and in which order: the three words of the
//! control page that both look at.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A word that both sides access in one piece. Memory shared with the kernel is one kind; a model of it, in the tests, another.
pub trait Word {
    /// Reads it.
    fn load(&self, order: Ordering) -> u64;
    /// Writes it.
    fn store(&self, value: u64, order: Ordering);
    /// Nothing before it is seen after anything behind it, on any CPU.
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

/// The reader's side. All positions count bytes from the beginning of the capture.
pub struct ReaderSide<'a, W> {
    /// Position behind the last complete record. Written by the program.
    pub head: &'a W,
    /// Position of the oldest record still wanted. Written by the reader.
    pub tail: &'a W,
    /// Position from which on the head makes the program ring the doorbell. Written by the reader.
    pub wake_at: &'a W,
}

impl<W: Word> ReaderSide<'_, W> {
    /// Position behind the last complete record. The acquire pairs with the program's exchange: whoever sees the head sees the
    /// record.
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Gives everything before `tail` back to the program. The release keeps what was read of it in front.
    pub fn give_back(&self, tail: u64) {
        self.tail.store(tail, Ordering::Release);
    }

    /// Asks the program to ring the doorbell when its head gets to `position`; returns whether it is there already.
    ///
    /// The program shows a record and then looks here; this writes and then looks for a record. With a full barrier between the
    /// two on both sides, at least one sees the other.
    pub fn wake_at(&self, position: u64) -> bool {
        self.wake_at.store(position, Ordering::Relaxed);
        W::full_barrier();
        self.head() >= position
    }
}

/// The program's side, in xdpdump-ebpf/src/ring.rs, is modelled here: the reader's is the code above. loom goes through every
/// order in which the two can run and see each other's stores.
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

    /// Records of one byte in a ring of so many.
    const RING: u64 = 2;
    const RECORDS: u64 = 3;

    #[derive(Default)]
    struct Ring {
        head: AtomicU64,
        tail: AtomicU64,
        wake_at: AtomicU64,
        records: [UnsafeCell<u64>; RING as usize],
        doorbell: AtomicBool,
    }

    impl Ring {
        fn reader(&self) -> ReaderSide<'_, AtomicU64> {
            ReaderSide { head: &self.head, tail: &self.tail, wake_at: &self.wake_at }
        }

        /// `record` in xdpdump-ebpf/src/ring.rs; returns how many records found room.
        fn write_all(&self) -> u64 {
            let mut rung = 0;
            let mut head = 0;
            for number in 1..=RECORDS {
                if head + 1 - self.tail.load(Ordering::Acquire) > RING {
                    continue;
                }
                self.records[(head % RING) as usize].with_mut(|record| {
                    // SAFETY: loom fails the test when somebody else has the cell.
                    unsafe { *record = number }
                });
                head += 1;
                // xchg_64 is a full barrier.
                self.head.swap(head, Ordering::SeqCst);
                fence(Ordering::SeqCst);
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
                    // SAFETY: loom fails the test when somebody writes to the cell.
                    let number = ring.records[(position % RING) as usize].with(|record| unsafe { *record });
                    assert!(number > last, "{number} after {last}");
                    last = number;
                }
                *tail = head;
                reader.give_back(head);
            };
            read(&mut tail);
            let asleep = !reader.wake_at(tail + 1);
            let written = program.join().unwrap();
            if asleep && written > tail {
                assert!(
                    ring.doorbell.load(Ordering::SeqCst),
                    "{written} written, {tail} read, and nobody woke the reader"
                );
            }
            read(&mut tail);
            assert_eq!(tail, written);
        });
    }
}

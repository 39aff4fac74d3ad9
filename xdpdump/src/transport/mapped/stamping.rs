//! Who gives records their wall-clock time: the programs, as long as the wall clock keeps its distance from `CLOCK_MONOTONIC`,
//! or else the reader.
//!
//! Time stamps of the programs tell by their size which of both they are. So the programs of all CPUs need not change over at the
//! same moment; there only must never be wall-clock times of two different offsets in the rings.

use xdpdump_ebpf::ring::WALL;

use super::ring::Ring;

/// How long a program may have taken to see a new offset, or to become visible as running: far more than a store takes, in
/// nanoseconds.
const SEEN_AFTER: u64 = 2_000_000;

/// What time stamps of records mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// Wall-clock time minus `CLOCK_MONOTONIC`, in nanoseconds, in the time stamps that are wall-clock time.
    pub offset: u64,
}

impl Stamps {
    /// The `CLOCK_MONOTONIC` time of a record with this time stamp.
    pub fn monotonic(self, stamp: u64) -> u64 {
        if stamp < WALL { stamp } else { stamp.saturating_sub(self.offset) }
    }
}

/// What the programs were told last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamping {
    /// To leave the time as it is. No wall-clock time is in the rings.
    #[default]
    ByReader,
    /// To add this offset. Times that are not wall-clock times may be in the rings from before.
    ByPrograms(u64),
    /// To leave the time as it is, since this time; some may not have seen that.
    Ending(u64),
    /// To leave the time as it is. Wall-clock times are in the rings as far as each ring has noted.
    Draining,
}

impl Stamping {
    /// Brings the programs closer to adding the offset that is `wanted`, if any is; `now` is `CLOCK_MONOTONIC`.
    pub fn follow(&mut self, wanted: Option<u64>, now: u64, rings: &mut [Ring]) {
        match *self {
            Self::ByReader => {
                if let Some(offset) = wanted {
                    for ring in rings {
                        ring.set_stamps(Stamps { offset });
                    }
                    *self = Self::ByPrograms(offset);
                }
            }
            Self::ByPrograms(offset) if wanted == Some(offset) => {}
            Self::ByPrograms(_) => {
                rings.iter().for_each(Ring::end_stamps);
                *self = Self::Ending(now);
            }
            Self::Ending(since) => {
                let is_seen = now.saturating_sub(since) > SEEN_AFTER;
                if is_seen && rings.iter().all(Ring::has_shown_all) {
                    rings.iter_mut().for_each(Ring::note_head);
                    *self = Self::Draining;
                }
            }
            Self::Draining => {
                if rings.iter().all(Ring::is_past_note) {
                    *self = Self::ByReader;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, ops::ControlFlow, ops::RangeInclusive};

    use proptest::prelude::*;

    use super::*;
    use crate::{
        output::pcapng::encode,
        packet::{Meta, Packet, Record, Timestamp},
        transport::{
            Receiver,
            event::Event,
            mapped::{
                Lengths, block,
                memory::{RingMemory, model},
            },
        },
    };

    const RINGS: [Lengths; 2] =
        [Lengths { small: 0, large: 512 << 10 }, Lengths { small: 256 << 10, large: 1 << 20 }];
    const YEAR: u64 = 31_557_600_000_000_000;

    /// A program on one CPU. It may have been interrupted after it had looked for the offset.
    #[derive(Default)]
    struct Program {
        program: model::Program,
        interrupted_at: Option<(u64, u64)>,
    }

    impl Program {
        fn begin(&mut self, ring: &Ring, now: u64) {
            if self.interrupted_at.is_none() {
                ring.memory().set_busy(true);
                self.interrupted_at = Some((now, ring.memory().offset()));
            }
        }

        /// Writes the record that it had begun, or else one of the time `now`, if there is room.
        fn end(&mut self, ring: &Ring, now: u64, len: usize, fails: bool) {
            self.begin(ring, now);
            let Some((time, offset)) = self.interrupted_at.take() else { return };
            let mut record = Vec::new();
            encode::enhanced_packet(
                &mut record,
                &Packet {
                    timestamp: Timestamp((time + offset).cast_signed()),
                    uptime: None,
                    record: Record::None,
                    interface: 0,
                    frame: &vec![0x5a; len],
                    frame_len: len as u32,
                    // How the receiver knows what the time was.
                    meta: Meta { packet_id: Some(time), ..Meta::default() },
                },
            );
            self.program.write(ring.memory(), &record, fails);
            ring.memory().set_busy(false);
        }
    }

    /// A clock whose offset changes by steps, and what was received.
    struct Clock {
        /// When each offset begins.
        offsets: Vec<(u64, u64)>,
        count: u64,
        unread: u64,
        last: u64,
    }

    impl Clock {
        fn offset_at(&self, time: u64) -> u64 {
            self.offsets.iter().rfind(|(begin, _)| *begin <= time).unwrap().1
        }

        fn check(&self, blocks: &[u8]) -> u64 {
            let (mut rest, mut count) = (blocks, 0);
            while let Some(next) = block::peek(rest) {
                let id = block::event(&rest[..next.len], 0).unwrap().sequence;
                assert_eq!(next.time, id + self.offset_at(id), "a record of {id}");
                count += 1;
                rest = &rest[next.len..];
            }
            assert!(rest.is_empty(), "{} bytes are no record", rest.len());
            count
        }
    }

    impl Receiver for Clock {
        type End = Infallible;

        fn sources(&self) -> u32 {
            1
        }

        fn event(&mut self, _: &Event<'_>) -> ControlFlow<Infallible> {
            unreachable!("it wants blocks")
        }

        fn wants_blocks(&self) -> bool {
            true
        }

        fn stamp(&mut self, _: u32, time: u64) -> Timestamp {
            assert!(time >= self.last, "{time} after {}", self.last);
            self.last = time;
            self.count += 1;
            Timestamp((time + self.offset_at(time)).cast_signed())
        }

        fn blocks(&mut self, blocks: &[u8]) -> ControlFlow<Infallible> {
            self.check(blocks);
            ControlFlow::Continue(())
        }

        fn unread(
            &mut self,
            blocks: &[u8],
            count: u64,
            times: RangeInclusive<u64>,
        ) -> ControlFlow<Infallible> {
            assert_eq!(self.check(blocks), count);
            assert!(
                *times.start() >= self.last && times.end() >= times.start(),
                "{times:?} after {}",
                self.last
            );
            self.last = *times.end();
            self.unread += 1;
            self.count += count;
            ControlFlow::Continue(())
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// The program is interrupted within a record.
        Interrupt,
        /// It writes records.
        Write(u16, u16),
        /// It finds a place for a record, and fails to write it.
        Fail(u16),
        /// The reader takes what there is, looking at it.
        Read,
        /// It takes what was there when it last looked at the head, without.
        ReadUnread,
        /// The clock is set, which the reader notices at once, and reads.
        SetClock(u8),
        /// Some time passes.
        Wait,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            1 => Just(Step::Interrupt),
            1 => (60..u16::MAX).prop_map(Step::Fail),
            8 => (1..60u16, prop_oneof![60..100u16, 60..u16::MAX]).prop_map(|(count, len)| Step::Write(count, len)),
            2 => Just(Step::Read),
            6 => Just(Step::ReadUnread),
            1 => any::<u8>().prop_map(Step::SetClock),
            3 => Just(Step::Wait),
        ]
    }

    proptest! {
        /// Whatever the clock does and whenever the program is interrupted, each record gets the time that the clock had, once, in
        /// order, and is counted.
        #[test]
        fn each_record_gets_the_time_of_the_clock(
            steps in proptest::collection::vec(step(), 1..120),
            lengths in proptest::sample::select(&RINGS[..]),
        ) {
            let mut rings = [Ring::new(0, RingMemory::of_heap(lengths))];
            let mut program = Program::default();
            let mut clock = Clock { offsets: vec![(0, 50 * YEAR)], count: 0, unread: 0, last: 0 };
            let mut stamping = Stamping::default();
            let mut now = 1000;
            for step in steps {
                now += 10;
                match step {
                    Step::Interrupt => program.begin(&rings[0], now),
                    Step::Write(count, len) => {
                        for _ in 0..count {
                            now += 1;
                            program.end(&rings[0], now, len.into(), false);
                        }
                    }
                    Step::Fail(len) => program.end(&rings[0], now, len.into(), true),
                    Step::Wait => now += SEEN_AFTER,
                    Step::Read | Step::ReadUnread | Step::SetClock(_) => {
                        if let Step::SetClock(years) = step {
                            clock.offsets.push((now, (40 + u64::from(years % 20)) * YEAR));
                        }
                        let offset = clock.offsets.last().map(|(_, offset)| *offset);
                        stamping.follow(offset, now, &mut rings);
                        let ring = &mut rings[0];
                        let head = ring.head_of_age(5, now);
                        let unread = matches!(stamping, Stamping::ByPrograms(_)) && !matches!(step, Step::Read);
                        let _ = unread && ring.batch().drain_unread(head, &mut clock).is_break();
                        if !unread {
                            let _ = ring.batch().drain_until(u64::MAX, &mut clock);
                        }
                    }
                }
            }
            program.end(&rings[0], now + 1, 60, false);
            let _ = rings[0].batch().drain_until(u64::MAX, &mut clock);
            prop_assert_eq!((clock.count, rings[0].counts().damaged), (program.program.emitted, 0));
        }
    }

    #[test]
    fn busy_rings_are_handed_on_unread() {
        for lengths in RINGS {
            let mut rings = [Ring::new(0, RingMemory::of_heap(lengths))];
            let mut program = Program::default();
            let mut clock = Clock { offsets: vec![(0, 50 * YEAR)], count: 0, unread: 0, last: 0 };
            let mut stamping = Stamping::default();
            for now in 1..40_000 {
                program.end(&rings[0], now, 1500, false);
                // Now and then the reader is away for longer, so that the small ring is full.
                let period = if now / 5000 % 2 == 0 { 40 } else { 150 };
                if now % period == 0 {
                    stamping.follow(Some(50 * YEAR), now, &mut rings);
                    let head = rings[0].head_of_age(20, now);
                    let _ = rings[0].batch().drain_unread(head, &mut clock);
                    if now == period {
                        // The first records have no wall-clock time.
                        assert_eq!(clock.unread, 0);
                        let _ = rings[0].batch().drain_until(u64::MAX, &mut clock);
                    }
                }
            }
            assert!(clock.unread > 40, "{}", clock.unread);
            let _ = rings[0].batch().drain_until(u64::MAX, &mut clock);
            assert_eq!(clock.count, program.program.emitted, "{lengths:?}");
            assert!(lengths.small == 0 || program.program.changes > 4, "{}", program.program.changes);
            assert!(lengths.small == 0 || program.program.emitted == 39_999, "{}", program.program.emitted);
        }
    }
}

//! What a busy CPU writes is handed on without being looked at. It is whole, counted and in order all the same. Needs root.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    convert::Infallible,
    ops::{ControlFlow, RangeInclusive},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use xdpdump::{
    clock::{Clock, Sample, monotonic},
    interface::Link,
    packet::Timestamp,
    probe::{Probe, Task},
    selection::Selection,
    transport::{Receiver, Rings, event::Event, mapped::block},
};
use xdpdump_testing::{
    cpu,
    generator::{Generator, number},
    kernel,
    netns::NetNs,
    rings, skip, wait, wire,
};

/// Reads every block that it is given, however that was handed on.
struct Reader {
    clock: Clock,
    /// The number of the next frame of each sender.
    next: [u64; 2],
    /// The latest wall-clock time.
    last: u64,
    count: u64,
    unread: u64,
    /// Records with a time before that of the record before them.
    late: u64,
}

impl Reader {
    fn new() -> Self {
        let clock = Clock::new(Sample::take());
        Self { clock, next: [0; 2], last: 0, count: 0, unread: 0, late: 0 }
    }

    /// Checks that the blocks are whole and of numbers that follow each other; returns how many there are.
    fn check(&mut self, blocks: &[u8]) -> u64 {
        let (mut rest, mut count) = (blocks, 0);
        while let Some(next) = block::peek(rest) {
            let event = block::event(&rest[..next.len], 0).expect("a whole record");
            let sender = usize::from(event.frame[0] == 0xee);
            // A frame that found no room leaves a gap, which the counters say.
            assert!(number(event.frame) >= self.next[sender], "a frame came twice or too late");
            self.next[sender] = number(event.frame) + 1;
            self.late += u64::from(next.time < self.last);
            self.last = self.last.max(next.time);
            rest = &rest[next.len..];
            count += 1;
        }
        assert!(rest.is_empty(), "{} bytes are no record", rest.len());
        let now = self.clock.wall(monotonic());
        assert!(self.last <= now.0.cast_unsigned(), "{} is later than {now:?}", self.last);
        count
    }
}

impl Receiver for Reader {
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
        self.count += 1;
        self.clock.wall(time)
    }

    fn blocks(&mut self, blocks: &[u8]) -> ControlFlow<Infallible> {
        self.check(blocks);
        ControlFlow::Continue(())
    }

    fn offset(&self, now: u64) -> Option<u64> {
        self.clock.offset_from(now)
    }

    fn unread(&mut self, blocks: &[u8], count: u64, times: RangeInclusive<u64>) -> ControlFlow<Infallible> {
        assert_eq!(self.check(blocks), count, "records in a run that nobody looked at");
        assert_eq!(self.clock.wall(*times.end()).0.cast_unsigned(), self.last);
        self.count += count;
        self.unread += count;
        ControlFlow::Continue(())
    }
}

fn attached(receiver: &NetNs) -> (Probe, Rings) {
    let index = receiver.interface_index("right");
    receiver.run(|| {
        let (mut probe, rings) = rings::with("ring", 32 << 20, false);
        let task = Task { snap_len: 0x40000, selection: &Selection::default() };
        probe.attach(&Link::by_index(index).unwrap(), None, task).unwrap();
        (probe, rings)
    })
}

/// Reads until the senders have ended and everything is read, in order; returns the number of frames that the program saw.
fn read(probe: &mut Probe, rings: &mut Rings, reader: &mut Reader, senders: &AtomicU32) -> u64 {
    loop {
        let has_ended = senders.load(Ordering::SeqCst) == 0;
        let before = reader.count;
        let ControlFlow::Continue(left) = rings.read(false, reader);
        let sleep = rings.prepare_sleep(reader.count == before, left).unwrap_or_default();
        if has_ended {
            break;
        }
        thread::sleep(sleep.min(Duration::from_millis(2)));
    }
    probe.detach();
    let begin = Instant::now();
    while !probe.counters(0).unwrap().unwrap().is_settled(reader.count) {
        let ControlFlow::Continue(_) = rings.read(true, reader);
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}, {} read", probe.counters(0), reader.count);
    }
    let counters = probe.counters(0).unwrap().unwrap();
    let handed_over = (counters.seen - counters.failed, counters.emitted);
    assert_eq!(handed_over, (reader.count, reader.count), "{counters:?}");
    assert_eq!(reader.late, 0, "out of order, of {}", reader.count);
    counters.seen
}

#[test]
fn one_busy_cpu_is_handed_on_unread() {
    if !kernel::transports().contains(&"ring") {
        return skip::because("mapped rings need Linux 5.18");
    }
    for len in [60, 1500] {
        let (sender, receiver) = NetNs::quiet_pair("left", "right");
        let (mut probe, mut rings) = attached(&receiver);
        let generator = Generator::new(sender.interface_index("left"), wire::frame(len, b""));
        let mut reader = Reader::new();
        let senders = AtomicU32::new(1);
        let seen = thread::scope(|scope| {
            scope.spawn(|| {
                cpu::stay_on(0);
                sender.run(|| generator.send(1_000_000 / wait::slowness()));
                senders.fetch_sub(1, Ordering::SeqCst);
            });
            read(&mut probe, &mut rings, &mut reader, &senders)
        });
        assert_eq!(seen, generator.sent());
        assert!(reader.unread * 10 > reader.count, "{} of {} unread", reader.unread, reader.count);
    }
}

/// Two CPUs in turn and at the same time: all are in the order of time, in which some of their runs nobody looked at.
#[test]
fn busy_cpus_in_turn_stay_in_order() {
    if !kernel::transports().contains(&"ring") {
        return skip::because("mapped rings need Linux 5.18");
    }
    let cpus = xdpdump::cpus::online().unwrap();
    let Some((first, last)) = cpus.first().copied().zip(cpus.last().copied()).filter(|(a, b)| a != b) else {
        return skip::because("this machine has one CPU");
    };
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let (mut probe, mut rings) = attached(&receiver);
    let index = sender.interface_index("left");
    let generators = [0x02, 0xee].map(|address| {
        let mut frame = wire::frame(300, b"");
        frame[0] = address;
        Generator::new(index, frame)
    });
    let mut reader = Reader::new();
    let senders = AtomicU32::new(2);
    let rounds = 60 / wait::slowness().min(20);
    let seen = thread::scope(|scope| {
        for (generator, (cpu, pause)) in generators.iter().zip([(first, 3), (last, 7)]) {
            let (sender, senders) = (&sender, &senders);
            scope.spawn(move || {
                cpu::stay_on(cpu as usize);
                sender.run(|| {
                    for _ in 0..rounds {
                        generator.send(10_000 / wait::slowness());
                        thread::sleep(Duration::from_millis(pause));
                    }
                });
                senders.fetch_sub(1, Ordering::SeqCst);
            });
        }
        read(&mut probe, &mut rings, &mut reader, &senders)
    });
    // Not that of those sent: where both send at once, the queue of the interface may be full before the program is run.
    assert!(seen > 0);
    assert!(reader.unread > 0, "none of {} unread", reader.count);
}

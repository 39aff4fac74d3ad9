//! Writing packets, merging those of several CPUs and of several files, and evaluating a filter allocate no memory.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    num::NonZeroU32,
    ops::ControlFlow,
    path::Path,
    thread,
    time::Duration,
};

use xdpdump::{
    clock::{Clock, Sample},
    config,
    filter::{Filter, Headers},
    order::{Merge, Stream},
    output::{
        self, Format, Precision, Sink,
        json::{JsonOptions, JsonSink},
        pcapng::encode,
    },
    packet::{Direction, Interface, LinkType, Meta, Packet, Timestamp},
    replay,
    report::Reporter,
    selection::{Choice, Selection, Selector},
    transport::{Receiver, event::Event, mapped::block},
};

struct Counting;

thread_local! {
    /// Number of allocations of this thread only, because the test harness has threads of its own.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// Counts one allocation. A thread that is ending no longer counts.
fn count() {
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller guarantees what the system's allocator requires.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const META: Meta = Meta {
    direction: Direction::Inbound,
    queue: Some(1),
    packet_id: Some(2),
    verdict: Some(2),
    lost: 3,
    hash: Some(4),
    has_host_time: true,
};

#[test]
fn packets_are_written_and_merged_without_allocating() {
    let frame = vec![0x5a; 65_000];
    let mut merge = Merge::default();
    // The first merge allocates memory, which later ones reuse.
    let nothing = merge.run(&mut [Ring(&mut []), Ring(&mut [])], 0, |_, _| ControlFlow::Break(()));
    assert_eq!(nothing, ControlFlow::Continue(false));
    for format in [Format::Pcapng, Format::Pcap] {
        let mut sink = output::open(Path::new("/dev/null"), format, Precision::Nano).unwrap();
        sink.interface(&Interface::default()).unwrap();
        let packets = allocations(|| {
            // Enough frames, of all sizes, to fill the buffer many times.
            for number in 0..100_000_u32 {
                let frame = frame.get(..(number % 2000 * (1 + number % 32)) as usize).unwrap();
                sink.packet(&packet(number.into(), frame)).unwrap();
            }
            sink.flush().unwrap();
        });
        assert_eq!(packets, 0, "{format:?}");

        // The blocks of two CPUs that are busy in turn, delivered as runs of blocks and as events.
        let mut rings = [0, 1].map(|cpu| blocks((0..10_000).filter(|time| time / 7 % 2 == cpu)));
        let mut rings = rings.each_mut().map(|ring| Ring(ring));
        let clock = Clock::new(Sample { monotonic: 0, offset: 0, error: 0 });
        let mut delivery = Delivery { sink: sink.as_mut(), clock, last: 0, count: 0 };
        let merged = allocations(|| {
            let end = merge.run(&mut rings, u64::MAX, |ring, until| ring.drain_until(until, &mut delivery));
            assert!(end.is_continue());
        });
        assert_eq!((merged, delivery.count), (0, 10_000), "{format:?}");
    }

    let filter = Filter::compile("not inner tcp port 443 and ip[ip[12] >> 2] = 0x45", LinkType::RAW).unwrap();
    let headers = Some(Headers::new(8, LinkType::RAW));
    let mut selector = Selector::new(Selection { filter: Some(filter), one_in: NonZeroU32::new(2), headers });
    let mut frame = [0x45; 100];
    for (first, choice) in [(0x45, Choice::Taken), (0x45, Choice::Thinned), (0x55, Choice::Filtered)] {
        frame[0] = first;
        let mut chosen = None;
        let mut packet = packet(1, &frame);
        assert_eq!(allocations(|| chosen = Some(selector.choose(&mut packet, Some(1)))), 0, "{choice:?}");
        assert_eq!(chosen, Some(choice));
        // An IPv4 header, of a later fragment.
        assert_eq!(packet.frame.len(), if choice == Choice::Taken { 20 + 8 } else { 100 });
    }
}

#[test]
fn json_is_printed_without_allocating() {
    let ethernet = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7];
    let ipv4 = [8, 0, 0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let ipv6 = [&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64][..], &[0x20, 1, 0xd, 0xb8], &[0xab; 28]].concat();
    let tcp = [0, 80, 1, 187, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x12, 1, 0, 0, 0, 0, 0];
    let frames = [&ipv4[..], &ipv6].map(|ip| [&ethernet[..], ip, &tcp].concat());
    let mut sink = JsonSink::new(std::io::sink(), "nowhere", JsonOptions::default());
    let name = Some("eth0\n".to_owned());
    sink.interface(&Interface { link_type: LinkType::ETHERNET, name, ..Interface::default() }).unwrap();
    let mut print = || {
        for (time, number) in (0..).zip(0..5000_usize) {
            let frame = &frames[number % 2];
            let frame = frame.get(..frame.len() - number / 2 % 50).unwrap();
            sink.packet(&packet(time, frame)).unwrap();
        }
        sink.flush().unwrap();
    };
    // The buffers grow to their size in the first packets.
    print();
    assert_eq!(allocations(print), 0);
}

/// What the merge of files needs does not depend on the number of packets.
#[test]
fn packets_of_several_files_are_merged_without_allocating() {
    let directory = tempfile::tempdir().unwrap();
    let run = |packets: u32| {
        let inputs = [0, 1, 2].map(|number| {
            let path = directory.path().join(number.to_string());
            let mut sink = output::open(&path, Format::Pcapng, Precision::Nano).unwrap();
            sink.interface(&Interface::default()).unwrap();
            for time in 0..packets {
                sink.packet(&packet((3 * time + number).into(), &[0x5a; 60])).unwrap();
            }
            sink.finish(&[]).unwrap();
            path
        });
        let config = config::Replay {
            inputs: inputs.to_vec(),
            reorder_window: Duration::ZERO,
            selection: config::Selection::default(),
            destination: config::Destination {
                // What a sink does is tested above.
                file: None,
                print: None,
                live: false,
                limit: None,
                duration: None,
                max_bytes: None,
                status: None,
                count: false,
                packet_buffered: false,
                verbose: false,
            },
            user: config::User::Root,
        };
        // It gives up privileges, which the tests need no more.
        let thread = || allocations(|| replay::run(&config, &mut Silent).unwrap());
        thread::scope(|scope| scope.spawn(thread).join().unwrap())
    };
    assert_eq!(run(2000), run(20_000));
}

/// Says nothing.
struct Silent;

impl Reporter for Silent {
    fn say(&mut self, line: &str) {
        panic!("{line}");
    }

    fn say_plainly(&mut self, _: &str) {}
}

/// Number of allocations made by `act`.
fn allocations(act: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    act();
    ALLOCATIONS.get() - before
}

fn packet(time: i64, frame: &[u8]) -> Packet<'_> {
    Packet {
        timestamp: Timestamp(time),
        uptime: None,
        record: xdpdump::packet::Record::None,
        interface: 0,
        frame,
        frame_len: 65_000,
        meta: META,
    }
}

fn blocks(times: impl Iterator<Item = i64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for time in times {
        encode::enhanced_packet(&mut bytes, &packet(time, &[0x5a; 60]));
    }
    bytes
}

/// The remaining blocks of a CPU.
struct Ring<'a>(&'a mut [u8]);

impl Stream for Ring<'_> {
    fn next_time(&mut self) -> Option<u64> {
        block::peek(self.0).map(|next| next.time)
    }
}

impl Ring<'_> {
    fn drain_until<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End> {
        while let Some(next) = block::peek(self.0).filter(|next| next.time <= until) {
            let (record, rest) = std::mem::take(&mut self.0).split_at_mut(next.len);
            self.0 = rest;
            if receiver.wants_blocks() {
                block::stamp(record, next.time, receiver.stamp(next.source, next.time));
                receiver.blocks(record)?;
            } else {
                receiver.event(&block::event(record, 0).expect("a whole record"))?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Delivers to a sink as a capture does.
struct Delivery<'a> {
    sink: &'a mut dyn Sink,
    clock: Clock,
    last: u64,
    count: usize,
}

impl Receiver for Delivery<'_> {
    type End = output::Error;

    fn sources(&self) -> u32 {
        1
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<Self::End> {
        let time = self.stamp(event.source, event.time);
        self.sink.packet(&packet(time.0, event.frame)).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn wants_blocks(&self) -> bool {
        self.sink.is_block_sink()
    }

    fn stamp(&mut self, _: u32, time: u64) -> Timestamp {
        assert!(time >= self.last);
        self.last = time;
        self.count += 1;
        self.clock.wall(time)
    }

    fn blocks(&mut self, blocks: &[u8]) -> ControlFlow<Self::End> {
        let sink = self.sink.as_block_sink().expect("a pcapng file");
        sink.blocks(blocks).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }
}

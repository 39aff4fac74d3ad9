//! A program is exchanged for another under load without missing a frame. Needs root.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use xdpdump::{
    cpus,
    interface::{Link, XdpMode},
    packet::Timestamp,
    probe::{Probe, RingLayout, Task},
    selection::Selection,
    transport::{Receiver, event::Event, perf::Rings},
};
use xdpdump_ebpf::ring::Control;
use xdpdump_testing::{generator::Generator, netns::NetNs, wire};

/// Number of frames for each captured length.
#[derive(Debug, Default)]
struct Lengths {
    frames: BTreeMap<usize, u64>,
    lost: u64,
}

impl Receiver for Lengths {
    type End = Infallible;

    fn sources(&self) -> u32 {
        1
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<Infallible> {
        *self.frames.entry(event.frame.len()).or_default() += 1;
        self.lost += event.lost;
        ControlFlow::Continue(())
    }

    fn wants_blocks(&self) -> bool {
        false
    }

    fn stamp(&mut self, _: u32, _: u64) -> Timestamp {
        unreachable!("only blocks are stamped")
    }

    fn blocks(&mut self, _: &[u8]) -> ControlFlow<Infallible> {
        unreachable!("it takes events")
    }
}

fn task(snap_len: u32, selection: &Selection) -> Task<'_> {
    Task { snap_len, selection }
}

#[test]
fn an_exchanged_program_misses_no_frame_and_its_counters_go_on() {
    const LENGTHS: [u32; 4] = [60, 50, 40, 30];
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let index = receiver.interface_index("right");
    let (mut probe, mut rings) = receiver.run(|| {
        let layout = RingLayout { cpus: cpus::limit(), ring_len: 0, value_len: size_of::<Control>() };
        let mut probe = Probe::load(layout).unwrap();
        let rings = Rings::open(probe.events(), Some(64 << 20), false).unwrap();
        let link = Link::by_index(index).unwrap();
        probe.attach(&link, Some(XdpMode::Native), task(LENGTHS[0], &Selection::default())).unwrap();
        (probe, rings)
    });
    let first = probe.program_id(0);
    let generator = Generator::new(sender.interface_index("left"), wire::frame(60, b""));
    let mut lengths = Lengths::default();
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            sender.run(|| {
                while !enough.load(Ordering::Relaxed) {
                    generator.send_paced(100_000, Duration::from_millis(20));
                }
            });
        });
        for snap_len in LENGTHS {
            probe.exchange(0, task(snap_len, &Selection::default())).unwrap();
            for _ in 0..20 {
                thread::sleep(Duration::from_millis(5));
                assert!(rings.read(false, &mut lengths).is_continue());
            }
        }
        enough.store(true, Ordering::Relaxed);
    });
    assert_ne!(probe.program_id(0), first, "the programs before are gone");
    assert_eq!(
        receiver.run(|| Link::by_index(index).unwrap().xdp[0].program_id),
        probe.program_id(0).unwrap()
    );
    probe.detach();
    assert!(rings.read(true, &mut lengths).is_continue());

    let counters = probe.counters(0).unwrap().unwrap();
    let read: u64 = lengths.frames.values().sum();
    assert_eq!((counters.seen, counters.emitted), (read + lengths.lost, read), "{lengths:?}");
    assert_eq!(counters.seen, generator.sent(), "{lengths:?}");
    let each: Vec<_> = lengths.frames.keys().copied().collect();
    assert_eq!(each, [30, 40, 50, 60], "each program captured some");
}

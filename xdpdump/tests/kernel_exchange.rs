//! A program is exchanged for another under load without missing a frame. Needs root.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use xdpdump::{
    cpus,
    interface::{Link, XdpMode},
    probe::{Probe, RingLayout, Task},
    selection::Selection,
    transport::{event::Event, perf::Rings},
};
use xdpdump_ebpf::ring::Control;
use xdpdump_testing::{events::Each, generator::Generator, netns::NetNs, wire};

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
    // Number of frames for each captured length.
    let mut lengths = BTreeMap::<usize, u64>::new();
    let mut lost = 0;
    let mut events = Each(|event: &Event<'_>| {
        *lengths.entry(event.frame.len()).or_default() += 1;
        lost += event.lost;
    });
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
                assert!(rings.read(false, &mut events).is_continue());
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
    assert!(rings.read(true, &mut events).is_continue());

    let counters = probe.counters(0).unwrap().unwrap();
    let read: u64 = lengths.values().sum();
    assert_eq!((counters.seen, counters.emitted), (read + lost, read), "{lengths:?}");
    assert_eq!(counters.seen, generator.sent(), "{lengths:?}");
    let each: Vec<_> = lengths.keys().copied().collect();
    assert_eq!(each, [30, 40, 50, 60], "each program captured some");
}

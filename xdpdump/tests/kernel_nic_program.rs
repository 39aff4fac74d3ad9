//! The events of the program for a NIC. The driver runs it here, because this machine's NIC cannot. Needs root.

use std::{thread, time::Duration};

use xdpdump::{
    clock, cpus,
    interface::{Link, XdpMode},
    probe::{Probe, RingLayout, Task},
    selection::Selection,
    transport::{event::Event, perf::Rings},
};
use xdpdump_testing::{
    events::Each,
    netns::NetNs,
    wire::{self, Wire},
};

#[test]
fn the_program_for_a_nic_hands_over_frames_that_the_perf_ring_stamps() {
    const SIZES: [usize; 4] = [14, 60, 333, 1514];
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let index = receiver.interface_index("right");
    let (mut probe, mut rings) = receiver.run(|| {
        let layout = RingLayout::without_rings(cpus::limit());
        let mut probe = Probe::load(layout).unwrap();
        let rings = Rings::open(probe.events(), None, false).unwrap();
        let link = Link::by_index(index).unwrap();
        let everything = Task { snap_len: u32::MAX, selection: &Selection::default() };
        probe.attach_nic_program(&link, XdpMode::Native, everything).unwrap();
        (probe, rings)
    });
    assert_eq!(probe.counters(0).unwrap(), None);

    let wire = Wire::open(&sender, "left");
    let begin = clock::monotonic();
    for size in SIZES {
        wire.send(&wire::frame(size, b""));
    }
    let end = clock::monotonic();
    thread::sleep(Duration::from_millis(100));
    probe.detach();
    let mut frames = Vec::new();
    let mut events = Each(|event: &Event<'_>| {
        assert_eq!(event.packet_id(), None, "the program does not count");
        assert_eq!(event.verdict, None, "nobody decided anything");
        assert_eq!(event.queue, None, "a NIC does not tell");
        frames.push((event.time, event.frame_len, event.frame.to_vec()));
    });
    assert!(rings.read(true, &mut events).is_continue());

    let expected = SIZES.map(|size| (size as u32, wire::frame(size, b"")));
    let found: Vec<_> = frames.iter().map(|(_, len, frame)| (*len, frame.clone())).collect();
    assert_eq!(found, expected);
    assert!(frames.is_sorted_by_key(|(time, ..)| *time));
    assert!(frames.iter().all(|(time, ..)| (begin..=end).contains(time)), "{frames:?}, {begin}..={end}");
    assert_eq!(rings.counts().lost, 0);
}

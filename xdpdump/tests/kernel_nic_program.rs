//! The events of the program for a NIC. The driver runs it here, because this machine's NIC cannot. Needs root.

use std::{convert::Infallible, ops::ControlFlow, thread, time::Duration};

use xdpdump::{
    clock, cpus,
    interface::{Link, XdpMode},
    packet::Timestamp,
    probe::{Probe, RingLayout, Task},
    selection::Selection,
    transport::{Receiver, event::Event, perf::Rings},
};
use xdpdump_ebpf::ring::Control;
use xdpdump_testing::{
    netns::NetNs,
    wire::{self, Wire},
};

/// Time, length on the wire and bytes of each frame.
#[derive(Debug, Default)]
struct Frames(Vec<(u64, u32, Vec<u8>)>);

impl Receiver for Frames {
    type End = Infallible;

    fn sources(&self) -> u32 {
        1
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<Infallible> {
        assert_eq!(event.packet_id(), None, "the program does not count");
        assert_eq!(event.verdict, Some(2), "XDP_PASS");
        assert_eq!(event.queue, None, "a NIC does not tell");
        self.0.push((event.time, event.frame_len, event.frame.to_vec()));
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

#[test]
fn the_program_for_a_nic_hands_over_frames_that_the_perf_ring_stamps() {
    const SIZES: [usize; 4] = [14, 60, 333, 1514];
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let index = receiver.interface_index("right");
    let (mut probe, mut rings) = receiver.run(|| {
        let layout = RingLayout { cpus: cpus::limit(), ring_len: 0, value_len: size_of::<Control>() };
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
    let mut frames = Frames::default();
    assert!(rings.read(true, &mut frames).is_continue());

    let expected = SIZES.map(|size| (size as u32, wire::frame(size, b"")));
    let found: Vec<_> = frames.0.iter().map(|(_, len, frame)| (*len, frame.clone())).collect();
    assert_eq!(found, expected);
    assert!(frames.0.is_sorted_by_key(|(time, ..)| *time));
    assert!(frames.0.iter().all(|(time, ..)| (begin..=end).contains(time)), "{frames:?}, {begin}..={end}");
    assert_eq!(rings.counts().lost, 0);
}

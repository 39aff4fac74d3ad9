//! A program is exchanged for another under load, and no frame is missed. Needs root.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use xdpdump::{
    filter::Filter,
    interface::{Link, XdpMode},
    packet::LinkType,
    probe::Task,
    selection::Selection,
    transport::event::Event,
};
use xdpdump_ebpf::Counters;
use xdpdump_testing::{
    events::Each,
    generator::{Generator, number},
    kernel,
    netns::NetNs,
    rings, wait, wire,
};

/// Captures from a sender that never stops, while the program is exchanged for one with each of the tasks in turn.
/// `each` is called with every event.
fn exchange_under_load(
    (transport, mode): (&str, XdpMode),
    tasks: &[Task<'_>],
    each: impl FnMut(&Event<'_>),
) -> Load {
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let index = receiver.interface_index("right");
    let (mut probe, mut rings) = receiver.run(|| {
        let (mut probe, rings) = rings::with(transport, 32 << 20, false);
        let link = Link::by_index(index).unwrap();
        let attached = probe.attach(&link, Some(mode), tasks[0]).unwrap();
        assert!(attached.left.is_everything(), "{attached:?}");
        (probe, rings)
    });
    // Redirected frames reach the generic program only where the driver batches.
    receiver.execute("ethtool", &["-K", "right", "gro", "on"]);
    let first = probe.xdp_program_id(0);
    let generator = Generator::new(sender.interface_index("left"), wire::frame(60, b""));
    let mut events = Each(each);
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            sender.run(|| {
                while !enough.load(Ordering::Relaxed) {
                    generator.send_paced(100_000, Duration::from_millis(20));
                }
            });
        });
        for &task in tasks {
            // A program for one interface is loaded in that interface's namespace.
            receiver.run(|| probe.exchange(0, task)).unwrap();
            // Until this program has seen enough frames, on a busy machine too.
            let seen = || probe.counters(0).unwrap().unwrap().seen;
            let enough = seen() + 2000;
            wait::until(|| {
                assert!(rings.read(false, &mut events).is_continue());
                seen() >= enough
            });
        }
        enough.store(true, Ordering::Relaxed);
    });
    assert_ne!(probe.xdp_program_id(0), first, "the programs before are gone");
    assert_eq!(
        receiver.run(|| Link::by_index(index).unwrap().xdp[0].program_id),
        probe.xdp_program_id(0).unwrap()
    );
    probe.detach();
    assert!(rings.read(true, &mut events).is_continue());
    let (numbered, counters) = (generator.sent(), probe.counters(0).unwrap().unwrap());
    Load { counters, numbered, sent: numbered - not_sent(&sender) }
}

/// What was done under load.
struct Load {
    counters: Counters,
    /// Number of frames that got a number.
    numbered: u64,
    /// Those of them that were sent.
    sent: u64,
}

/// Frames that `left` did not send because the other end's queue was full, as it is on a busy machine.
fn not_sent(sender: &NetNs) -> u64 {
    let statistics = sender.execute("ethtool", &["-S", "left"]);
    let counts = statistics.lines().filter_map(|line| line.trim().split_once("_xdp_xmit_errors: "));
    counts.map(|(_, count)| count.parse::<u64>().unwrap()).sum()
}

/// Every kind of rings, in both modes.
fn ways() -> impl Iterator<Item = (&'static str, XdpMode)> {
    let modes = [XdpMode::Native, XdpMode::Skb];
    kernel::transports().iter().flat_map(move |transport| modes.map(|mode| (*transport, mode)))
}

#[test]
fn an_exchanged_program_misses_no_frame_and_its_counters_go_on() {
    for way in ways() {
        let everything = Selection::default();
        let tasks = [60, 50, 40, 30].map(|snap_len| Task { snap_len, selection: &everything });
        // The number of frames for each captured length.
        let mut lengths = BTreeMap::<usize, u64>::new();
        let mut lost = 0;
        let Load { counters, sent, .. } = exchange_under_load(way, &tasks, |event| {
            *lengths.entry(event.frame.len()).or_default() += 1;
            lost += event.lost;
        });
        let read: u64 = lengths.values().sum();
        assert_eq!((counters.seen, counters.emitted), (read + lost, read), "{lengths:?}");
        assert_eq!(counters.seen, sent, "{lengths:?}");
        let each: Vec<_> = lengths.keys().copied().collect();
        assert_eq!(each, [30, 40, 50, 60], "each program captured some");
    }
}

#[test]
fn a_frame_that_both_filters_accept_is_captured_whenever_they_are_exchanged() {
    for way in ways() {
        // The number of a frame comes after its first 52 bytes, in little-endian order.
        let selections = [2, 3, 2, 5, 2].map(|divisor| {
            let text = format!("(ether[52] + ether[53] * 256 + ether[54] * 65536) % {divisor} = 0");
            let filter = Filter::compile(&text, LinkType::ETHERNET).unwrap();
            Selection { filter: Some(filter), ..Selection::default() }
        });
        let tasks = selections.each_ref().map(|selection| Task { snap_len: 60, selection });
        let mut numbers = BTreeSet::new();
        let Load { counters, numbered, sent } = exchange_under_load(way, &tasks, |event| {
            assert_eq!(event.lost, 0, "the rings are large enough");
            assert!(numbers.insert(number(event.frame)), "a frame came twice");
        });
        assert_eq!(counters.seen, sent);
        assert_eq!((counters.emitted, counters.failed), (numbers.len() as u64, 0));
        assert_eq!(counters.filtered, sent - counters.emitted);
        let missing = (0..numbered).step_by(30).filter(|number| !numbers.contains(number)).count() as u64;
        assert!(missing <= numbered - sent, "{missing} frames for every filter are missing");
        assert!(numbers.iter().all(|number| [2, 3, 5].iter().any(|divisor| number % divisor == 0)));
        for divisor in [3, 5] {
            let others = numbers.iter().filter(|&number| number % divisor == 0 && number % 2 != 0).count();
            assert!(others > 0, "the filter for {divisor} was never in force");
        }
    }
}

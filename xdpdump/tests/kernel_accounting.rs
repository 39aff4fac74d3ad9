//! Every frame is captured or counted as lost, at any rate. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeSet,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use xdpdump_testing::{
    capture::{Capture, Ended, Totals},
    files::{self, Contents},
    generator::{self, Generator},
    kernel, load,
    netns::NetNs,
    wait, wire,
};

/// The ways to capture: mode and kind of ring.
const WAYS: [[&str; 3]; 3] =
    [["-N", "--transport", "ring"], ["-S", "--transport", "ring"], ["-N", "--transport", "perf"]];

/// The ways that this kernel supports.
fn ways() -> impl Iterator<Item = [&'static str; 3]> {
    WAYS.into_iter().filter(|way| kernel::transports().contains(&way[2]))
}

/// A TCP acknowledgement in an Ethernet frame.
const SMALL: usize = 60;

/// Captures with `options` the frames that `send` lets a generator send.
fn capture(
    path: &Path,
    frame_len: usize,
    options: &[&str],
    send: impl FnOnce(&Generator) + Send,
) -> (Ended, Arrived, Contents) {
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let file = ["-i", "right", "-w", path.to_str().unwrap()];
    let capture = Capture::start(&receiver, file.iter().chain(options));
    // Without a native program, veth accepts redirected frames only if GRO is on.
    receiver.execute("ethtool", &["-K", "right", "gro", "on"]);

    let before = load::received(&receiver, "right");
    let generator = Generator::new(sender.interface_index("left"), wire::frame(frame_len, b""));
    sender.run(|| send(&generator));
    let arrived = Arrived {
        sent: generator.sent(),
        interface: load::settled(|| load::received(&receiver, "right")) - before,
    };
    (capture.stop(), arrived, files::read(path))
}

/// The counts that are known independently of the tool.
struct Arrived {
    sent: u64,
    interface: u64,
}

/// Asserts that totals, file, statistics and the interface's counters agree.
fn assert_exact(ended: &Ended, arrived: &Arrived, contents: &Contents) -> Totals {
    let totals = ended.totals();
    assert_eq!(totals, Totals::exact(totals.captured, totals.dropped));
    assert_eq!(totals.received, arrived.interface, "the interface counts as well");
    assert_eq!(totals.captured, contents.packets.len() as u64);

    let numbers: BTreeSet<_> = contents.frames().into_iter().map(generator::number).collect();
    assert_eq!(numbers.len(), contents.packets.len(), "a number is in the file twice");
    assert!(numbers.last().is_none_or(|&last| last < arrived.sent));

    let [statistics] = contents.statistics[..] else { panic!("{:?}", contents.statistics) };
    assert_eq!(statistics.received, totals.received);
    assert_eq!(statistics.dropped, totals.dropped);
    assert_eq!(statistics.delivered, totals.captured);

    let told: u64 = contents.packets.iter().map(|packet| packet.meta.lost).sum();
    assert!(told <= totals.dropped, "packets tell of {told} lost frames, but {} were", totals.dropped);
    totals
}

#[test]
fn a_million_numbered_frames_are_captured_or_counted_as_lost() {
    let million = 1_000_000 / wait::slowness();
    let directory = tempfile::tempdir().unwrap();
    for way in ways() {
        let path = directory.path().join("million.pcapng");
        let (ended, arrived, contents) = capture(&path, SMALL, &way, |generator| generator.send(million));
        let totals = assert_exact(&ended, &arrived, &contents);
        assert_eq!(arrived.sent, u64::from(million));
        assert!(totals.captured > 0);
    }
}

#[test]
fn losses_in_small_rings_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    for way in ways() {
        let path = directory.path().join("small.pcapng");
        let (ended, arrived, contents) =
            capture(&path, 1514, &[&way[..], &["-B", "1"]].concat(), |generator| generator.send(200_000));
        let totals = assert_exact(&ended, &arrived, &contents);
        assert!(totals.dropped > 0, "smaller than what arrives while the reader is away: {totals:?}");
    }
}

#[test]
fn nothing_is_lost_at_200_000_packets_a_second() {
    lose_nothing(&[]);
}

#[test]
fn perf_rings_lose_nothing_at_200_000_packets_a_second() {
    lose_nothing(&["--transport", "perf"]);
}

fn lose_nothing(options: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("paced.pcapng");
    let time = Duration::from_secs(2);
    let per_second = 200_000 / wait::slowness();
    let (ended, arrived, contents) =
        capture(&path, SMALL, options, |generator| generator.send_paced(per_second, time));
    let totals = assert_exact(&ended, &arrived, &contents);
    assert_eq!(arrived.sent, u64::from(2 * per_second));
    assert_eq!(totals, Totals::exact(arrived.interface, 0));
    // A busy machine loses some frames before they reach the program. The test is meaningful only if most arrive.
    assert!(totals.received * 3 > arrived.sent * 2, "the interface lost frames itself: {totals:?}");
}

#[test]
fn the_numbers_add_up_when_the_interface_is_deleted_at_full_rate() {
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deleted.pcapng");
    let capture = Capture::start(&receiver, ["-i", "right", "-w", path.to_str().unwrap()]);
    let generator = Generator::new(sender.interface_index("left"), wire::frame(SMALL, b""));
    let deleted = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            sender.run(|| {
                while !deleted.load(Ordering::Relaxed) {
                    generator.send(100_000);
                }
            });
        });
        thread::sleep(Duration::from_millis(200));
        sender.ip(["link", "delete", "left"]);
        // Keep sending for a moment to an interface that no longer exists.
        thread::sleep(Duration::from_millis(50));
        deleted.store(true, Ordering::Relaxed);
    });

    let ended = capture.wait();
    assert!(ended.failure().starts_with("the interface right is gone"), "{}", ended.stderr);
    let totals = ended.counts();
    assert_eq!(totals, Totals::exact(files::read(&path).packets.len() as u64, totals.dropped));
    assert!(totals.captured > 0 && totals.received < generator.sent(), "{totals:?}");
}

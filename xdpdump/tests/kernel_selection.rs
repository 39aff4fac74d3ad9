//! Filters, `--headers` and `--sample` in a live capture: in the kernel program, and in user space if the kernel
//! refuses them. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeMap, fs, path::Path};

use xdpdump::input::{CaptureFile, Item};
use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    files::{self, Contents},
    generator::{self, Generator},
    kernel, load,
    netns::NetNs,
    wire,
};

/// Both modes with both kinds of rings.
const WAYS: [[&str; 3]; 4] = [
    ["-N", "--transport", "ring"],
    ["-S", "--transport", "ring"],
    ["-N", "--transport", "perf"],
    ["-S", "--transport", "perf"],
];

fn ways() -> impl Iterator<Item = [&'static str; 3]> {
    WAYS.into_iter().filter(|way| kernel::transports().contains(&way[2]))
}

/// Accepts the frames of a generator whose number is divisible by 100. The number comes after the first 52 of 60 bytes,
/// in little-endian order.
const EVERY_HUNDREDTH: &str = "(ether[52] + ether[53] * 256 + ether[54] * 65536) % 100 = 0";

/// Like [`EVERY_HUNDREDTH`], but with more nested brackets than the kernel program has room for.
fn too_deep() -> String {
    let sum = (0..20).fold("ether[52]".to_owned(), |inside, _| format!("(ether[0] * 0 + {inside})"));
    // A constant 0 would be removed by the optimizer, so the zeros are computed from the frame.
    let sum = sum.replace("ether[0] * 0", "ether[0] - ether[0]");
    format!("({sum} + ether[53] * 256 + ether[54] * 65536) % 100 = 0")
}

/// Captures `count` numbered frames.
fn capture(path: &Path, count: u32, options: &[&str]) -> (Ended, Contents) {
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let file = ["-i", "right", "-w", path.to_str().unwrap()];
    let capture = Capture::start(&receiver, file.iter().chain(options));
    receiver.execute("ethtool", &["-K", "right", "gro", "on"]);
    let before = load::received(&receiver, "right");
    let generator = Generator::unhurried(sender.interface_index("left"), wire::frame(60, b""));
    sender.run(|| generator.send(count));
    let arrived = load::settled(|| load::received(&receiver, "right")) - before;
    assert_eq!(arrived, u64::from(count), "the interface lost frames");
    (capture.stop(), files::read(path))
}

fn numbers(contents: &Contents) -> Vec<u64> {
    let mut numbers: Vec<_> = contents.frames().into_iter().map(generator::number).collect();
    numbers.sort_unstable();
    numbers
}

/// Asserts that the packet ids of each CPU have no gap, which would mean a loss.
fn assert_no_gap(contents: &Contents) {
    let mut of_cpu: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for packet in &contents.packets {
        let id = packet.meta.packet_id.unwrap();
        of_cpu.entry(id >> 48).or_default().push(id & ((1 << 48) - 1));
    }
    for ids in of_cpu.values() {
        assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
    }
}

#[test]
fn of_a_flood_with_one_percent_of_matches_every_match_is_captured_and_none_else() {
    const COUNT: u32 = 500_000;
    let folder = tempfile::tempdir().unwrap();
    for way in ways() {
        let path = folder.path().join("out.pcapng");
        let (ended, contents) = capture(&path, COUNT, &[&way[..], &[EVERY_HUNDREDTH]].concat());
        assert!(!ended.stderr.contains("user space"), "{way:?}: {}", ended.stderr);
        let matches = u64::from(COUNT / 100);
        assert_eq!(ended.totals(), Totals::exact(matches, 0), "{way:?}");
        assert_eq!(ended.count("not accepted by the filter"), Some(u64::from(COUNT) - matches), "{way:?}");
        let expected: Vec<_> = (0..u64::from(COUNT)).step_by(100).collect();
        assert_eq!(numbers(&contents), expected, "{way:?}");
        assert_no_gap(&contents);
        assert!(contents.packets.iter().all(|packet| packet.meta.lost == 0), "{way:?}");
        let [statistics] = contents.statistics[..] else { panic!("{:?}", contents.statistics) };
        assert_eq!(
            (statistics.received, statistics.accepted, statistics.delivered, statistics.dropped),
            (u64::from(COUNT), matches, matches, 0),
            "{way:?}"
        );
    }
}

#[test]
fn the_file_says_which_filter_was_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let words = ["tcp", "port", "443", "or", "ether[12:2] = 0x88b5"];
    capture(&path, 10, &words);
    let mut file = CaptureFile::open(&path).unwrap();
    let filter = loop {
        if let Item::Interface(interface) = file.next().unwrap().unwrap() {
            break interface.filter.clone();
        }
    };
    assert_eq!(filter.as_deref(), Some("tcp port 443 or ether[12:2] = 0x88b5"));
    assert_eq!(files::read_by_tshark(&path).len(), 10);
}

#[test]
fn what_the_kernel_program_cannot_do_is_done_in_user_space_and_the_books_are_the_same() {
    const COUNT: u32 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let deep = too_deep();
    for way in ways() {
        let path = folder.path().join("out.pcapng");
        let selection = [&deep, "--sample", "2", "--headers=10"];
        let (ended, contents) = capture(&path, COUNT, &[&way[..], &selection].concat());
        let said = ended.stderr.lines().filter(|line| line.contains("selected in user space")).count();
        assert_eq!(said, 1, "{way:?}: {}", ended.stderr);
        let totals = ended.totals();
        let matches = u64::from(COUNT / 100);
        assert_eq!(
            (totals.captured, totals.received, totals.dropped),
            (matches / 2, matches, 0),
            "{way:?}: {}",
            ended.stderr
        );
        assert_eq!(ended.count("not accepted by the filter"), Some(u64::from(COUNT) - matches), "{way:?}");
        assert_eq!(ended.count("left out by --sample"), Some(matches / 2), "{way:?}");
        // The EtherType is unknown, so the headers are the 14 bytes of Ethernet.
        assert!(contents.packets.iter().all(|packet| packet.frame.len() == 24 && packet.frame_len == 60));
        let [statistics] = contents.statistics[..] else { panic!("{:?}", contents.statistics) };
        assert_eq!((statistics.received, statistics.accepted), (u64::from(COUNT), matches), "{way:?}");
    }
}

#[test]
fn one_in_many_is_captured_and_the_others_are_counted() {
    const COUNT: u32 = 10_000;
    let folder = tempfile::tempdir().unwrap();
    for way in ways() {
        let path = folder.path().join("out.pcapng");
        let (ended, contents) = capture(&path, COUNT, &[&way[..], &["--sample", "10"]].concat());
        let (totals, left_out) = (ended.totals(), ended.count("left out by --sample").unwrap());
        assert_eq!((totals.received, totals.dropped), (COUNT.into(), 0), "{way:?}");
        assert_eq!(totals.captured + left_out, u64::from(COUNT), "{way:?}");
        // The first frame on each CPU is captured.
        let cpus = fs::read_dir("/sys/devices/system/cpu").unwrap().count() as u64;
        assert!((1000..1000 + cpus).contains(&totals.captured), "{way:?}: {totals:?}");
        assert_eq!(totals.captured, contents.packets.len() as u64);
        assert_no_gap(&contents);
        assert_eq!(ended.count("not accepted by the filter"), None);
    }
}

#[test]
fn headers_are_captured_and_the_length_on_the_wire_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for way in ways() {
        for (option, more) in [("--headers", 0), ("--headers=5", 5)] {
            let (sender, receiver) = NetNs::pair("left", "right");
            sender.ip(["address", "add", "10.0.0.1/24", "dev", "left"]);
            receiver.ip(["address", "add", "10.0.0.2/24", "dev", "right"]);
            let path = folder.path().join("out.pcapng");
            let mut options = vec!["-i", "right", "-w", path.to_str().unwrap(), option];
            options.extend(way);
            options.push("icmp");
            let capture = Capture::start(&receiver, options);
            sender.execute("ping", &["-c", "3", "-i", "0.05", "-s", "200", "10.0.0.2"]);
            assert_eq!(capture.stop().totals(), Totals::exact(3, 0));
            // Ethernet, IPv4 and ICMP headers.
            let lengths: Vec<_> = files::read(&path)
                .packets
                .iter()
                .map(|packet| (packet.frame.len(), packet.frame_len))
                .collect();
            assert_eq!(lengths, [(14 + 20 + 8 + more, 242); 3], "{way:?} {option}");
            assert_eq!(files::read_by_tshark(&path), [242; 3]);
        }
    }
}

#[test]
fn a_wrong_filter_is_marked_and_nothing_is_attached_or_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    fs::write(&path, "precious").unwrap();
    let (_sender, receiver) = NetNs::quiet_pair("left", "right");
    let terms: Vec<_> = (0..2000).map(|at| format!("tcp[{at}] = ip[ip[{at}]]")).collect();
    let too_large = terms.join(" or ");
    let cases = [
        ("tcp port httpx", vec!["httpx", "^"]),
        ("tcp and and udp", vec!["and and udp", "         ^^^"]),
        ("host 10.0.0.300", vec!["10.0.0.300", "^^"]),
        ("type mgt", vec!["802.11"]),
        (too_large.as_str(), vec!["too large"]),
    ];
    for (filter, expected) in cases {
        let mut command = receiver.command(xdpdump());
        let ended =
            Capture::spawn(command.args(["-i", "right", "-w", path.to_str().unwrap(), filter])).wait();
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        for words in expected {
            assert!(ended.stderr.contains(words), "{words:?} is not in {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("listening"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("processed"), "no log of the verifier: {}", ended.stderr);
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_filter_that_no_frame_there_can_match_is_refused() {
    let (_sender, receiver) = NetNs::quiet_pair("left", "right");
    let passed = "received ones, which xdpdump's own program passes (no other XDP program runs there)";
    let sent = "sent ones, which have neither a queue nor a verdict yet";
    for (options, these) in [
        (&["verdict", "drop"][..], passed.to_owned()),
        (&["outbound"], passed.to_owned()),
        (&["-Q", "out", "queue", "3"], sent.to_owned()),
        (&["-Q", "out", "inbound"], sent.to_owned()),
        (&["-Q", "inout", "tcp", "and", "verdict", "tx"], format!("{passed}, and {sent}")),
    ] {
        let mut command = receiver.command(xdpdump());
        let ended = Capture::spawn(command.args(["-i", "right", "-w", "/dev/null"]).args(options)).wait();
        let wanted =
            format!("xdpdump: no frame that is captured on right can match the filter: these are {these}\n");
        assert_eq!((ended.status.code(), &*ended.stderr), (Some(2), &*wanted), "{options:?}");
    }
    // Half of the frames are enough.
    let capture = Capture::start(&receiver, ["-i", "right", "-w", "/dev/null", "-Q", "inout", "outbound"]);
    assert_eq!(capture.stop().totals().captured, 0);
}

//! `-Q`: what an interface sends, alone and together with what it receives. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::AsFd,
    path::Path,
    process::Command,
    thread,
};

use xdpdump::{interface::clsact, packet::Direction};
use xdpdump_testing::{
    bpf::{self, Instruction},
    capture::{Capture, Totals},
    files, kernel,
    netns::{NetNs, Traces},
    wait::{self, PATIENCE},
    wire::{self, Wire},
};

/// `TC_ACT_UNSPEC`; exit
const NEXT: [Instruction; 2] = [Instruction(0xb7, 0, 0, -1), Instruction(0x95, 0, 0, 0)];

/// The fields of each packet that tshark prints.
fn fields(path: &Path, names: &[&str]) -> Vec<Vec<String>> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields"]);
    for name in names {
        tshark.args(["-e", name]);
    }
    let output = tshark.arg("-r").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// What is attached to the tc hook for frames that the interface sends.
fn programs_at_egress(netns: &NetNs, interface: &str) -> String {
    netns.execute("tc", &["filter", "show", "dev", interface, "egress"])
        + &netns.execute("tc", &["qdisc", "show", "dev", interface, "clsact"])
}

#[test]
fn each_direction_is_captured_and_counted_by_itself() {
    for transport in kernel::transports() {
        let folder = tempfile::tempdir().unwrap();
        let (left, right) = NetNs::quiet_pair("left", "right");
        for (direction, mut expected) in
            [("in", vec![61, 63]), ("out", vec![60, 62, 64]), ("inout", vec![60, 61, 62, 63, 64])]
        {
            let path = folder.path().join(format!("{direction}.pcapng"));
            let options =
                ["-i", "right", "-Q", direction, "--transport", transport, "-w", path.to_str().unwrap()];
            let mut capture = Capture::start(&right, options);
            if direction == "inout" {
                capture.wait_for("direction out");
            }
            for len in 60..65 {
                let (netns, interface) = if len % 2 == 0 { (&right, "right") } else { (&left, "left") };
                Wire::open(netns, interface).send(&wire::frame(len, b""));
            }
            let count = expected.len() as u64;
            assert_eq!(capture.stop().totals(), Totals::exact(count, 0), "{transport} {direction}");
            let contents = files::read(&path);
            for packet in &contents.packets {
                let sent = packet.frame_len % 2 == 0;
                assert_eq!(
                    packet.meta.direction,
                    if sent { Direction::Outbound } else { Direction::Inbound }
                );
                assert_eq!(packet.meta.verdict, None, "nobody decided anything");
                assert_eq!(packet.meta.queue, (!sent).then_some(0), "the queue for sending is chosen later");
                assert_eq!(packet.frame, wire::frame(packet.frame_len as usize, b""));
            }
            let mut seen = files::read_by_tshark(&path);
            if direction == "inout" {
                let received: Vec<_> =
                    contents.statistics.iter().map(|statistics| statistics.received).collect();
                assert_eq!(received, [2, 3], "{transport}");
                // Two threads of the test's kernel side may send at once.
                seen.sort_unstable();
                expected.sort_unstable();
            }
            assert_eq!(seen, expected, "{transport} {direction}");
            assert_eq!(right.traces("right"), Traces::default());
            assert_eq!(programs_at_egress(&right, "right"), "");
        }
    }
}

/// Data in both directions, with the offloads that are on by default.
fn conversation(from: &NetNs, to: &NetNs) {
    let listener = to.run(|| TcpListener::bind("10.0.0.2:0")).unwrap();
    let server = listener.local_addr().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = listener.accept().unwrap().0;
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut request = vec![0; 2_000_000];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(&request).unwrap();
        });
        let mut stream = from.run(|| TcpStream::connect(server)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&vec![7; 2_000_000]).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer.len(), 2_000_000);
    });
}

#[test]
fn a_conversation_is_whole_and_in_order() {
    for transport in kernel::transports() {
        for mode in ["-N", "-S"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out.pcapng");
            let (left, right) = NetNs::pair("left", "right");
            left.ip(["address", "add", "10.0.0.1/24", "dev", "left"]);
            right.ip(["address", "add", "10.0.0.2/24", "dev", "right"]);
            let options =
                ["-i", "right", "-Q", "inout", mode, "--transport", transport, "-w", path.to_str().unwrap()];
            let mut capture = Capture::start(&right, options.iter().copied().chain(["tcp"]));
            capture.wait_for("direction out");
            conversation(&left, &right);
            let ended = capture.stop();
            assert_eq!(ended.totals().dropped, 0);
            let packets = fields(&path, &["ip.src", "tcp.seq", "tcp.len"]);
            for source in ["10.0.0.1", "10.0.0.2"] {
                let of_source = packets.iter().filter(|packet| packet[0] == source);
                let mut spans: Vec<[u64; 2]> =
                    of_source.map(|packet| [1, 2].map(|field| packet[field].parse().unwrap())).collect();
                spans.sort_unstable();
                // The first byte after the handshake has number 1. A segment may be sent twice.
                let end = spans.iter().fold(
                    1,
                    |end, [begin, len]| {
                        if *begin <= end { end.max(begin + len) } else { end }
                    },
                );
                assert_eq!(end, 2_000_001, "{transport} {mode} {source}");
            }
            // What a capture that lost packets, or has them in another order, looks like.
            let faults = ["lost_segment", "ack_lost_segment", "out_of_order"];
            let names: Vec<_> = faults.iter().map(|fault| format!("tcp.analysis.{fault}")).collect();
            let analysis = fields(&path, &names.iter().map(String::as_str).collect::<Vec<_>>());
            let found = analysis.concat().iter().filter(|fault| !fault.is_empty()).count();
            // Each that was late can look like one fault of each kind.
            let late = ended.late() as usize;
            assert!(found <= names.len() * late, "{transport} {mode}: {found} for {late} late packets");
            assert!(late <= packets.len() / 20, "{transport} {mode}: {late} late packets");
        }
    }
}

/// A filter at the tc hook is left behind by `kill -9` before Linux 6.6. The next capture removes it, and nothing else.
#[test]
fn nothing_is_left_and_nothing_of_others_is_touched() {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let others = bpf::load_tc("others", &NEXT);
    let index = right.interface_index("right");
    let other = right.run(|| clsact::Filter::attach(index, "others", others.as_fd())).unwrap();
    let before = programs_at_egress(&right, "right");
    assert!(before.contains("others"), "{before}");
    for end in [libc::SIGKILL, libc::SIGTERM] {
        let mut capture = Capture::start(&right, ["-i", "right", "-Q", "inout", "-w", "/dev/null"]);
        capture.wait_for("direction out");
        Wire::open(&left, "left").send(&wire::numbered(1));
        capture.signal(end);
        capture.wait();
        if end == libc::SIGTERM || kernel::is_at_least(6, 6) {
            wait::until_equal(&before, || programs_at_egress(&right, "right"));
        }
    }
    drop(other);
    assert_eq!(programs_at_egress(&right, "right"), "");
}

/// Before Linux 6.6 programs are attached like this; it works with every kernel.
#[test]
fn a_filter_of_clsact_is_added_exchanged_and_removed() {
    let (left, _right) = NetNs::quiet_pair("left", "right");
    let index = left.interface_index("left");
    let shot = |action| bpf::load_tc("act", &[Instruction(0xb7, 0, 0, action), Instruction(0x95, 0, 0, 0)]);
    let (pass, drop_all) = (shot(-1), shot(2));
    let sent = || -> u64 {
        let text = left.run(|| std::fs::read_to_string("/proc/thread-self/net/dev")).unwrap();
        let line = text.lines().find(|line| line.trim_start().starts_with("left:")).unwrap();
        line.split_whitespace().nth(10).unwrap().parse().unwrap()
    };
    let wire = Wire::open(&left, "left");
    let mut filter = left.run(|| clsact::Filter::attach(index, "xdpdump", pass.as_fd())).unwrap();
    wire.send(&wire::numbered(1));
    assert_eq!(sent(), 1);
    left.run(|| filter.exchange(drop_all.as_fd())).unwrap();
    // The program drops the frame, which the sender may be told.
    let _ = wire.try_send(&wire::numbered(2));
    assert_eq!(sent(), 1);
    left.run(|| filter.exchange(pass.as_fd())).unwrap();
    // Another one comes first, and clsact stays until the last filter is gone.
    let second = left.run(|| clsact::Filter::attach(index, "xdpdump", drop_all.as_fd())).unwrap();
    let _ = wire.try_send(&wire::numbered(3));
    assert_eq!(sent(), 1, "the filter of a living process is no orphan, and comes second");
    left.run(|| drop(second));
    wire.send(&wire::numbered(4));
    assert_eq!(sent(), 2);
    left.run(|| drop(filter));
    assert_eq!(programs_at_egress(&left, "left"), "");
}

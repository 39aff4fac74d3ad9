//! Captures into a pipe, read while they are taken. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Read},
    process::{ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use xdpdump::input::{CaptureFile, Item};
use xdpdump_testing::{
    capture::{Capture, Totals},
    netns::{NetNs, Traces},
    wait::{self, PATIENCE},
    wire::{self, Wire},
};

/// What a person takes for "at once".
const AT_ONCE: Duration = Duration::from_secs(1);

/// Starts a capture into a pipe.
fn start_into_pipe(netns: &NetNs, options: &[&str]) -> (Capture, ChildStdout) {
    let mut command = netns.command(xdpdump_testing::capture::xdpdump());
    command.args(["-i", "right", "-w", "-"]).args(options).stdout(Stdio::piped());
    let mut capture = Capture::spawn(&mut command);
    capture.wait_for("listening on");
    let stdout = capture.stdout();
    (capture, stdout)
}

/// Captures into `reader`, which prints a line for every packet, and watches those lines.
fn packets_show_while_they_arrive(mut command: Command) {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let (capture, pipe) = start_into_pipe(&right, &[]);
    command.stdin(pipe).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut reader = command.spawn().unwrap();
    // It holds the pipe as well.
    drop(command);
    let lines = lines(reader.stdout.take().unwrap());
    let wire = Wire::open(&left, "left");

    // The reader takes its time to start.
    wire.send(&wire::frame(60, b""));
    lines.recv_timeout(PATIENCE).expect("no line for the first packet");
    for number in 2..=5 {
        let sent = Instant::now();
        wire.send(&wire::frame(60, b""));
        lines.recv_timeout(PATIENCE).expect("no line for a packet");
        let took = sent.elapsed();
        assert!(took < AT_ONCE, "packet {number} showed after {took:?}");
        thread::sleep(Duration::from_millis(70));
    }

    // The reader goes away, as when its window is closed. No packet comes that would tell.
    reader.kill().unwrap();
    reader.wait().unwrap();
    assert_eq!(capture.wait().totals(), Totals::exact(5, 0));
    wait::until_equal(&Traces::default(), || right.traces("right"));
}

/// The lines of a program, as they come.
fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let _ = sender.send(line.unwrap());
        }
    });
    lines
}

#[test]
fn tshark_shows_packets_while_they_arrive() {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-l", "-r", "-"]);
    packets_show_while_they_arrive(tshark);
}

#[test]
fn tcpdump_shows_packets_while_they_arrive() {
    let mut tcpdump = Command::new("tcpdump");
    tcpdump.args(["-n", "-l", "-r", "-"]);
    packets_show_while_they_arrive(tcpdump);
}

/// The time from sending a frame until it is read from the pipe: the median of several, as the machine may be busy with
/// something else for a moment.
fn latency(options: &[&str]) -> Duration {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let (capture, pipe) = start_into_pipe(&right, options);
    let mut file = CaptureFile::new(pipe, "pipe").unwrap();
    assert!(matches!(file.next(), Ok(Some(Item::Interface(_)))), "headers come without a packet");

    let wire = Wire::open(&left, "left");
    let mut latencies: Vec<_> = (0..11)
        .map(|number| {
            let frame = wire::frame(60, &[number]);
            let sent = Instant::now();
            wire.send(&frame);
            match file.next() {
                Ok(Some(Item::Packet(packet))) => assert_eq!(packet.frame, frame),
                other => panic!("{other:?}"),
            }
            let latency = sent.elapsed();
            assert!(latency < AT_ONCE, "{latency:?}, {options:?}");
            // In no step with the tool's own timer.
            thread::sleep(Duration::from_millis(13));
            latency
        })
        .collect();
    assert_eq!(capture.stop().totals(), Totals::exact(11, 0));
    latencies.sort();
    latencies[5]
}

#[test]
fn a_packet_is_in_the_pipe_within_100_milliseconds() {
    for options in [&[][..], &["--format", "pcap"], &["-S"], &["-U"]] {
        let latency = latency(options);
        assert!(latency < Duration::from_millis(100), "{latency:?}, {options:?}");
    }
}

#[test]
fn in_immediate_mode_a_packet_is_in_the_pipe_at_once() {
    for options in [&["--immediate-mode"][..], &["--immediate-mode", "-S"]] {
        let latency = latency(options);
        assert!(latency < Duration::from_millis(10), "{latency:?}, {options:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_capture() {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let (mut capture, mut pipe) = start_into_pipe(&right, &[]);
    pipe.read_exact(&mut [0; 4]).unwrap();
    drop(pipe);
    let wire = Wire::open(&left, "left");
    wait::until(|| {
        wire.send(&wire::frame(60, b""));
        !capture.is_running()
    });
    let ended = capture.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("pipe"), "{}", ended.stderr);
    wait::until_equal(&Traces::default(), || right.traces("right"));
}

#[test]
fn a_reader_that_was_never_there_ends_the_capture() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let mut command = right.command(xdpdump_testing::capture::xdpdump());
    command.args(["-i", "right", "-w", "-"]).stdout(Stdio::piped());
    let mut capture = Capture::spawn(&mut command);
    drop(capture.stdout());
    let ended = capture.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    wait::until_equal(&Traces::default(), || right.traces("right"));
}

#[test]
fn a_slow_reader_gets_every_packet_that_was_not_counted_as_lost() {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let (capture, pipe) = start_into_pipe(&right, &["-B", "256"]);
    let wire = Wire::open(&left, "left");
    // More than pipe and rings hold.
    for _ in 0..3000 {
        wire.send(&wire::frame(1514, b""));
    }
    capture.signal(libc::SIGINT);
    let mut bytes = Vec::new();
    let mut pipe = BufReader::new(pipe);
    while pipe.by_ref().take(4096).read_to_end(&mut bytes).unwrap() > 0 {
        thread::sleep(Duration::from_micros(100));
    }
    let totals = capture.wait().totals();
    let mut file = CaptureFile::new(&bytes[..], "pipe").unwrap();
    let mut packets = 0;
    while let Some(item) = file.next().unwrap() {
        packets += u64::from(matches!(item, Item::Packet(_)));
    }
    assert_eq!(totals, Totals::exact(packets, 3000 - packets));
    assert!(totals.dropped > 0);
}

//! Captures into a pipe that is read while the capture runs. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use xdpdump::{
    input::{CaptureFile, Item},
    output::Format,
};
use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump as tool},
    netns::{NetNs, Traces},
    wait::{self, PATIENCE},
    wire::{self, Wire},
};

/// What counts as "at once" for a person.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Starts a capture into a pipe.
fn start_into_pipe(netns: &NetNs, options: &[&str]) -> (Capture, ChildStdout) {
    let mut command = netns.command(tool());
    command.args(["-i", "right", "-w", "-"]).args(options).stdout(Stdio::piped());
    let mut capture = Capture::spawn(&mut command);
    capture.wait_for("listening on");
    let stdout = capture.stdout();
    (capture, stdout)
}

/// Captures into a reader that prints a line for every packet, and checks when each line appears.
fn packets_show_while_they_arrive(mut command: Command) {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let (capture, pipe) = start_into_pipe(&right, &[]);
    command.stdin(pipe).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut reader = command.spawn().unwrap();
    // The command still holds an end of the pipe.
    drop(command);
    let lines = lines(reader.stdout.take().unwrap());
    let wire = Wire::open(&left, "left");

    // The first packet is not timed, because the reader has to start.
    wire.send(&wire::frame(60, b""));
    lines.recv_timeout(PATIENCE).expect("no line for the first packet");
    for number in 2..=5 {
        let sent = Instant::now();
        wire.send(&wire::frame(60, b""));
        lines.recv_timeout(PATIENCE).expect("no line for a packet");
        let took = sent.elapsed();
        assert!(took < AT_ONCE * wait::slowness().min(4), "packet {number} showed after {took:?}");
        thread::sleep(Duration::from_millis(70));
    }

    // The reader ends, as when its window is closed. No packet arrives through which the capture could notice.
    reader.kill().unwrap();
    reader.wait().unwrap();
    assert_eq!(capture.wait().totals(), Totals::exact(5, 0));
    wait::until_equal(&Traces::default(), || right.traces("right"));
}

/// The first line that a program prints for each packet, as they appear. tcpdump prints packets of unknown protocols in hexadecimal, in
/// lines that begin with a tab.
fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map(Result::unwrap).filter(|line| !line.starts_with('\t'))
        {
            let _ = sender.send(line);
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

/// The time from sending a frame until it is read from the pipe: the median of several frames, because the machine may be
/// busy for a moment.
fn latency(options: &[&str]) -> Duration {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let (capture, pipe) = start_into_pipe(&right, options);
    let mut file = CaptureFile::new(pipe, "pipe").unwrap();
    if file.format() == Format::Pcapng {
        assert!(matches!(file.next(), Ok(Some(Item::Block(_)))), "the section comes without a packet");
    }
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
            // An interval that is not a multiple of the tool's own timer.
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
    assert!(ended.stderr.contains("xdpdump: the reader of standard output has left\n"), "{}", ended.stderr);
    wait::until_equal(&Traces::default(), || right.traces("right"));
}

#[test]
fn a_reader_that_was_never_there_ends_the_capture() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let mut command = right.command(tool());
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
    // More frames than pipe and rings hold.
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

/// The reader of a pipe that is not standard output closes it, and no packet arrives through which the capture could
/// notice.
#[test]
fn a_reader_that_leaves_ends_an_idle_capture_by_whatever_name_the_pipe_has() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let fifo = named_pipe(directory.path());
    for (script, output) in [
        (r#"exec "$@""#, fifo.to_str().unwrap()),
        (r#"exec 3>"$PIPE"; exec "$@""#, "/dev/fd/3"),
        (r#"exec 3>"$PIPE"; exec "$@""#, "/proc/self/fd/3"),
    ] {
        let mut command = right.command("sh");
        command.env("PIPE", &fifo).args(["-c", script, "sh", tool(), "-i", "right", "-w", output]);
        let mut capture = Capture::spawn(&mut command);
        let mut reader = File::open(&fifo).unwrap();
        capture.wait_for("listening on");
        reader.read_exact(&mut [0; 4]).unwrap();
        drop(reader);
        assert_eq!(capture.wait().totals(), Totals::exact(0, 0), "{output}");
        wait::until_equal(&Traces::default(), || right.traces("right"));
    }
}

#[test]
fn a_named_pipe_that_nobody_reads_is_waited_for_with_a_line_and_can_be_given_up() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let fifo = named_pipe(directory.path());
    let arguments = ["-i", "right", "-w", fifo.to_str().unwrap()];
    let start = || {
        let mut capture = Capture::spawn(right.command(tool()).args(arguments));
        capture.wait_for("waiting for a reader of the named pipe ");
        capture
    };
    let mut capture = start();
    let mut reader = CaptureFile::new(File::open(&fifo).unwrap(), "pipe").unwrap();
    capture.wait_for("listening on");
    assert!(matches!(reader.next(), Ok(Some(Item::Block(_)))));
    assert!(matches!(reader.next(), Ok(Some(Item::Interface(_)))));
    assert_eq!(capture.stop().totals(), Totals::exact(0, 0));
    drop(reader);

    let capture = start();
    assert!(!capture.stop().status.success());
    wait::until_equal(&Traces::default(), || right.traces("right"));
}

/// The pipe is full because its reader reads slowly or not at all. A signal still ends the capture, with totals that add
/// up.
#[test]
fn a_pipe_that_is_stuck_does_not_keep_a_capture_from_ending() {
    for (options, pause) in [
        (&["-w", "-"][..], None),
        (&["-w", "-"], Some(Duration::from_millis(20))),
        (&["-w", "-", "--transport", "perf"], None),
        (&["-x", "-n"], None),
    ] {
        let (left, right) = NetNs::quiet_pair("left", "right");
        let mut command = right.command(tool());
        command.args(["-i", "right"]).args(options).stdout(Stdio::piped());
        let mut capture = Capture::spawn(&mut command);
        capture.wait_for("listening on");
        let mut pipe = capture.stdout();
        let wire = Wire::open(&left, "left");
        // More frames than pipe and buffer hold.
        for _ in 0..4000 {
            wire.send(&wire::frame(1514, b""));
        }
        thread::sleep(Duration::from_millis(200));
        // A report is printed and the capture goes on.
        capture.signal(libc::SIGUSR1);
        capture.wait_for("packets captured, ");
        assert!(capture.is_running());
        let reader = thread::spawn(move || {
            if let Some(pause) = pause {
                while pipe.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                    thread::sleep(pause);
                }
            }
            pipe
        });
        let signalled = Instant::now();
        capture.signal(libc::SIGTERM);
        let ended = capture.wait();
        let took = signalled.elapsed();
        assert!(took < Duration::from_secs(6), "{options:?} {pause:?}: {took:?}");
        assert!(ended.failure().ends_with("the reader did not take the rest in time"), "{}", ended.stderr);
        let lost = |words: &str| {
            let line = ended.stderr.lines().find_map(|line| line.strip_suffix(words));
            line.map_or(0, |count| count.split(' ').next().unwrap().parse::<u64>().unwrap())
        };
        let counts = ended.counts();
        let unread = lost(" left unread") + lost(" lost by the output");
        assert!(unread > 0, "{}", ended.stderr);
        assert_eq!(counts.received, counts.captured + counts.dropped + unread, "{}", ended.stderr);
        wait::until_equal(&Traces::default(), || right.traces("right"));
        drop(reader.join().unwrap());
    }
}

fn named_pipe(directory: &Path) -> PathBuf {
    let path = directory.join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

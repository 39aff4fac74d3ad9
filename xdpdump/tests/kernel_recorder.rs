//! The flight recorder on a real kernel: what is kept, what is written, and when. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    disk::Disk,
    files::{self, Contents, Recorded},
    kernel,
    scene::Scene,
    wait,
};

/// The dumps in a folder, from the oldest on.
fn dumps(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Asks for a dump, waits for it, and reads it.
fn dump(capture: &mut Capture) -> Contents {
    capture.signal(libc::SIGUSR2);
    written(capture)
}

/// Waits for a dump, and reads it.
fn written(capture: &mut Capture) -> Contents {
    let line = capture.wait_for("wrote ");
    let file = line.split(" to ").nth(1).unwrap().split(',').next().unwrap();
    let contents = files::read(Path::new(file));
    assert_eq!(files::read_by_tshark(Path::new(file)).len(), contents.packets.len());
    assert_eq!(contents.statistics[0].delivered, contents.packets.len() as u64);
    contents
}

/// Bytes of a packet in a file.
fn block_len(packet: &Recorded) -> u64 {
    // A 200-byte frame, with header, options and trailer.
    let frame = packet.frame.len().next_multiple_of(4) as u64;
    let lost = if packet.meta.lost > 0 { 12 } else { 0 };
    32 + frame + 16 + lost
}

/// Asserts that each CPU's frames have consecutive numbers: none is missing.
fn assert_no_gap(packets: &[Recorded]) {
    let mut last = std::collections::BTreeMap::new();
    for packet in packets {
        let id = packet.meta.packet_id.unwrap();
        let (cpu, number) = (id >> 48, id & ((1 << 48) - 1));
        if let Some(before) = last.insert(cpu, number) {
            assert_eq!(number, before + 1 + packet.meta.lost, "a gap on CPU {cpu}");
        }
    }
}

#[test]
fn a_dump_has_exactly_the_newest_packets_under_load() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let mut capture = scene.capture(&["--keep", "4M", "--transport", transport]);
        scene.load(|| {
            for _ in 0..3 {
                thread::sleep(Duration::from_millis(500));
                let contents = dump(&mut capture);
                let len: u64 = contents.packets.iter().map(block_len).sum();
                // Not a packet more or less than fits.
                assert!((4 << 20) - 300 < len && len <= 4 << 20, "{transport}: {len} bytes");
                assert_no_gap(&contents.packets);
                assert!(contents.packets.is_sorted_by_key(|packet| packet.time));
            }
        });
        let arrived = scene.arrived();
        let totals = capture.stop().totals();
        assert_eq!(totals.captured + totals.dropped, arrived, "{transport}");
        assert_eq!(dumps(scene.directory.path()).len(), 3, "nothing else is written");
    }
}

#[test]
fn packets_of_so_much_time_are_kept_and_of_so_much_time_after() {
    let scene = Scene::new();
    let mut capture = scene.capture(&["--keep", "500ms", "--after", "300ms"]);
    let contents = scene.load(|| {
        thread::sleep(Duration::from_secs(1));
        dump(&mut capture)
    });
    let packets = &contents.packets;
    let milliseconds = (packets.last().unwrap().time - packets[0].time) / 1_000_000;
    assert!((700..=900).contains(&milliseconds), "{milliseconds} ms");
    assert_no_gap(packets);
    capture.stop().totals();
}

#[test]
fn a_command_asks_for_a_dump() {
    let scene = Scene::new();
    let mut capture = scene.capture(&["--keep", "1M"]);
    scene.send_numbered(7);
    // Until they are read.
    thread::sleep(Duration::from_millis(300));
    let pid = capture.pid().to_string();
    assert!(Command::new(xdpdump()).args(["dump", &pid]).status().unwrap().success());
    assert_eq!(written(&mut capture).packets.len(), 7);
    assert_eq!(capture.stop().totals(), Totals::exact(7, 0));

    let plain = scene.capture(&[]);
    let output = Command::new(xdpdump()).args(["dump", &plain.pid().to_string()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("keeps no packets"));
    plain.stop();
}

#[test]
fn a_packet_that_the_trigger_accepts_is_the_last_one_of_a_dump() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let mut capture =
            scene.capture(&["--keep", "1M", "--trigger", "udp port 7777", "--transport", transport]);
        for port in [1, 2, 3, 7777] {
            scene.send_udp(port);
        }
        let packets = written(&mut capture).packets;
        assert_eq!(packets.len(), 4, "{transport}");
        let ended = capture.stop();
        assert!(ended.stderr.contains("because of a packet that --trigger accepts"), "{}", ended.stderr);
    }
}

/// Otherwise it would fill the disk.
#[test]
fn a_trigger_that_accepts_every_packet_does_not_write_all_the_time() {
    let scene = Scene::new();
    let capture = scene.capture(&["--keep", "1M", "--trigger", "greater 1"]);
    scene.load(|| thread::sleep(Duration::from_secs(2)));
    capture.stop().totals();
    assert_eq!(dumps(scene.directory.path()).len(), 1);
}

#[test]
fn losses_are_followed_by_a_dump() {
    let scene = Scene::new();
    let mut capture = scene.capture(&["--keep", "1M", "--dump-on-loss", "-B", "64"]);
    scene.load(|| {
        thread::sleep(Duration::from_millis(200));
        capture.signal(libc::SIGSTOP);
        thread::sleep(Duration::from_secs(1));
        capture.signal(libc::SIGCONT);
        let line = capture.wait_for("because packets were lost");
        assert!(line.contains("wrote "), "{line}");
    });
    let totals = capture.stop().totals();
    assert!(totals.dropped > 0);
}

#[test]
fn a_dump_that_cannot_be_written_does_not_end_the_capture() {
    let scene = Scene::new();
    let disk = Disk::in_memory(200 << 10);
    let mut capture = scene.capture_to(&disk.path().join("out.pcapng"), &["--keep", "4M"]);
    scene.load(|| {
        thread::sleep(Duration::from_millis(500));
        capture.signal(libc::SIGUSR2);
        let line = capture.wait_for("no space left on device");
        assert!(line.contains("the capture goes on"), "{line}");
    });
    assert!(capture.is_running());
    for file in dumps(disk.path()) {
        files::read(&file);
        fs::remove_file(file).unwrap();
    }
    let arrived = scene.arrived();
    let totals = capture.stop().totals();
    assert_eq!(totals.captured + totals.dropped, arrived);
}

#[test]
fn a_dump_that_is_written_at_the_end_is_whole() {
    let scene = Scene::new();
    let capture = scene.capture(&["--keep", "1M", "--after", "1h"]);
    scene.send_numbered(5);
    wait::until(|| {
        capture.signal(libc::SIGUSR2);
        thread::sleep(Duration::from_millis(100));
        dumps(scene.directory.path()).len() == 1
    });
    scene.send_numbered(5);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(capture.stop().totals(), Totals::exact(10, 0));
    let contents = files::read(&dumps(scene.directory.path())[0]);
    assert_eq!(contents.packets.len(), 10);
}

#[test]
fn dumps_can_be_compressed() {
    let scene = Scene::new();
    let path = scene.directory.path().join("out.pcapng.zst");
    let mut capture = scene.capture_to(&path, &["--keep", "4M"]);
    let packets = scene.load(|| {
        thread::sleep(Duration::from_millis(500));
        dump(&mut capture).packets
    });
    assert_no_gap(&packets);
    capture.stop();
    let [file] = &dumps(scene.directory.path())[..] else { panic!("not one file") };
    assert!(file.to_str().unwrap().ends_with(".pcapng.zst"));
    assert!(file.metadata().unwrap().len() < 2 << 20);
}

/// Packets come faster than they fit, while dumps are asked for all the time.
#[test]
fn memory_is_bounded() {
    let scene = Scene::new();
    let capture = scene.capture(&["--keep", "8M", "--transport", "perf", "-B", "2048"]);
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", capture.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let mut most = 0;
    scene.load(|| {
        for _ in 0..30 {
            capture.signal(libc::SIGUSR2);
            thread::sleep(Duration::from_millis(100));
            most = most.max(memory());
        }
    });
    capture.stop();
    assert!(most < 20 << 10, "{most} KiB");
}

#[test]
fn what_cannot_be_kept_is_refused() {
    for (arguments, words) in [
        (&["--keep", "30m", "-w", "a"][..], "30m may be minutes or MiB"),
        (&["--keep", "64M", "-w", "a.pcap"], "--keep writes pcapng files"),
        (&["--keep", "64M"], "--write"),
        (&["--trigger", "udp", "-w", "a"], "--keep"),
        (&["--keep", "64M", "-w", "a", "-C", "1"], "cannot be used with"),
    ] {
        let output = Command::new(xdpdump()).args(["-i", "none"]).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    let scene = Scene::new();
    for (path, words, status) in
        [("-", "no name for files", 2), ("/no/such/folder/a", "no such directory", 1)]
    {
        let mut command = scene.right.command(xdpdump());
        let output = command.args(["-i", "right", "--keep", "1M", "-w", path]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(words), "{stderr}");
        assert_eq!(output.status.code(), Some(status));
    }
}

//! Captures that are compressed while they are written, on a real kernel. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use xdpdump_testing::{
    capture::{Capture, xdpdump},
    disk::Disk,
    files, kernel,
    scene::Scene,
    wait,
};

/// The bytes of a file, decompressed by zstd(1), which complains about damage.
fn decompressed(file: &Path) -> Vec<u8> {
    let output = Command::new("zstd").args(["-dcq"]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn lines(output: &Output) -> usize {
    String::from_utf8_lossy(&output.stdout).lines().count()
}

/// What the tool prints of a file.
fn read(file: &Path) -> Output {
    Command::new(xdpdump()).args(["-nq", "-r"]).arg(file).output().unwrap()
}

fn size(file: &Path) -> u64 {
    file.metadata().unwrap().len()
}

#[test]
fn no_packet_is_missing_from_a_compressed_file() {
    for transport in kernel::transports() {
        for name in ["out.pcapng.zst", "out.pcap.zst"] {
            let scene = Scene::new();
            let file = scene.directory.path().join(name);
            let capture = scene.capture_to(&file, &["--transport", transport]);
            scene.load(|| thread::sleep(Duration::from_secs(1)));
            let arrived = scene.arrived();
            let totals = capture.stop().totals();
            assert_eq!(totals.captured + totals.dropped, arrived, "{transport}");
            let packets = files::read(&file).packets;
            assert_eq!(packets.len() as u64, totals.captured, "{transport} {name}");
            assert_eq!(files::read_by_tshark(&file).len(), packets.len());
            // The frames of the load are alike.
            assert!(size(&file) * 4 < decompressed(&file).len() as u64, "{transport} {name}");
        }
    }
}

#[test]
fn the_option_compresses_whatever_the_name() {
    let scene = Scene::new();
    let capture = scene.capture(&["--compress=9"]);
    scene.send_numbered(3);
    capture.stop();
    assert_eq!(files::read(&scene.file()).packets.len(), 3);
    assert_eq!(&fs::read(scene.file()).unwrap()[..4], [0x28, 0xb5, 0x2f, 0xfd]);
}

/// Files are full when they have so many compressed bytes.
#[test]
fn compressed_files_follow_each_other() {
    let scene = Scene::new();
    let capture = scene.capture_to(&scene.directory.path().join("a.pcapng.zst"), &["-C", "100k"]);
    scene.load(|| thread::sleep(Duration::from_secs(2)));
    let totals = capture.stop().totals();
    let files: Vec<PathBuf> =
        fs::read_dir(scene.directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 2, "{files:?}");
    let mut packets = 0;
    for file in &files {
        assert!(file.extension().unwrap() == "zst", "{}", file.display());
        let contents = files::read(file);
        assert_eq!(contents.statistics[0].delivered, contents.packets.len() as u64);
        packets += contents.packets.len() as u64;
    }
    assert_eq!(packets, totals.captured);
    let full = files.iter().filter(|file| (95 << 10..130 << 10).contains(&size(file))).count();
    assert!(full >= files.len() - 1, "{:?}", files.iter().map(|file| size(file)).collect::<Vec<_>>());
}

#[test]
fn every_frame_opens_after_a_kill() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let file = scene.directory.path().join("out.pcapng.zst");
        let capture = scene.capture_to(&file, &["--transport", transport]);
        scene.load(|| {
            wait::until(|| size(&file) > 200_000);
            capture.signal(libc::SIGKILL);
            capture.wait();
        });
        // The guardian cuts the file when its writer is gone.
        wait::until(|| {
            Command::new("zstd").arg("-tq").arg(&file).stderr(Stdio::null()).status().unwrap().success()
        });
        let packets = files::read(&file).packets;
        assert!(packets.len() > 100, "{}", packets.len());
        assert_eq!(files::read_by_tshark(&file).len(), packets.len());
    }
}

/// So it is after a power failure, which leaves no guardian.
#[test]
fn what_is_before_an_incomplete_frame_can_be_read() {
    let scene = Scene::new();
    let file = scene.directory.path().join("out.pcapng.zst");
    let capture = scene.capture_to(&file, &["-U"]);
    for number in 0..5 {
        let before = size(&file);
        scene.send_udp(number);
        wait::until(|| size(&file) > before);
    }
    capture.stop();
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 5]).unwrap();
    let output = read(&file);
    assert_eq!(lines(&output), 5);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("truncated zstd data"), "{stderr}");
}

#[test]
fn a_full_disk_leaves_whole_frames_and_exact_books() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let disk = Disk::in_memory(300 << 10);
        let file = disk.path().join("out.pcapng.zst");
        let capture = scene.capture_to(&file, &["--transport", transport]);
        let ended = scene.load(|| capture.wait());
        assert!(ended.failure().contains("no space left on device"), "{}", ended.stderr);
        decompressed(&file);
        assert_eq!(
            ended.accounted(),
            files::read(&file).packets.len() as u64,
            "{transport}: {}",
            ended.stderr
        );
    }
}

/// Whoever reads the file while it is written waits for a second or two, not until a frame is full.
#[test]
fn a_packet_is_in_the_file_soon() {
    let scene = Scene::new();
    let file = scene.directory.path().join("out.pcapng.zst");
    let capture = scene.capture_to(&file, &[]);
    scene.send_udp(1);
    scene.send_udp(2);
    let begin = Instant::now();
    wait::until(|| lines(&read(&file)) == 2);
    assert!(begin.elapsed() < Duration::from_secs(10));
    capture.stop();
}

#[test]
fn a_pipe_gets_compressed_packets_at_once() {
    let scene = Scene::new();
    let mut command = scene.right.command(xdpdump());
    command.args(["-i", "right", "-w", "-", "--compress"]).stdout(Stdio::piped());
    let mut capture = Capture::spawn(&mut command);
    capture.wait_for("listening on");
    let mut stdout = capture.stdout();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).unwrap();
        bytes
    });
    scene.send_numbered(5);
    thread::sleep(Duration::from_millis(300));
    capture.stop();
    let path = scene.directory.path().join("read");
    fs::write(&path, reader.join().unwrap()).unwrap();
    assert_eq!(files::read(&path).packets.len(), 5);
}

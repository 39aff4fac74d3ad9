//! Captures in several files on a real kernel. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use xdpdump::packet::InterfaceStatistics;
use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    disk::Disk,
    files, kernel, processes,
    scene::Scene,
    wait, wire,
};

/// The files of a folder, from the oldest on; not those whose names are hidden.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| !file.file_name().unwrap().to_str().unwrap().starts_with('.'));
    // Those of one capture begin at different times, and are renamed when they do.
    files.sort_by_key(|file| files::read(file).packets.first().map_or(i64::MAX, |packet| packet.time));
    files
}

/// Asserts that each file in the folder is complete in itself, and that all together make up these totals.
fn assert_make_up(folder: &Path, totals: Totals) {
    let mut sum = InterfaceStatistics::default();
    for file in files_in(folder) {
        let contents = files::read(&file);
        let [statistics] = contents.statistics[..] else { panic!("{}: no totals", file.display()) };
        assert_eq!(contents.interfaces.len(), 1);
        assert_eq!(statistics.delivered, contents.packets.len() as u64, "{}", file.display());
        assert_eq!(files::read_by_tshark(&file).len(), contents.packets.len());
        sum.received += statistics.received;
        sum.accepted += statistics.accepted;
        sum.dropped += statistics.dropped;
        sum.delivered += statistics.delivered;
    }
    assert_eq!(sum.delivered, totals.captured);
    assert_eq!(sum.accepted, totals.received);
    assert_eq!(sum.received, totals.received);
    assert_eq!(sum.dropped, totals.dropped);
    let left = fs::read_dir(folder).unwrap().count();
    assert_eq!(left, files_in(folder).len(), "the file that was ready for later is left");
}

/// A load so high that files are full several times while rings are read once.
#[test]
fn no_packet_is_missing_between_files() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let capture = scene.capture(&["-C", "300k", "--transport", transport]);
        scene.load(|| thread::sleep(Duration::from_secs(1)));
        let arrived = scene.arrived();
        let totals = capture.stop().totals();
        assert_eq!(totals.captured + totals.dropped, arrived, "{transport}");
        assert_make_up(scene.directory.path(), totals);
        let files = files_in(scene.directory.path());
        assert!(files.len() > 3, "{transport}: {} files", files.len());
        let size = |file: &PathBuf| file.metadata().unwrap().len();
        let packets: Vec<_> = files.iter().flat_map(|file| files::read(file).packets).collect();
        assert!(packets.is_sorted_by_key(|packet| packet.time));
        // A packet more than the size, and the totals.
        assert!(files.iter().all(|file| size(file) < 300 * 1024 + 1024), "{transport}");
    }
}

#[test]
fn files_of_equal_time_follow_each_other_also_when_no_packet_arrives() {
    let scene = Scene::new();
    let pattern = scene.directory.path().join("%s.pcapng");
    let capture = scene.capture_to(&pattern, &["-G", "1"]);
    scene.send_numbered(3);
    let folder = scene.directory.path();
    wait::until(|| files_in(folder).len() >= 4);
    let totals = capture.stop().totals();
    assert_eq!(totals, Totals::exact(3, 0));
    assert_make_up(folder, totals);
    let mut seconds: Vec<u64> = files_in(folder)
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap().parse().unwrap())
        .collect();
    seconds.sort_unstable();
    assert!(seconds.windows(2).all(|two| two[0] < two[1]), "{seconds:?}");
}

#[test]
fn packets_are_in_the_file_of_their_time() {
    let scene = Scene::new();
    let pattern = scene.directory.path().join("%s.pcapng");
    let capture = scene.capture_to(&pattern, &["-G", "1"]);
    scene.load(|| thread::sleep(Duration::from_secs(3)));
    let ended = capture.stop();
    assert_make_up(scene.directory.path(), ended.totals());
    let mut elsewhere = 0;
    for file in files_in(scene.directory.path()) {
        let contents = files::read(&file);
        let begin = contents.statistics[0].start.0;
        let period = begin..begin + 1_000_000_000;
        elsewhere += contents.packets.iter().filter(|packet| !period.contains(&packet.time)).count();
    }
    assert!(elsewhere as u64 <= ended.late(), "{elsewhere}: {}", ended.stderr);
}

/// Packets come just after each boundary, before the clock of the capture gets there.
#[test]
fn aligned_periods_have_one_file_each() {
    let scene = Scene::new();
    let capture = scene.capture_to(&scene.directory.path().join("%s.pcapng"), &["-G", "1", "--align"]);
    scene.load(|| thread::sleep(Duration::from_secs(4)));
    assert_make_up(scene.directory.path(), capture.stop().totals());
    let files = files_in(scene.directory.path());
    assert!(files.len() >= 4);
    for file in files {
        assert!(file.extension().unwrap() == "pcapng", "two files for one second: {}", file.display());
    }
}

#[test]
fn folders_can_be_named_by_the_time() {
    let scene = Scene::new();
    for second in 0..60 {
        fs::create_dir(scene.directory.path().join(format!("{second:02}"))).unwrap();
    }
    let capture = scene.capture_to(&scene.directory.path().join("%S/a.pcapng"), &["-G", "1"]);
    scene.send_numbered(3);
    thread::sleep(Duration::from_millis(2500));
    assert_eq!(capture.stop().totals(), Totals::exact(3, 0));
    let folders = fs::read_dir(scene.directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = folders.map(|folder| folder.join("a.pcapng")).filter(|file| file.exists()).collect();
    assert!(files.len() >= 3, "{files:?}");
}

#[test]
fn the_capture_ends_after_a_number_of_periods() {
    let scene = Scene::new();
    let ended = scene.capture(&["-G", "1", "-W", "2"]).wait();
    assert_eq!(ended.totals(), Totals::exact(0, 0));
    assert!(ended.stderr.contains("the last of 2 files is complete (-W)"), "{}", ended.stderr);
    assert_make_up(scene.directory.path(), ended.totals());
    assert_eq!(files_in(scene.directory.path()).len(), 2);
}

#[test]
fn a_ring_of_files_keeps_the_newest_packets_under_load() {
    let scene = Scene::new();
    let capture = scene.capture(&["-C", "300k", "-W", "3"]);
    scene.load(|| thread::sleep(Duration::from_secs(1)));
    // The last frame, which no other one is like.
    scene.send(77);
    scene.arrived();
    capture.stop().totals();
    let files = files_in(scene.directory.path());
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let packets: Vec<_> = files.iter().flat_map(|file| files::read(file).packets).collect();
    assert_eq!(packets.last().unwrap().frame, wire::frame(77, b""));
    assert!(packets.is_sorted_by_key(|packet| packet.time));
}

#[test]
fn sighup_begins_another_file_if_that_is_wanted() {
    let scene = Scene::new();
    let capture = scene.capture(&["--rotate-on-hangup"]);
    for number in 1..=3 {
        scene.send_numbered(2);
        capture.signal(libc::SIGHUP);
        let next = scene.directory.path().join(format!("capture.pcapng{number}"));
        wait::until(|| next.exists());
    }
    let totals = capture.stop().totals();
    assert_eq!(totals, Totals::exact(6, 0));
    assert_make_up(scene.directory.path(), totals);
    assert_eq!(files_in(scene.directory.path()).len(), 4);

    let scene = Scene::new();
    let capture = scene.capture(&["-C", "1"]);
    capture.signal(libc::SIGHUP);
    assert_eq!(capture.wait().totals(), Totals::exact(0, 0));
}

#[test]
fn every_file_opens_after_a_kill() {
    let scene = Scene::new();
    let capture = scene.capture(&["-C", "300k", "-W", "5"]);
    scene.load(|| {
        wait::until(|| scene.directory.path().join("capture.pcapng4").exists());
        capture.signal(libc::SIGKILL);
        capture.wait();
    });
    // The guardian cuts the file after the capture's end.
    wait::until(|| {
        let whole = |file: &PathBuf| {
            let output = std::process::Command::new("tshark").arg("-r").arg(file).output().unwrap();
            output.status.success()
        };
        fs::read_dir(scene.directory.path()).unwrap().all(|entry| whole(&entry.unwrap().path()))
    });
    let is_empty = |file: &PathBuf| files::read(file).packets.is_empty();
    let empty: Vec<_> = files_in(scene.directory.path()).into_iter().filter(is_empty).collect();
    assert!(empty.len() <= 1, "not only the file that was written lacks its packets: {empty:?}");
    // What the killed capture had made ready is no obstacle for the next one.
    let capture = scene.capture(&["-C", "300k", "-W", "5"]);
    scene.send_numbered(1);
    assert_eq!(capture.stop().totals(), Totals::exact(1, 0));
}

#[test]
fn a_folder_that_vanishes_ends_the_capture() {
    let scene = Scene::new();
    let folder = scene.directory.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let mut capture: Capture = scene.capture_to(&folder.join("out.pcapng"), &["-G", "1"]);
    capture.hear("listening on");
    scene.send_numbered(3);
    let moved = scene.directory.path().join("moved");
    fs::rename(&folder, &moved).unwrap();
    let ended = capture.wait();
    assert!(ended.failure().contains("no such directory"), "{}", ended.stderr);
    assert_eq!(ended.accounted(), 3);
    let packets: usize = files_in(&moved).iter().map(|file| files::read(file).packets.len()).sum();
    assert_eq!(packets, 3);
}

#[test]
fn commands_that_fail_or_hang_do_not_delay_the_capture() {
    let scene = Scene::new();
    let pid = scene.directory.path().join("pid");
    let script = scene.directory.path().join("command");
    fs::write(&script, format!("#!/bin/sh\necho $$ >> {}\nexec sleep 1000 2>/dev/null >&2\n", pid.display()))
        .unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let capture = scene.capture(&["-C", "300k", "-z", script.to_str().unwrap()]);
    scene.load(|| thread::sleep(Duration::from_secs(1)));
    let arrived = scene.arrived();
    let totals = capture.stop().totals();
    assert_eq!(totals.captured + totals.dropped, arrived);
    // Those that run hold up only the next ones, also at the end.
    let lines = fs::read_to_string(&pid).unwrap();
    assert_eq!(lines.lines().count(), 4);
    for line in lines.lines() {
        processes::signal(line.parse().unwrap(), libc::SIGKILL);
    }

    let scene = Scene::new();
    let mut capture = scene.capture(&["-G", "1", "-z", "false"]);
    let first = scene.file();
    capture.wait_for(&format!("-z false failed on {}: its status is 1", first.display()));
    capture.stop().totals();
}

#[test]
fn the_oldest_files_are_deleted_when_all_have_too_many_bytes() {
    let scene = Scene::new();
    let folder = scene.directory.path();
    // Of an earlier capture: the first two count, the others are none of its files.
    let earlier = ["capture.pcapng7", "capture.pcapng8.gz", "capture.pcap", "other.pcapng"];
    for (age, name) in (0..).zip(earlier) {
        let file = fs::File::create(folder.join(name)).unwrap();
        file.set_len(1 << 20).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(100 - age)).unwrap();
    }
    let capture = scene.capture(&["-C", "300k", "--max-total", "2000k"]);
    assert!(!folder.join(earlier[0]).exists(), "the budget counts from the beginning");
    let total = || -> u64 {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let is_ours =
            |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("capture.pcapng");
        // One may be deleted meanwhile.
        files.filter(is_ours).filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
    };
    scene.load(|| {
        for _ in 0..20 {
            // What a file gets after the last look at all of them. Files come and go while they are counted.
            wait::until(|| total() <= (2000 << 10) + 2 * (300 << 10));
            thread::sleep(Duration::from_millis(50));
        }
    });
    capture.stop().totals();
    assert!(total() <= 2000 << 10, "{} bytes", total());
    for (name, stays) in earlier.iter().zip([false, false, true, true]) {
        assert_eq!(folder.join(name).exists(), stays, "{name}");
    }
}

#[test]
fn a_disk_with_too_little_room_ends_the_capture_after_the_oldest_files() {
    let scene = Scene::new();
    let disk = Disk::in_memory(8 << 20);
    let old = disk.path().join("out.pcapng5");
    fs::write(&old, vec![0; 4 << 20]).unwrap();
    let options = ["-C", "300k", "--min-free", "6m"];
    let capture = scene.capture_to(&disk.path().join("out.pcapng"), &options);
    assert!(!old.exists());
    scene.load(|| thread::sleep(Duration::from_secs(1)));
    capture.stop().accounted();
    // Nothing is left to delete.
    fs::write(disk.path().join("else"), vec![0; 4 << 20]).unwrap();
    let mut command = scene.right.command(xdpdump());
    let path = disk.path().join("new.pcapng");
    let ended =
        Capture::spawn(command.args(["-i", "right", "-w", path.to_str().unwrap()]).args(options)).wait();
    assert!(ended.failure().contains("fewer than --min-free"), "{}", ended.stderr);
}

/// Also those that were on their way to the next file when the disk was full.
#[test]
fn a_full_disk_loses_no_packet_that_is_not_counted() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let disk = Disk::in_memory(600 << 10);
        let path = disk.path().join("out.pcapng");
        let capture = scene.capture_to(&path, &["-C", "100k", "--transport", transport]);
        let ended = scene.load(|| capture.wait());
        assert!(ended.failure().contains("no space left on device"), "{}", ended.stderr);
        let files = files_in(disk.path());
        let packets: usize = files.iter().map(|file| files::read(file).packets.len()).sum();
        assert_eq!(ended.accounted(), packets as u64, "{transport}: {}", ended.stderr);
    }
}

#[test]
fn a_capture_ends_after_a_time_and_after_a_number_of_bytes() {
    let scene = Scene::new();
    let begin = Instant::now();
    let ended = scene.capture(&["--duration", "1s"]).wait();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(ended.totals(), Totals::exact(0, 0));
    assert!(ended.stderr.contains("the time of --duration is over"), "{}", ended.stderr);

    for rotation in [&["-C", "300k"][..], &[]] {
        let scene = Scene::new();
        let capture = scene.capture(&[&["--max-bytes", "1m"], rotation].concat());
        let ended = scene.load(|| capture.wait());
        assert!(ended.stderr.contains("the bytes of --max-bytes are written"), "{}", ended.stderr);
        assert_eq!(ended.status.code(), Some(0));
        let bytes: u64 =
            files_in(scene.directory.path()).iter().map(|file| file.metadata().unwrap().len()).sum();
        assert!(bytes >= 1 << 20, "{bytes}");
    }
}

//! Faults during a capture: the output fails, the process is stopped or killed, memory runs out. Frames are captured or
//! counted as lost, and the file can be opened. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use xdpdump::repair::repair;
use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    cgroup::ControlGroup,
    disk::Disk,
    files, kernel,
    objects::Objects,
    processes,
    scene::Scene,
    wait,
    wire::{self, Wire},
};

/// Asserts that tshark reads the file without a complaint and finds as many packets as the totals say.
fn assert_holds(path: &Path, totals: Totals) {
    assert_eq!(totals, Totals::exact(totals.captured, totals.dropped));
    assert_eq!(files::read_by_tshark(path).len() as u64, totals.captured);
    assert_eq!(files::read(path).packets.len() as u64, totals.captured);
}

/// A capture under load to `path`, whose output fails after `fail` was called.
fn output_fails(path: &Path, transport: &str, fail: impl FnOnce()) -> Ended {
    let scene = Scene::new();
    let capture = scene.capture_to(path, &["--transport", transport, "-B", "2048"]);
    let objects = Objects::of_process(capture.pid());
    let ended = scene.load(|| {
        fail();
        capture.wait()
    });
    scene.assert_clean();
    objects.assert_gone();
    let sentence = format!("cannot write to {}: ", path.display());
    assert!(ended.failure().starts_with(&sentence), "{}", ended.stderr);
    ended
}

#[test]
fn a_disk_that_fills_up_under_load_ends_the_capture() {
    for &transport in kernel::transports() {
        let disk = Disk::in_memory(4 << 20);
        let path = disk.path().join("full.pcapng");
        let ended = output_fails(&path, transport, || {});
        let in_the_file = files::read(&path).packets.len() as u64;
        assert_eq!(files::read_by_tshark(&path).len() as u64, in_the_file);
        assert_eq!(ended.accounted(), in_the_file, "{}", ended.stderr);
        assert!(ended.failure().ends_with("free some space or write elsewhere with -w"), "{}", ended.stderr);
    }
}

#[test]
fn a_file_system_that_goes_read_only_ends_the_capture() {
    for &transport in kernel::transports() {
        let disk = Disk::ext4();
        let path = disk.path().join("capture.pcapng");
        let ended = output_fails(&path, transport, || {
            wait::until(|| fs::metadata(&path).is_ok_and(|file| file.len() > 64 << 10));
            disk.abort();
        });
        assert!(ended.counts().captured > 0, "{}", ended.stderr);
        // The error for such a file system, and whether it can still be read, depend on the kernel's version: on Linux 6.12
        // reading fails as well.
        let reason = ended.failure().split_once(&format!("{}: ", path.display())).unwrap().1;
        if File::open(&path).map_err(|error| error.raw_os_error()).err() == Some(Some(libc::EIO)) {
            assert!(reason.starts_with("Input/output error"), "{reason}");
            continue;
        }
        assert!(reason.starts_with("the file system is read-only: write elsewhere with -w"), "{reason}");
        // A partial record cannot be removed from a read-only file system.
        if !reason.contains("; the file ends within a packet (`xdpdump repair`") {
            files::read(&path);
            files::read_by_tshark(&path);
        }
    }
}

#[test]
fn a_reader_that_pauses_costs_frames_and_each_is_counted() {
    for &transport in kernel::transports() {
        let scene = Scene::new();
        let mut command = scene.right.command(xdpdump());
        command
            .args(["-i", "right", "--transport", transport, "-B", "2048", "-w", "-"])
            .stdout(Stdio::piped());
        let mut capture = Capture::spawn(&mut command);
        capture.wait_for("listening on");
        let objects = Objects::of_process(capture.pid());
        let mut pipe = capture.stdout();
        let mut file = File::create(scene.file()).unwrap();

        let reader = scene.load(|| {
            thread::sleep(Duration::from_secs(10));
            let reader = thread::spawn(move || io::copy(&mut pipe, &mut file).unwrap());
            thread::sleep(Duration::from_millis(500));
            reader
        });
        // The load has ended and the capture goes on: as soon as the rings have room again, this frame is the last one in the
        // file.
        let last = wire::frame(60, b"last");
        let wire = Wire::open(&scene.left, "left");
        wait::until(|| {
            wire.send(&last);
            thread::sleep(Duration::from_millis(200));
            fs::read(scene.file()).unwrap().windows(last.len()).any(|bytes| bytes == last)
        });
        let arrived = scene.arrived();
        let totals = capture.stop().totals();
        reader.join().unwrap();

        assert_eq!(totals.received, arrived, "{transport}");
        assert!(totals.dropped > 0, "{transport}: {totals:?}");
        assert_holds(&scene.file(), totals);
        assert_eq!(*files::read(&scene.file()).frames().last().unwrap(), last);
        scene.assert_clean();
        objects.assert_gone();
    }
}

#[test]
fn a_capture_that_was_stopped_for_two_seconds_counts_what_it_lost() {
    for &transport in kernel::transports() {
        let scene = Scene::new();
        let capture = scene.capture(&["--transport", transport, "-B", "2048"]);
        let objects = Objects::of_process(capture.pid());
        scene.load(|| {
            thread::sleep(Duration::from_millis(200));
            capture.signal(libc::SIGSTOP);
            thread::sleep(Duration::from_secs(2));
            capture.signal(libc::SIGCONT);
            thread::sleep(Duration::from_millis(200));
        });
        let arrived = scene.arrived();
        let totals = capture.stop().totals();
        assert_eq!(totals.received, arrived, "{transport}");
        assert!(totals.dropped > 0, "{transport}: {totals:?}");
        assert_holds(&scene.file(), totals);
        scene.assert_clean();
        objects.assert_gone();
    }
}

#[test]
fn a_hundred_captures_killed_under_load_leave_files_that_open() {
    // A slow virtual machine has all the other tests to run as well.
    let kills = if wait::slowness() == 1 { 100 } else { 20 };
    let transports = kernel::transports();
    let scene = Scene::new();
    for (netns, interface) in [(&scene.left, "left"), (&scene.right, "right")] {
        netns.ip(["link", "set", interface, "mtu", "3500"]);
    }
    // A file system that copies page by page and checks for fatal signals in between.
    let disk = Disk::in_memory(1 << 30);
    let mut objects = Objects::default();
    let all = scene.directory.path().join("all.pcapng");
    let mut sections = File::create(&all).unwrap();
    let mut packets = 0;
    // Large frames, so that there are many bytes to write: without guardians a few of these files end within a record.
    scene.load_of(3000, || {
        for kill in 0..kills {
            let name = if kill % 10 == 9 { "killed.pcap" } else { "killed.pcapng" };
            let path = disk.path().join(name);
            let transport = transports[kill as usize % transports.len()];
            let capture = scene.capture_to(&path, &["--transport", transport, "-B", "4096"]);
            objects.extend(Objects::of_process(capture.pid()));
            let guardians = processes::children(capture.pid());
            assert_eq!(guardians.len(), 1);
            // Vary the time, so that captures are killed at different points of the reader's loop.
            thread::sleep(Duration::from_micros(10_000 + kill * 997 % 40_000) * wait::slowness());
            capture.signal(libc::SIGKILL);
            assert_eq!(capture.wait().status.signal(), Some(libc::SIGKILL));
            wait::until(|| !processes::is_alive(guardians[0]));

            // This panics if the file does not end with a whole record.
            packets += files::read(&path).packets.len();
            if name == "killed.pcap" {
                packets -= files::read_by_tshark(&path).len();
            } else {
                // pcapng files may contain several sections, so one run of tshark checks all files: it would report a file
                // that was cut.
                io::copy(&mut File::open(&path).unwrap(), &mut sections).unwrap();
            }
        }
    });
    assert!(packets > 0);
    assert_eq!(files::read_by_tshark(&all).len(), packets);
    scene.assert_clean();
    objects.assert_gone();
}

/// The partial record that the kernel leaves when it ends a write in the middle is appended here, so that this case happens
/// in every run.
#[test]
fn the_end_of_a_write_that_was_cut_short_is_cut_off() {
    for name in ["out.pcapng", "out.pcap"] {
        let scene = Scene::new();
        let path = scene.directory.path().join(name);
        let capture = scene.capture_to(&path, &[]);
        let guardians = processes::children(capture.pid());
        scene.send(60);
        thread::sleep(Duration::from_millis(300));
        capture.signal(libc::SIGSTOP);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(&PART).unwrap();
        capture.signal(libc::SIGKILL);
        capture.wait();
        wait::until(|| !guardians.iter().any(|&pid| processes::is_alive(pid)));
        assert_eq!(files::read_by_tshark(&path), [60], "{name}");
        assert_eq!(files::read(&path).packets.len(), 1, "{name}");
    }
}

#[test]
fn a_guardian_outlives_an_interrupt_and_not_the_capture() {
    let scene = Scene::new();
    let capture = scene.capture(&[]);
    let guardians = processes::children(capture.pid());
    let [guardian] = guardians[..] else { panic!("{guardians:?}") };
    // The guardian sets its name after it has begun to ignore signals.
    wait::until(|| {
        fs::read_to_string(format!("/proc/{guardian}/comm")).is_ok_and(|name| name == "capture-guard\n")
    });
    assert_eq!(Objects::of_process(guardian), Objects::default());
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        processes::signal(guardian, signal);
    }
    thread::sleep(Duration::from_millis(100));
    assert!(processes::is_alive(guardian));
    capture.stop().totals();
    assert!(!processes::is_alive(guardian));
}

/// A partial record, as it is left by a write that was ended in the middle.
const PART: [u8; 10] = [6, 0, 0, 0, 0, 2, 0, 0, 0, 0];

/// Waits until the one packet of a capture is in the file, stops the process, and appends a partial record.
fn stopped_within_a_record(scene: &Scene, capture: &Capture) {
    Wire::open(&scene.left, "left").send(&wire::frame(60, b""));
    thread::sleep(Duration::from_millis(300));
    capture.signal(libc::SIGSTOP);
    File::options().append(true).open(scene.file()).unwrap().write_all(&PART).unwrap();
}

#[test]
fn a_guardian_that_was_killed_is_started_again() {
    let scene = Scene::new();
    let mut capture = scene.capture(&["--transport", kernel::transports()[0]]);
    let [first] = processes::children(capture.pid())[..] else { panic!("no guardian") };
    // A guardian that lived for at least a second is replaced at once.
    thread::sleep(Duration::from_millis(1100));
    kill(first);
    capture.wait_for("the guardian process was killed: another one was started");
    let second = next_guardian(&capture, first);
    stopped_within_a_record(&scene, &capture);
    capture.signal(libc::SIGKILL);
    capture.wait();
    wait::until(|| !processes::is_alive(second));
    assert_eq!(files::read_by_tshark(&scene.file()), [60]);
}

#[test]
fn guardians_that_are_killed_as_soon_as_they_begin_are_started_again_and_again() {
    let scene = Scene::new();
    let mut capture = scene.capture(&["--transport", kernel::transports()[0]]);
    let [mut guardian] = processes::children(capture.pid())[..] else { panic!("no guardian") };
    let begin = Instant::now();
    for _ in 0..3 {
        kill(guardian);
        guardian = next_guardian(&capture, guardian);
    }
    // At most one start per second. The first of them may follow the first guardian's start within that second.
    let took = begin.elapsed();
    assert!(took > Duration::from_secs(2), "three guardians were started in {took:?}");
    // The tool reports that once, and reports the end of it.
    let first = capture.wait_for("guardian");
    assert!(
        first.contains("no guardian process (it was killed as soon as it began; another one will be tried)"),
        "{first}"
    );
    let second = capture.wait_for("guardian");
    assert!(second.ends_with("a guardian process runs again"), "{second}");
    stopped_within_a_record(&scene, &capture);
    capture.signal(libc::SIGKILL);
    capture.wait();
    wait::until(|| !processes::is_alive(guardian));
    assert_eq!(files::read_by_tshark(&scene.file()), [60]);
}

/// Waits for the guardian that a capture starts after the one that was killed, which stays a child until the capture has waited
/// for it.
fn next_guardian(capture: &Capture, killed: i32) -> i32 {
    let others =
        || processes::children(capture.pid()).into_iter().filter(|&pid| pid != killed).collect::<Vec<_>>();
    wait::until(|| others().len() == 1);
    others()[0]
}

#[test]
fn a_capture_and_its_guardian_that_were_killed_together_leave_a_file_that_one_command_repairs() {
    let scene = Scene::new();
    let capture = scene.capture(&["--transport", kernel::transports()[0]]);
    let [guardian] = processes::children(capture.pid())[..] else { panic!("no guardian") };
    stopped_within_a_record(&scene, &capture);
    kill(guardian);
    capture.signal(libc::SIGKILL);
    capture.wait();
    let repaired = repair(&scene.file()).unwrap();
    assert_eq!((repaired.packets, repaired.cut), (1, PART.len() as u64));
    assert_eq!(files::read_by_tshark(&scene.file()), [60]);
}

/// Kills a process that was started by a child of this one, and waits until it is gone.
fn kill(pid: i32) {
    // SAFETY: no pointers are passed; its parent has not waited for it, so the number is still its own.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
    wait::until(|| !processes::is_alive(pid));
}

#[test]
fn a_second_capture_does_not_touch_the_file_of_the_first() {
    let scene = Scene::new();
    let first = scene.capture(&["--transport", kernel::transports()[0]]);
    let mut command = scene.left.command(xdpdump());
    let ended = Capture::spawn(command.args(["-i", "left", "-w"]).arg(scene.file())).wait();
    assert!(ended.failure().contains("is being written by another capture"), "{}", ended.stderr);
    Wire::open(&scene.left, "left").send(&wire::frame(60, b""));
    assert_holds(&scene.file(), first.stop().totals());
}

#[test]
fn a_file_that_is_cut_while_nothing_arrives_ends_the_capture() {
    let scene = Scene::new();
    let capture = scene.capture(&["--transport", kernel::transports()[0]]);
    File::create(scene.file()).unwrap();
    let ended = capture.wait();
    assert!(
        ended.failure().contains("another program shortened the file while it was being written"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.counts(), Totals::exact(0, 0));
}

#[test]
fn without_a_guardian_the_capture_goes_on_and_says_so() {
    let scene = Scene::new();
    let mut command = scene.right.command("sh");
    // This command has its own mount namespace.
    command.args(["-c", r#"mount -t tmpfs tmpfs /proc && exec "$@""#, "sh", xdpdump()]);
    command.args(["-i", "right", "-w"]);
    let mut capture = Capture::spawn(command.arg(scene.file()));
    capture.wait_for("no guardian process (");
    capture.wait_for("listening on");
    scene.send(60);
    assert_eq!(capture.stop().totals(), Totals::exact(1, 0));
    assert_eq!(files::read_by_tshark(&scene.file()), [60]);
}

#[test]
fn what_a_file_held_before_stays_in_front_when_output_is_appended() {
    let scene = Scene::new();
    for _ in 0..2 {
        let file = File::options().append(true).create(true).open(scene.file()).unwrap();
        let mut command = scene.right.command(xdpdump());
        command.args(["-i", "right", "-w", "-"]).stdout(file);
        let mut capture = Capture::spawn(&mut command);
        capture.wait_for("listening on");
        drop(command);
        scene.send(60);
        thread::sleep(Duration::from_millis(300));
        let guardians = processes::children(capture.pid());
        capture.signal(libc::SIGKILL);
        capture.wait();
        wait::until(|| !guardians.iter().any(|&pid| processes::is_alive(pid)));
    }
    assert_eq!(files::read_by_tshark(&scene.file()), [60, 60]);
}

#[test]
fn rings_that_a_memory_limit_forbids_are_refused() {
    let scene = Scene::new();
    let group = ControlGroup::with_memory_limit(64 << 20);
    let mut command = scene.right.command(xdpdump());
    command.args(["-i", "right", "--transport", "ring", "-B", "1048576", "-w"]).arg(scene.file());
    let ended = Capture::spawn(&mut group.enter(&command)).wait();
    // Kernels without mapped rings do not charge maps to a control group, and no kernel charges perf rings.
    let sentence = if kernel::has_multi_buffer() {
        "the kernel has no memory for the rings: ask for less with -B"
    } else {
        "this kernel has no mapped rings"
    };
    assert!(ended.failure().starts_with(sentence), "{}", ended.stderr);
    assert!(!scene.file().exists());
    scene.assert_clean();
}

//! Captures for the life of a command, on a real kernel. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    files,
    scene::Scene,
    wait,
};

/// Captures with these options while a shell runs a script in the folder of the scene.
fn start(scene: &Scene, options: &[&str], script: &str) -> Capture {
    let mut command = scene.right.command(xdpdump());
    command.args(["-i", "right"]).args(options).args(["--", "sh", "-c", script]);
    command.current_dir(scene.directory.path());
    Capture::spawn(&mut command)
}

fn captured(scene: &Scene, script: &str) -> Ended {
    start(scene, &["-w", "out.pcapng"], script).wait()
}

#[test]
fn a_capture_lasts_as_long_as_its_command_and_has_its_status() {
    let scene = Scene::new();
    let script = "touch began; until [ -e done ]; do sleep 0.01; done; exit 7";
    let capture = start(&scene, &["-w", "out.pcapng"], script);
    let folder = scene.directory.path();
    wait::until(|| folder.join("began").exists());
    scene.send_numbered(3);
    fs::write(folder.join("done"), "").unwrap();
    let ended = capture.wait();
    assert_eq!(ended.status.code(), Some(7));
    assert_eq!(ended.counts(), Totals::exact(3, 0));
    assert!(ended.stderr.contains("the command has ended: exit status: 7"), "{}", ended.stderr);
    scene.assert_clean();
}

/// The command begins after the program in the kernel is attached.
#[test]
fn the_first_frame_of_the_command_is_captured() {
    let scene = Scene::new();
    scene.right.execute("ip", &["address", "add", "10.9.9.1/24", "dev", "right"]);
    let ended = start(&scene, &["-Q", "out", "-w", "out.pcapng", "arp"], "ping -q -c 1 -W 1 10.9.9.2").wait();
    let frames = files::read(&scene.directory.path().join("out.pcapng")).packets;
    assert!(!frames.is_empty(), "{}", ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "ping gets no answer");
}

#[test]
fn success_is_the_status_of_a_command_that_succeeds_and_a_signal_is_told_as_shells_do() {
    let scene = Scene::new();
    assert_eq!(captured(&scene, "true").status.code(), Some(0));
    assert_eq!(captured(&scene, "kill -9 $$").status.code(), Some(128 + 9));
}

/// Asserts that a process that wrote its id to a file has ended.
fn assert_ended(pid: &Path) {
    let pid = fs::read_to_string(pid).unwrap();
    wait::until(|| !Path::new(&format!("/proc/{}", pid.trim())).exists());
}

#[test]
fn a_capture_that_ends_first_ends_its_command() {
    let script = "echo $$ > pid; exec sleep 1000";
    let scene = Scene::new();
    let folder = scene.directory.path();
    let capture = start(&scene, &["-w", "out.pcapng", "-c", "2"], script);
    wait::until(|| folder.join("pid").exists());
    scene.send_numbered(2);
    let ended = capture.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_ended(&folder.join("pid"));

    let scene = Scene::new();
    let folder = scene.directory.path();
    let capture = start(&scene, &["-w", "out.pcapng"], script);
    wait::until(|| folder.join("pid").exists());
    let ended = capture.stop();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_ended(&folder.join("pid"));
}

#[test]
fn a_command_that_does_not_end_is_named_and_left() {
    let scene = Scene::new();
    // Nothing of it keeps the pipe open from which the test reads.
    let script =
        "exec 2>/dev/null; trap '' TERM; echo $$ > pid; while sleep 0.05 && ! [ -e done ]; do :; done";
    let capture = start(&scene, &["-w", "out.pcapng"], script);
    wait::until(|| scene.directory.path().join("pid").exists());
    let begin = Instant::now();
    let ended = capture.stop();
    assert!(begin.elapsed() < Duration::from_secs(10));
    let pid = fs::read_to_string(scene.directory.path().join("pid")).unwrap();
    let sentence = format!("the command does not end (process {}); it goes on", pid.trim());
    assert!(ended.stderr.contains(&sentence), "{}", ended.stderr);
    assert_eq!(ended.totals(), Totals::exact(0, 0));
    fs::write(scene.directory.path().join("done"), "").unwrap();
    assert_ended(&scene.directory.path().join("pid"));
}

#[test]
fn a_program_that_is_not_there_is_said_before_anything_is_captured() {
    let scene = Scene::new();
    for (command, status) in [(&["no-such-program"][..], 1), (&["port", "53"], 1)] {
        let mut arguments = vec!["-i", "right", "-w", "out.pcapng", "--"];
        arguments.extend(command);
        let mut tool = scene.right.command(xdpdump());
        let output = tool.args(arguments).current_dir(scene.directory.path()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.contains("there is no program") && stderr.contains("a filter comes before"),
            "{stderr}"
        );
        assert_eq!(output.status.code(), Some(status));
        assert!(!scene.directory.path().join("out.pcapng").exists());
    }
}

/// A capture that does not begin does not run the command either.
#[test]
fn a_capture_that_does_not_begin_runs_nothing() {
    let scene = Scene::new();
    let ended = start(&scene, &["-w", "no/such/folder"], "touch began").wait();
    assert_eq!(ended.status.code(), Some(1));
    thread::sleep(Duration::from_millis(300));
    assert!(!scene.directory.path().join("began").exists());
}

/// It has the rights of who started it, and descriptors and signals as usual.
#[test]
fn the_command_is_not_restricted_as_the_capture_is() {
    let scene = Scene::new();
    let look = "grep -E '^(Cap|NoNewPrivs|SigIgn|SigBlk)' /proc/self/status; ls /proc/self/fd | wc -l";
    let plain = Command::new("sh").args(["-c", look]).output().unwrap().stdout;
    captured(&scene, &format!("({look}) > look"));
    let seen = fs::read(scene.directory.path().join("look")).unwrap();
    assert_eq!(String::from_utf8(seen).unwrap(), String::from_utf8(plain).unwrap());
}

#[test]
fn what_the_command_prints_is_not_in_the_capture() {
    let scene = Scene::new();
    let mut command = scene.right.command(xdpdump());
    command.args(["-i", "right", "-w", "-", "--", "echo", "printed"]).stdout(Stdio::piped());
    let mut capture = Capture::spawn(&mut command);
    let mut stdout = capture.stdout();
    let mut bytes = Vec::new();
    stdout.read_to_end(&mut bytes).unwrap();
    let ended = capture.wait();
    assert!(ended.stderr.lines().any(|line| line == "printed"), "{}", ended.stderr);
    let file = scene.directory.path().join("read");
    fs::write(&file, bytes).unwrap();
    assert!(files::read(&file).packets.is_empty());
}

//! What a capture says of why it ended.

use std::{io::Read as _, process::Stdio};

use xdpdump_testing::{
    capture::{Capture, Ended, xdpdump},
    scene::Scene,
};

/// Asserts that it ended well, and that it said so, once, and just before the totals.
fn assert_said(ended: &Ended, sentence: &str) {
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let before_totals = ended.stderr.split_once(" received by filter\n").unwrap().0.lines().rev().nth(2);
    assert_eq!(before_totals, Some(&*format!("xdpdump: {sentence}")), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches(sentence).count(), 1, "{}", ended.stderr);
}

#[test]
fn a_signal() {
    let scene = Scene::new();
    for (signal, sentence) in [
        (libc::SIGINT, "stopped by SIGINT"),
        (libc::SIGTERM, "stopped by SIGTERM"),
        (libc::SIGHUP, "stopped by SIGHUP"),
        (libc::SIGQUIT, "stopped by SIGQUIT"),
        (libc::SIGRTMIN() + 3, "stopped by signal 37"),
    ] {
        let capture = scene.capture(&[]);
        capture.signal(signal);
        assert_said(&capture.wait(), sentence);
    }
}

#[test]
fn the_first_of_two_signals() {
    let scene = Scene::new();
    let capture = scene.capture(&[]);
    capture.signal(libc::SIGTERM);
    scene.assert_clean();
    capture.signal(libc::SIGHUP);
    assert_said(&capture.wait(), "stopped by SIGTERM");
}

#[test]
fn a_limit() {
    let scene = Scene::new();
    for (options, sentence) in [
        (&["-c", "3"] as &[_], "the packets of -c are captured"),
        (&["--duration", "300ms"], "the time of --duration is over"),
        (&["--max-bytes", "1"], "the bytes of --max-bytes are written"),
        (&["-G", "1", "-W", "1"], "the file is complete (-W 1)"),
    ] {
        let capture = scene.capture(options);
        scene.send_numbered(3);
        assert_said(&capture.wait(), sentence);
    }
}

#[test]
fn a_reader_that_leaves() {
    let scene = Scene::new();
    for options in [&["-w", "-"] as &[_], &["-l"]] {
        let mut command = scene.right.command(xdpdump());
        command.args(["-i", "right"]).args(options).stdout(Stdio::piped());
        let mut capture = Capture::spawn(&mut command);
        capture.wait_for("listening on");
        scene.send_numbered(1);
        capture.stdout().read_exact(&mut [0; 8]).unwrap();
        assert_said(&capture.wait(), "the reader of standard output has left");
    }
}

#[test]
fn an_interface_that_goes() {
    let scene = Scene::new();
    let capture = scene.capture(&[]);
    scene.right.ip(["link", "delete", "right"]);
    let ended = capture.wait();
    assert!(ended.failure().starts_with("the interface right is gone: "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("stopped by"), "{}", ended.stderr);
}

//! The effect of signals on a capture: only SIGKILL ends it without totals. Needs root.

use std::{io::Read, os::unix::process::ExitStatusExt, process::Stdio, thread, time::Duration};

use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    files,
    scene::Scene,
    wait,
    wire::{self, Wire},
};

/// Time after which a second signal ends the process at once.
const INSISTING: Duration = Duration::from_millis(1100);

#[test]
fn signals_that_would_end_the_process_end_the_capture_with_totals() {
    let real_time = [libc::SIGRTMIN(), libc::SIGRTMAX()];
    for signal in [
        libc::SIGQUIT,
        libc::SIGPWR,
        libc::SIGXCPU,
        libc::SIGALRM,
        libc::SIGVTALRM,
        libc::SIGPROF,
        libc::SIGSTKFLT,
    ]
    .into_iter()
    .chain(real_time)
    {
        let scene = Scene::new();
        let capture = scene.capture(&[]);
        scene.send_numbered(5);
        capture.signal(signal);
        let ended = capture.wait();
        assert_eq!(ended.totals(), Totals::exact(5, 0), "signal {signal}");
        assert_eq!(files::read(&scene.file()).packets.len(), 5, "signal {signal}");
        scene.assert_clean();
    }
}

#[test]
fn signals_that_ask_for_nothing_change_nothing() {
    let scene = Scene::new();
    let capture = scene.capture(&[]);
    for signal in [libc::SIGIO, libc::SIGPIPE, libc::SIGXFSZ, libc::SIGCHLD, libc::SIGURG, libc::SIGWINCH] {
        capture.signal(signal);
    }
    scene.send_numbered(3);
    assert_eq!(capture.stop().totals(), Totals::exact(3, 0));
}

#[test]
fn a_flush_does_not_end_the_capture() {
    let scene = Scene::new();
    let mut capture = scene.capture(&[]);
    scene.send_numbered(3);
    capture.signal(libc::SIGUSR2);
    wait::until(|| scene.file().metadata().is_ok_and(|file| file.len() > 3 * 60));
    assert!(capture.is_running());
    scene.send_numbered(2);
    capture.signal(libc::SIGUSR2);
    assert_eq!(capture.stop().totals(), Totals::exact(5, 0));
}

/// timeout(1) signals the process and its group, so one request arrives twice.
#[test]
fn a_request_to_stop_that_comes_twice_at_once_is_one() {
    for _ in 0..10 {
        for second in [libc::SIGTERM, libc::SIGINT] {
            let scene = Scene::new();
            let capture = scene.capture(&[]);
            scene.send_numbered(20);
            capture.signal(libc::SIGTERM);
            capture.signal(second);
            assert_eq!(capture.wait().totals(), Totals::exact(20, 0));
            assert_eq!(files::read(&scene.file()).packets.len(), 20);
        }
    }
}

#[test]
fn a_second_request_a_second_later_ends_a_capture_whose_output_nobody_reads() {
    let scene = Scene::new();
    let mut command = scene.right.command(xdpdump());
    command.args(["-i", "right", "-w", "-"]).stdout(Stdio::piped());
    let mut capture = Capture::spawn(&mut command);
    capture.wait_for("listening on");
    let mut pipe = capture.stdout();

    let wire = Wire::open(&scene.left, "left");
    for _ in 0..3000 {
        wire.send(&wire::frame(1514, b""));
    }
    // Wait until the capture is stuck in a write.
    thread::sleep(Duration::from_millis(300));
    capture.signal(libc::SIGINT);
    // Pause between the signals; otherwise the kernel merges them into one.
    thread::sleep(Duration::from_millis(200));
    capture.signal(libc::SIGINT);
    thread::sleep(INSISTING);
    assert!(
        capture.is_running(),
        "the pipe holds more than was sent, or a signal that came too early was obeyed"
    );
    capture.signal(libc::SIGINT);
    let ended = capture.wait();
    assert_eq!(ended.status.signal(), Some(libc::SIGINT), "{}", ended.stderr);
    scene.assert_clean();
    let mut bytes = Vec::new();
    assert!(pipe.read_to_end(&mut bytes).is_ok_and(|read| read > 0));
}

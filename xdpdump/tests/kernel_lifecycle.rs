//! How captures begin and end, and that they leave nothing behind. Needs root.

use std::{os::unix::process::ExitStatusExt, path::Path, thread, time::Duration};

use xdpdump_testing::{
    capture::{Capture, Ended, Totals},
    files,
    netns::{self, NetNs, Traces},
    objects::Objects,
    scene::Scene,
    wait, wire,
};

/// The traces of a running capture on its interface.
const CAPTURING: Traces = Traces { xdp: true, promiscuity: 1 };

/// Asserts that the file opens in tshark and holds frames with these numbers.
fn assert_holds(path: &Path, numbers: impl IntoIterator<Item = u8>) {
    let wanted: Vec<_> = numbers.into_iter().map(wire::numbered).collect();
    assert_eq!(files::read(path).frames(), wanted);
    assert_eq!(files::read_by_tshark(path).len(), wanted.len());
}

/// Waits until packets that were just sent are in the output.
fn settle() {
    thread::sleep(Duration::from_millis(300));
}

#[test]
fn killed_captures_leave_nothing_behind() {
    let scene = Scene::new();
    let mut objects = Objects::default();
    for round in 0..50 {
        let options: &[&str] = if round % 2 == 0 { &["-N"] } else { &["-S"] };
        let capture = scene.capture(options);
        assert_eq!(scene.right.traces("right"), CAPTURING);
        objects.extend(Objects::of_process(capture.pid()));
        scene.send_numbered(5);
        capture.signal(libc::SIGKILL);
        let ended = capture.wait();
        assert_eq!(ended.status.signal(), Some(libc::SIGKILL));
        scene.assert_clean();
    }
    assert!(objects.programs.len() >= 50 && objects.links.len() == 50, "{objects:?}");
    assert!(objects.maps.len() >= 100, "{objects:?}");
    objects.assert_gone();
}

#[test]
fn every_signal_to_end_ends_cleanly() {
    // If the tests run under nohup(1), SIGHUP is ignored; the tool would inherit this and keep ignoring it. SAFETY: no
    // handler is installed, only the default action.
    unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
    for (signal, name) in [(libc::SIGINT, "INT"), (libc::SIGTERM, "TERM"), (libc::SIGHUP, "HUP")] {
        let scene = Scene::new();
        let capture = scene.capture(&[]);
        let objects = Objects::of_process(capture.pid());
        // These are not read yet when the signal comes, so the rings must be drained.
        scene.send_numbered(20);
        capture.signal(signal);
        let ended = capture.wait();
        assert_eq!(ended.totals(), Totals::exact(20, 0), "signal {signal}");
        let end = format!(
            "native mode, direction in\nxdpdump: stopped by SIG{name}\n20 packets captured\n20 packets received by filter\n\
             0 packets dropped by kernel\n"
        );
        assert!(ended.stderr.ends_with(&end), "signal {signal}: {}", ended.stderr);
        assert_holds(&scene.file(), 0..20);
        scene.assert_clean();
        objects.assert_gone();
    }
}

#[test]
fn a_report_is_printed_and_the_capture_goes_on() {
    let scene = Scene::new();
    let mut capture = scene.capture(&[]);
    scene.send_numbered(3);
    settle();
    capture.signal(libc::SIGUSR1);
    let report = capture.wait_for("packets captured");
    assert_eq!(
        report,
        "xdpdump: 3 packets captured, 3 packets received by filter, 0 packets dropped by kernel"
    );
    scene.send_numbered(2);
    assert_eq!(capture.stop().totals(), Totals::exact(5, 0));
    assert_holds(&scene.file(), [0, 1, 2, 0, 1]);
}

#[test]
fn a_capture_ends_after_as_many_packets_as_asked_for() {
    for (option, number) in [("-c1", 1), ("-c5", 5)] {
        let scene = Scene::new();
        let capture = scene.capture(&[option]);
        scene.send_numbered(20);
        let ended = capture.wait();
        let totals = ended.totals();
        assert_eq!(totals.captured, u64::from(number));
        assert!(totals.received >= totals.captured && totals.dropped == 0, "{totals:?}");
        assert_holds(&scene.file(), 0..number);
        scene.assert_clean();
    }
}

#[test]
fn promiscuous_mode_is_left_alone_when_asked_for() {
    let scene = Scene::new();
    let capture = scene.capture(&["-p"]);
    assert_eq!(scene.right.traces("right"), Traces { xdp: true, promiscuity: 0 });
    capture.stop().totals();
}

#[test]
fn an_interface_that_is_down_is_captured_when_it_comes_up() {
    for mode in ["-N", "-S"] {
        let scene = Scene::new();
        scene.right.ip(["link", "set", "right", "down"]);
        let mut capture = scene.capture(&[mode]);
        scene.right.ip(["link", "set", "right", "up"]);
        capture.wait_for("right is up");
        scene.send_numbered(3);
        settle();
        scene.right.ip(["link", "set", "right", "down"]);
        capture.wait_for("right is down: frames will be captured when it comes up");
        scene.right.ip(["link", "set", "right", "up"]);
        capture.wait_for("right is up");
        scene.send_numbered(2);
        let ended = capture.stop();
        assert_eq!(ended.totals(), Totals::exact(5, 0), "{mode}");
        let (before, _) = ended.stderr.split_once("listening on").unwrap();
        assert!(before.contains("right is down: frames will be captured when it comes up"), "{before}");
        assert_holds(&scene.file(), [0, 1, 2, 0, 1]);
        scene.assert_clean();
    }
}

/// Runs a capture with three packets that is ended by `end`.
fn end_by(mode: &str, end: impl FnOnce(&Scene, &Capture)) -> (Scene, Ended) {
    let scene = Scene::new();
    let capture = scene.capture(&[mode]);
    let objects = Objects::of_process(capture.pid());
    scene.send_numbered(3);
    end(&scene, &capture);
    let ended = capture.wait();
    assert_eq!(ended.counts(), Totals::exact(3, 0));
    assert_holds(&scene.file(), 0..3);
    objects.assert_gone();
    (scene, ended)
}

const GONE: &str = "the interface right is gone: it was deleted or moved to another network namespace";

#[test]
fn a_deleted_interface_ends_the_capture_with_a_sentence() {
    for mode in ["-N", "-S"] {
        let (_scene, ended) = end_by(mode, |scene, _| {
            scene.left.ip(["link", "delete", "left"]);
        });
        assert_eq!(ended.failure(), GONE, "{mode}");
    }
}

#[test]
fn an_interface_moved_away_ends_the_capture_with_a_sentence() {
    for mode in ["-N", "-S"] {
        let elsewhere = NetNs::new();
        let (_scene, ended) = end_by(mode, |scene, _| {
            scene.right.ip(["link", "set", "right", "netns", elsewhere.name()]);
        });
        assert_eq!(ended.failure(), GONE, "{mode}");
        wait::until_equal(&Traces::default(), || elsewhere.traces("right"));
    }
}

#[test]
fn a_detached_program_ends_the_capture_with_a_sentence() {
    let (scene, ended) = end_by("-N", |_, capture| {
        settle();
        for link in Objects::of_process(capture.pid()).links {
            netns::run("bpftool", ["link", "detach", "id", &link.to_string()]);
        }
    });
    assert_eq!(ended.failure(), "somebody detached the capture program from right");
    scene.assert_clean();
}

#[test]
fn a_renamed_interface_stays_captured() {
    let scene = Scene::new();
    let mut capture = scene.capture(&[]);
    scene.right.ip_batch("link set right down\nlink set right name other\nlink set other up\n");
    capture.wait_for("right was renamed to other");
    scene.send_numbered(3);
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(3, 0));
    assert_holds(&scene.file(), 0..3);
    wait::until_equal(&Traces::default(), || scene.right.traces("other"));
}

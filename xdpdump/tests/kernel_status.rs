//! What a capture says of itself while it goes on. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, time::Instant};

use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    scene::Scene,
    wait,
};

/// The value of a metric in a file.
fn metric(file: &Path, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.ends_with("# EOF\n"), "a part of a file was read: {text}");
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_line_every_second_has_the_totals_so_far() {
    let scene = Scene::new();
    let mut capture = scene.capture(&["--stats", "1"]);
    scene.send_numbered(5);
    let begin = Instant::now();
    for _ in 0..2 {
        let line = capture.wait_for(" packets/s, ");
        assert!(
            line.contains(" s: 5 packets captured, 5 packets received by filter, 0 packets dropped"),
            "{line}"
        );
    }
    assert!(begin.elapsed().as_secs() >= 1);
    assert_eq!(capture.stop().totals(), Totals::exact(5, 0));
}

#[test]
fn a_line_for_machines_is_json() {
    let scene = Scene::new();
    let mut capture = scene.capture(&["--stats", "500ms", "--stats-json"]);
    scene.send_numbered(5);
    let line = capture.wait_for("\"captured\":5,");
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["received"], 5);
    assert_eq!(value["dropped"], 0);
    assert!(value["elapsed"].as_f64().unwrap() > 0.4);
    capture.stop().totals();
}

#[test]
fn a_file_of_metrics_is_replaced_and_never_half_written() {
    let scene = Scene::new();
    let file = scene.directory.path().join("xdpdump.prom");
    let options = ["--stats", "100ms", "--stats-file", file.to_str().unwrap()];
    let capture = scene.capture(&options);
    let captured = "xdpdump_captured_packets_total{interface=\"right\",direction=\"in\"}";
    scene.load(|| {
        wait::until(|| metric(&file, captured) > 0);
        for _ in 0..1000 {
            metric(&file, captured);
        }
    });
    let totals = capture.stop().totals();
    assert_eq!(metric(&file, captured), totals.captured);
    assert_eq!(metric(&file, "xdpdump_dropped_packets_total{"), totals.dropped);
    assert_eq!(metric(&file, "xdpdump_accepted_packets_total{"), totals.received);
    assert!(metric(&file, "xdpdump_file_bytes_total ") > 0);
    let names = fs::read_dir(scene.directory.path()).unwrap().count();
    assert_eq!(names, 2, "the capture and the metrics");
}

#[test]
fn a_file_of_metrics_that_cannot_be_written_is_refused() {
    let scene = Scene::new();
    let mut command = scene.right.command(xdpdump());
    let options = ["-i", "right", "-w", "/dev/null", "--stats-file", "/nowhere/xdpdump.prom"];
    let ended = Capture::spawn(command.args(options)).wait();
    assert!(
        ended.failure().starts_with("cannot write the statistics to /nowhere/xdpdump.prom"),
        "{}",
        ended.stderr
    );
    scene.assert_clean();
}

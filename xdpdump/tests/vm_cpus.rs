//! CPUs go offline and come back while frames are captured. Needs a virtual machine: `cargo xtask vm-test`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use xdpdump_testing::{
    capture::Capture,
    cpu, files, kernel,
    netns::NetNs,
    vm,
    wire::{self, Wire},
};

/// The CPU that is switched off and on.
const CPU: usize = 1;
/// Time after which the tool has certainly noticed: it checks every second, and may miss a change during the check.
const NOTICED: Duration = Duration::from_millis(2500);

fn set_online(online: bool) {
    vm::write(&format!("/sys/devices/system/cpu/cpu{CPU}/online"), if online { "1" } else { "0" });
}

/// Sends a frame from one CPU. The other end of the veth pair receives it on the same CPU.
fn send_on(cpu: usize, wire: &Wire, tag: &[u8]) {
    thread::scope(|scope| {
        scope.spawn(|| {
            cpu::stay_on(cpu);
            wire.send(&wire::frame(60, tag));
        });
    });
}

/// The tags of the frames in a file.
fn tags(path: &Path, wanted: &[&[u8]]) -> Vec<Vec<u8>> {
    let contents = files::read(path);
    let tag = |frame: &[u8]| {
        let found = wanted.iter().find(|tag| wire::frame(60, tag) == frame);
        found.map_or_else(|| frame.to_vec(), |tag| tag.to_vec())
    };
    contents.frames().into_iter().map(tag).collect()
}

/// Captures while [`CPU`] is offline for some time, and asserts that every frame sent is in the file.
fn capture_across(time_off: Duration, transport: &str) {
    vm::required();
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cpus.pcapng");
    let capture =
        Capture::start(&receiver, ["-i", "right", "-w", path.to_str().unwrap(), "--transport", transport]);
    let wire = Wire::open(&sender, "left");
    let sent: [&[u8]; 4] = [b"before, there", b"meanwhile, elsewhere", b"after, elsewhere", b"after, there"];

    send_on(CPU, &wire, sent[0]);
    let off = Instant::now();
    set_online(false);
    send_on(0, &wire, sent[1]);
    thread::sleep(time_off.saturating_sub(off.elapsed()));
    set_online(true);
    thread::sleep(NOTICED);
    send_on(0, &wire, sent[2]);
    send_on(CPU, &wire, sent[3]);
    thread::sleep(Duration::from_millis(200));
    let ended = capture.stop();
    assert_eq!(tags(&path, &sent), sent, "{}", ended.stderr);
    assert_eq!(ended.totals().captured, 4);
}

#[test]
fn frames_of_a_cpu_that_was_offline_are_captured() {
    for transport in kernel::transports() {
        capture_across(Duration::from_secs(3), transport);
    }
}

#[test]
fn frames_of_a_cpu_that_was_offline_for_a_moment_are_captured() {
    for transport in kernel::transports() {
        capture_across(Duration::ZERO, transport);
    }
}

//! CPUs that `/sys` does not list, or lists and that do not exist. Needs root and two CPUs.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, process::Command};

use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    cpu, files, kernel,
    netns::NetNs,
    wire::{self, Wire},
};

const FRAMES: usize = 1000;

/// Captures `FRAMES` frames on each of two CPUs, while the file `list` in `/sys` says `cpus`. If it
/// is `pinned`, the tool may run on the first CPU only.
fn capture_with(list: &str, cpus: &str, pinned: bool, transport: &str) -> (Totals, usize) {
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let fake = directory.path().join("cpus");
    fs::write(&fake, format!("{cpus}\n")).unwrap();
    let path = directory.path().join("out.pcapng");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount --bind $0 $1 && shift && exec \"$@\""]);
    command.arg(&fake).arg(format!("/sys/devices/system/cpu/{list}"));
    command.args([xdpdump(), "-S", "-i", "right", "--transport", transport, "-w"]).arg(&path);
    let mut capture = receiver.run(|| {
        if pinned {
            cpu::stay_on(0);
        }
        Capture::spawn(&mut command)
    });
    capture.wait_for("listening on");
    for cpu in [0, 1] {
        let wire = Wire::open(&sender, "left");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // In generic mode the other end of a veth pair receives a frame on the CPU that sent it.
                cpu::stay_on(cpu);
                (0..FRAMES).for_each(|_| wire.send(&wire::frame(60, b"")));
            });
        });
    }
    let totals = capture.stop().totals();
    (totals, files::read(&path).packets.len())
}

/// Asserts that the frames of both CPUs are captured.
fn captures_everything(list: &str, cpus: &str, transport: &str) {
    let (totals, packets) = capture_with(list, cpus, false, transport);
    assert_eq!(totals, Totals::exact(2 * FRAMES as u64, 0), "{transport}: {totals:?}");
    assert_eq!(packets, 2 * FRAMES, "{transport}");
}

#[test]
fn a_cpu_that_is_said_to_be_offline_does_no_harm() {
    for transport in kernel::transports() {
        captures_everything("online", "0", transport);
    }
}

/// A process that may not run on the other CPU either cannot know that it is there.
#[test]
fn frames_of_a_cpu_that_is_not_known_are_captured_or_counted_as_lost() {
    for transport in kernel::transports() {
        let (totals, packets) = capture_with("online", "0", true, transport);
        assert_eq!(totals.received, 2 * FRAMES as u64, "{transport}: {totals:?}");
        assert_eq!(totals, Totals::exact(packets as u64, totals.dropped), "{transport}");
        // Memory for it was mapped at the start, in which it writes.
        let least = if *transport == "ring" { 2 * FRAMES } else { FRAMES };
        assert!(totals.captured >= least as u64, "{transport}: {totals:?}");
    }
}

#[test]
fn cpus_that_do_not_exist_do_no_harm() {
    for transport in kernel::transports() {
        captures_everything("online", "0-5", transport);
        captures_everything("online", "0-4999", transport);
    }
}

#[test]
fn a_cpu_that_is_said_to_be_impossible_does_no_harm() {
    for transport in kernel::transports() {
        captures_everything("possible", "0", transport);
    }
}

//! Which ways of capturing a kernel supports, for the table that `cargo xtask vm-test` prints. Needs a virtual machine.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{env, fmt::Write as _, fs};

use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    files, kernel,
    netns::NetNs,
    vm,
    wire::{self, Wire},
};

/// A way to capture.
struct Capability {
    /// Its line in the table.
    name: &'static str,
    /// The first version of Linux that has it.
    since: (u32, u32),
    /// The options that ask for it.
    options: &'static [&'static str],
    /// MTU of the interface, and length of the frame to capture.
    mtu: usize,
}

const CAPABILITIES: [Capability; 6] = [
    Capability {
        name: "Native mode, perf rings",
        since: (5, 9),
        options: &["-N", "--transport", "perf"],
        mtu: 1500,
    },
    Capability {
        name: "Generic mode, perf rings",
        since: (5, 9),
        options: &["-S", "--transport", "perf"],
        mtu: 1500,
    },
    Capability { name: "Generic mode, jumbo frames", since: (5, 9), options: &["-S"], mtu: 9000 },
    Capability {
        name: "Native mode, mapped rings",
        since: (5, 18),
        options: &["-N", "--transport", "ring"],
        mtu: 1500,
    },
    Capability {
        name: "Generic mode, mapped rings",
        since: (5, 18),
        options: &["-S", "--transport", "ring"],
        mtu: 1500,
    },
    Capability { name: "Native mode, jumbo frames", since: (5, 18), options: &["-N"], mtu: 9000 },
];

impl Capability {
    /// Captures the longest frame that fits the MTU of a pair of interfaces.
    fn capture(&self) -> Ended {
        let (sender, receiver) = NetNs::quiet_pair("left", "right");
        sender.ip(["link", "set", "left", "mtu", &self.mtu.to_string()]);
        receiver.ip(["link", "set", "right", "mtu", &self.mtu.to_string()]);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("capability.pcapng");
        let mut command = receiver.command(xdpdump());
        let mut capture = Capture::spawn(command.args(["-i", "right", "-w"]).arg(&path).args(self.options));
        if capture.hear("listening on").is_some() {
            let frame = wire::frame(self.mtu + 14, b"");
            Wire::open(&sender, "left").send(&frame);
            let ended = capture.stop();
            assert_eq!(ended.totals(), Totals::exact(1, 0), "{}", self.name);
            assert_eq!(files::read(&path).frames(), [frame], "{}", self.name);
            return ended;
        }
        capture.wait()
    }
}

#[test]
fn supported_ways_capture_and_the_others_are_refused_with_a_reason() {
    vm::required();
    let mut lines = String::new();
    for capability in &CAPABILITIES {
        let ended = capability.capture();
        let there = ended.status.success();
        let answer = if there { "yes" } else { ended.failure() };
        writeln!(lines, "{}: {answer}", capability.name).unwrap();
        let (major, minor) = capability.since;
        assert_eq!(there, kernel::is_at_least(major, minor), "{}: {answer}", capability.name);
    }
    fs::write(env::var_os("XDPDUMP_VM_CAPABILITIES").unwrap(), lines).unwrap();
}

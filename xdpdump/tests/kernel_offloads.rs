//! What a capture changes on interfaces is said, and is as before when it has ended. Needs root.

use std::ffi::OsStr;

use xdpdump::interface::{Link, Offloads, XdpMode};
use xdpdump_testing::{
    capture::{Capture, xdpdump},
    kernel,
    netns::NetNs,
    wait,
};

/// The features of both ends, as ethtool(8) prints them.
fn features(netns: &NetNs) -> [String; 2] {
    ["left", "right"].map(|name| netns.execute("ethtool", &["-k", name]))
}

fn has_tso(netns: &NetNs, name: &str) -> bool {
    netns.execute("ethtool", &["-k", name]).contains("\ntcp-segmentation-offload: on")
}

/// Starts a capture of `right`, and returns what it said before it listened.
fn start(netns: &NetNs, options: &[&str]) -> (Capture, String) {
    let arguments = ["-i", "right", "-w", "/dev/null"];
    let mut capture = Capture::spawn(netns.command(xdpdump()).args(arguments).args(options));
    let mut said = String::new();
    loop {
        let line = capture.wait_for("");
        if line.contains("listening on") {
            return (capture, said);
        }
        // Of these, `kernel_vlan` and `kernel_sizes` are the judges.
        if !line.contains("VLAN tags") && !line.contains("no multi-buffer XDP here") {
            said += &line;
            said.push('\n');
        }
    }
}

#[test]
fn native_mode_names_what_it_switches_off_at_the_other_end_of_a_pair() {
    for &transport in kernel::transports() {
        let netns = NetNs::with_pair();
        let before = features(&netns);
        for options in [&["-N"][..], &[]] {
            let (capture, said) = start(&netns, &[&["--transport", transport], options].concat());
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(said.starts_with("xdpdump: right: native mode switches "), "{said}");
            assert!(said.contains("TSO"), "{said}");
            assert!(said.contains(" of its peer left off"), "{said}");
            let cost = " until the capture ends: TCP through it gets slower, in smaller segments; -S disturbs less\n";
            assert!(said.ends_with(cost), "{said}");
            assert!(!has_tso(&netns, "left") && has_tso(&netns, "right"));
            capture.stop().totals();
            assert_eq!(features(&netns), before, "{options:?}");
        }
    }
}

#[test]
fn generic_mode_changes_nothing_of_a_pair_and_says_nothing() {
    let netns = NetNs::with_pair();
    let before = features(&netns);
    let (capture, said) = start(&netns, &["-S"]);
    assert_eq!(said, "");
    assert_eq!(features(&netns), before);
    capture.stop().totals();
    assert_eq!(features(&netns), before);
}

#[test]
fn what_was_off_is_not_said_to_be_switched_off() {
    let netns = NetNs::with_pair();
    let off = ["tso", "tx-sctp-segmentation", "tx-udp-segmentation", "tx-gso-list"];
    // Not every kernel has all of them.
    for feature in off {
        let mut command = netns.command("ethtool");
        assert!(command.args(["-K", "left", feature, "off"]).status().is_ok(), "{feature}");
    }
    let before = features(&netns);
    let (capture, said) = start(&netns, &["-N"]);
    assert!(!said.contains("left") && !said.contains("slower"), "{said}");
    capture.stop().totals();
    assert_eq!(features(&netns), before);
}

#[test]
fn what_cannot_be_read_in_another_namespace_is_said_to_be_possible() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let (capture, said) = start(&right, &["-N"]);
    let expected = "may switch TSO of its peer, which is in another network namespace, off until the capture ends: \
                    TCP through it may get slower, in smaller segments; -S disturbs less\n";
    assert!(said.starts_with("xdpdump: right: native mode ") && said.ends_with(expected), "{said}");
    capture.stop().totals();
    let (capture, said) = start(&right, &["-S"]);
    assert_eq!(said, "");
    capture.stop().totals();
}

#[test]
fn each_of_several_interfaces_has_its_line() {
    let netns = NetNs::with_pair();
    netns.ip(["link", "set", "lo", "down"]);
    let before = features(&netns);
    let mut capture = Capture::spawn(netns.command(xdpdump()).args(["-i", "any", "-w", "/dev/null"]));
    capture.wait_for("listening on");
    capture.wait_for("listening on");
    assert!(!has_tso(&netns, "left") && !has_tso(&netns, "right"));
    let ended = capture.stop();
    ended.totals();
    for (name, peer) in [("left", "right"), ("right", "left")] {
        let lines: Vec<_> = ended
            .stderr
            .lines()
            .filter(|line| line.contains(&format!("{name}: native mode switches")))
            .collect();
        assert!(
            lines.len() == 1 && lines.iter().all(|line| line.contains(&format!("its peer {peer} off"))),
            "{lines:#?}"
        );
    }
    assert_eq!(features(&netns), before);
}

#[test]
fn a_killed_capture_leaves_the_offloads_of_a_pair_as_they_were() {
    let netns = NetNs::with_pair();
    let before = features(&netns);
    let (capture, _) = start(&netns, &["-N"]);
    capture.signal(libc::SIGKILL);
    drop(capture);
    wait::until_equal(&before, || features(&netns));
}

/// Stands in for `-S` on an interface with LRO, which no interface here has: the kernel switches it off for good, as ethtool(8)
/// does.
#[test]
fn what_generic_mode_switches_off_for_good_is_on_again_afterwards() {
    let netns = NetNs::with_pair();
    netns.execute("ethtool", &["-K", "right", "gro", "on"]);
    let before = features(&netns);
    let offloads = netns.run(|| Offloads::of(&Link::by_name(OsStr::new("right")).ok()?));
    netns.execute("ethtool", &["-K", "right", "gro", "off"]);
    assert_ne!(features(&netns), before);
    let disturbance = offloads.and_then(|offloads| netns.run(|| offloads.changed(XdpMode::Skb)));
    let said = disturbance.as_ref().map(ToString::to_string);
    let expected = "generic (SKB) mode switches GRO of this interface off until the capture ends: TCP through it gets slower, in smaller segments";
    assert_eq!(said.as_deref(), Some(expected));
    netns.run(|| drop(disturbance));
    assert_eq!(features(&netns), before);
}

//! Programs on a NIC, and on a driver that is not veth. Needs a virtual machine: `cargo xtask vm-test`.

use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    netdevsim::Nic,
    netns::{self, NetNs, Traces},
    vm, wait,
};

/// A bond without slaves in a namespace of its own, the only virtual interface that has LRO.
fn bond() -> NetNs {
    vm::required();
    netns::run("modprobe", ["bonding"]);
    let netns = NetNs::quiet();
    netns.ip(["link", "add", "b0", "type", "bond"]);
    netns.ip(["link", "set", "b0", "up"]);
    netns
}

#[test]
fn lro_that_generic_mode_switches_off_is_said_and_on_again_after_the_capture() {
    let netns = bond();
    let features = || netns.execute("ethtool", &["-k", "b0"]);
    let before = features();
    assert!(before.contains("large-receive-offload: on"), "{before}");
    let mut capture = Capture::spawn(netns.command(xdpdump()).args(["-i", "b0", "-S", "-w", "/dev/null"]));
    let said = capture.wait_for("generic (SKB) mode switches");
    let expected = "b0: generic (SKB) mode switches LRO of this interface off until the capture ends: TCP through it gets slower, in smaller segments";
    assert!(said.ends_with(expected), "{said}");
    capture.wait_for("listening on");
    assert!(features().contains("large-receive-offload: off"));
    capture.stop().totals();
    assert_eq!(features(), before);
}

/// Starts a capture of the NIC's port to /dev/null.
fn start(nic: &Nic, mode: &str) -> Capture {
    Capture::start(&nic.netns, ["-i", &nic.port, mode, "-w", "/dev/null"])
}

/// The sentence of a capture that cannot begin.
fn refusal(netns: &NetNs, port: &str, mode: &str) -> String {
    let mut command = netns.command(xdpdump());
    let ended = Capture::spawn(command.args(["-i", port, mode, "-w", "/dev/null"])).wait();
    ended.failure().to_owned()
}

/// What `-D` says about the NIC's port.
fn listed(nic: &Nic) -> String {
    let list = nic.netns.execute(xdpdump(), &["-D"]);
    let port = format!(".{} ", nic.port);
    list.lines().find(|line| line.contains(&port)).unwrap_or_else(|| panic!("no {port} in {list}")).to_owned()
}

fn assert_clean(nic: &Nic) {
    wait::until_equal(&(Traces::default(), vec![]), || (nic.netns.traces(&nic.port), nic.programs()));
}

#[test]
fn an_offloaded_program_is_on_the_nic_until_the_capture_ends() {
    let nic = Nic::new();
    let mut capture =
        Capture::spawn(nic.netns.command(xdpdump()).args(["-i", &nic.port, "-H", "-w", "/dev/null"]));
    let said = capture.wait_for("listening on");
    assert!(said.ends_with("offload mode, direction in"), "{said}");
    assert_eq!(nic.programs(), [true]);
    let details = nic.netns.ip(["-d", "link", "show", &nic.port]);
    assert!(details.contains(" xdpoffload ") && details.contains(" name xdpdump_offload "), "{details}");
    let line = listed(&nic);
    assert!(line.contains("driver netdevsim") && line.contains("XDP offload: program"), "{line}");
    assert!(line.contains("xdpdump_offload"), "{line}");

    assert_eq!(capture.stop().totals(), Totals::default());
    assert_clean(&nic);
}

#[test]
fn an_offloaded_program_goes_with_a_killed_capture() {
    let nic = Nic::new();
    let capture = start(&nic, "-H");
    capture.signal(libc::SIGKILL);
    assert_eq!(capture.wait().status.code(), None);
    assert_clean(&nic);
    // The next capture can use the NIC.
    start(&nic, "-H").stop().totals();
}

#[test]
fn a_nic_that_disappears_ends_the_capture() {
    let nic = Nic::new();
    let capture = start(&nic, "-H");
    let port = nic.port.clone();
    drop(nic);
    assert!(capture.wait().failure().contains(&format!("{port} is gone")));
}

#[test]
fn a_nic_without_offload_is_named() {
    vm::required();
    let (left, _right) = NetNs::pair("left", "right");
    assert_eq!(
        refusal(&left, "left", "-H"),
        "left (driver veth) does not run XDP programs on the NIC; use -N or -S: Invalid argument (os error 22)"
    );
}

#[test]
fn a_nic_that_rejects_the_program_is_named() {
    for setting in ["bpf_bind_accept", "bpf_bind_verifier_accept"] {
        let nic = Nic::new();
        nic.refuse(setting);
        let said = refusal(&nic.netns, &nic.port, "-H");
        let begin = format!("{} (driver netdevsim) does not run XDP programs on the NIC", nic.port);
        assert!(said.starts_with(&begin) && said.contains("use -N or -S"), "{setting}: {said}");
        assert_clean(&nic);
    }
}

#[test]
fn a_nic_that_does_not_attach_the_program_is_named() {
    let nic = Nic::new();
    nic.refuse("bpf_xdpoffload_accept");
    let said = refusal(&nic.netns, &nic.port, "-H");
    assert!(said.starts_with(&format!("{} has no offload XDP (driver netdevsim)", nic.port)), "{said}");
    assert_clean(&nic);
}

#[test]
fn a_busy_nic_is_left_alone() {
    let nic = Nic::new();
    let first = start(&nic, "-H");
    let said = refusal(&nic.netns, &nic.port, "-H");
    let begin = format!("{} has an XDP program already: id ", nic.port);
    assert!(said.starts_with(&begin) && said.contains("(xdpdump_offload), offload mode"), "{said}");
    assert_eq!(nic.programs(), [true]);
    first.stop().totals();
    assert_clean(&nic);
}

#[test]
fn other_drivers_take_native_and_generic_programs() {
    for (mode, name) in [("-N", "native"), ("-S", "generic (SKB)")] {
        let nic = Nic::new();
        let mut command = nic.netns.command(xdpdump());
        let mut capture = Capture::spawn(command.args(["-i", &nic.port, mode, "-w", "/dev/null"]));
        let said = capture.wait_for("listening on");
        assert!(said.ends_with(&format!("{name} mode, direction in")), "{said}");
        let line = listed(&nic);
        assert!(line.contains(&format!("XDP {name}: program")), "{line}");
        capture.stop().totals();
        assert_clean(&nic);
    }
}

#[test]
fn an_mtu_too_large_for_the_driver_is_refused_or_captured_in_generic_mode() {
    let nic = Nic::new();
    // The driver's limit is 4000 (NSIM_XDP_MAX_MTU, drivers/net/netdevsim/netdevsim.h).
    nic.netns.ip(["link", "set", &nic.port, "mtu", "4001"]);
    let said = refusal(&nic.netns, &nic.port, "-N");
    assert!(said.starts_with(&format!("{} refused a program in native mode; its MTU", nic.port)), "{said}");

    let mut command = nic.netns.command(xdpdump());
    let mut capture = Capture::spawn(command.args(["-i", &nic.port, "-w", "/dev/null"]));
    let said = capture.wait_for("no native XDP");
    assert!(said.ends_with("capturing in generic mode"), "{said}");
    assert!(capture.wait_for("listening on").ends_with("generic (SKB) mode, direction in"));
    capture.stop().totals();
    assert_clean(&nic);
}

#[test]
fn the_mtu_cannot_grow_beyond_the_drivers_limit_during_a_native_capture() {
    let nic = Nic::new();
    let capture = start(&nic, "-N");
    let refused = nic.netns.command("ip").args(["link", "set", &nic.port, "mtu", "4001"]).output().unwrap();
    assert!(!refused.status.success());
    capture.stop().totals();
    nic.netns.ip(["link", "set", &nic.port, "mtu", "4001"]);
}

#[test]
fn a_filter_is_on_the_nic_too_and_what_it_cannot_do_is_done_in_user_space() {
    for (options, said) in [
        (&["tcp port 443 or inner udp"][..], None),
        (&["tcp port 443", "--sample", "3"], Some("a program on the NIC can only filter")),
        (&["tcp port 443", "--headers"], Some("a program on the NIC can only filter")),
        (&["cpu 1"], Some("the filter uses the CPU, which is not known where the filter would run")),
        (
            &["queue 1"],
            Some("the filter uses the receive queue, which is not known where the filter would run"),
        ),
    ] {
        let nic = Nic::new();
        let capture = ["-i", &nic.port, "-H", "-w", "/dev/null"];
        let ended = Capture::start(&nic.netns, capture.iter().chain(options)).stop();
        assert_eq!(ended.totals(), Totals::default());
        let line = ended.stderr.lines().find(|line| line.contains("user space"));
        match said {
            None => assert_eq!(line, None, "{options:?}"),
            Some(said) => assert!(line.is_some_and(|line| line.contains(said)), "{options:?}: {line:?}"),
        }
        assert_clean(&nic);
    }
}

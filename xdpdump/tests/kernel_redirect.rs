//! Traffic that tc programs redirect, as those of container networks do, is not disturbed. Needs root.

use std::os::fd::OwnedFd;

use xdpdump_testing::{
    bpf::{self, Instruction},
    capture::Capture,
    kernel,
    netns::NetNs,
    skip,
};

/// `BPF_TCX_INGRESS` and `BPF_TCX_EGRESS` (`enum bpf_attach_type`, include/uapi/linux/bpf.h).
const TCX_INGRESS: u32 = 46;
const TCX_EGRESS: u32 = 47;

/// A program that redirects every frame to an interface: to what it sends, or with flag 1 to what it receives.
fn redirect(to: u32, flag: i32) -> OwnedFd {
    bpf::load_tc(
        "redirect",
        &[
            Instruction(0xb7, 1, 0, to.cast_signed()),
            Instruction(0xb7, 2, 0, flag),
            Instruction(0x85, 0, 0, 23),
            Instruction(0x95, 0, 0, 0),
        ],
    )
}

/// The address is on `near`; its traffic goes through `left`, without a route.
#[test]
fn frames_that_are_redirected_arrive_during_a_capture_in_each_mode() {
    if !kernel::is_at_least(6, 6) {
        return skip::because("there is no tcx before Linux 6.6");
    }
    let (left, right) = NetNs::quiet_pair("left", "right");
    left.ip(["link", "add", "near", "type", "veth", "peer", "name", "far"]);
    left.ip(["link", "set", "near", "address", "02:00:00:00:00:01", "up"]);
    left.ip(["link", "set", "far", "up"]);
    left.ip(["address", "add", "10.7.0.1/24", "dev", "near"]);
    right.ip(["link", "set", "right", "address", "02:00:00:00:00:02"]);
    right.ip(["address", "add", "10.7.0.2/24", "dev", "right"]);
    left.ip(["neighbour", "replace", "10.7.0.2", "lladdr", "02:00:00:00:00:02", "dev", "near"]);
    right.ip(["neighbour", "replace", "10.7.0.1", "lladdr", "02:00:00:00:00:01", "dev", "right"]);
    let (outer, near) = (left.interface_index("left"), left.interface_index("near"));
    let _links = left.run(|| {
        [
            bpf::attach(&redirect(outer, 0), near, TCX_EGRESS, 0).unwrap(),
            bpf::attach(&redirect(near, 1), outer, TCX_INGRESS, 0).unwrap(),
        ]
    });
    let ping = || right.execute("ping", &["-c", "3", "-i", "0.1", "-s", "1400", "-W", "5", "10.7.0.1"]);
    assert!(ping().contains(" 3 received"));
    for transport in kernel::transports() {
        for mode in ["-N", "-S"] {
            let options = ["-i", "left", mode, "--transport", transport, "-w", "/dev/null"];
            let capture = Capture::start(&left, options);
            assert!(ping().contains(" 3 received"), "{mode} {transport}");
            assert_eq!(capture.stop().totals().captured, 3, "{mode} {transport}");
        }
    }
}

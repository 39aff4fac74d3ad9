//! VLAN tags that the kernel or the driver keeps apart from the bytes of a frame. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::fd::AsFd;

use xdpdump::interface::clsact;
use xdpdump_testing::{
    bpf::{self, Instruction},
    capture::Capture,
    files, kernel,
    netns::NetNs,
    wait,
    wire::{self, Wire},
};

/// Two namespaces with a pair of interfaces, `left` and `right`. A frame that is sent gets a tag (VLAN 5, priority 1) in its
/// metadata before `left` sends it.
struct Tagging {
    left: NetNs,
    right: NetNs,
    /// The interface through which to send.
    near: &'static str,
    _filter: clsact::Filter,
}

/// bpf_skb_vlan_push(ctx, ETH_P_8021Q, 0x2005)
fn push_tag() -> Vec<Instruction> {
    vec![
        Instruction(0xb7, 2, 0, i32::from(0x8100_u16.to_be())),
        Instruction(0xb7, 3, 0, 0x2005),
        Instruction(0x85, 0, 0, 18),
    ]
}

impl Tagging {
    /// Frames get the tag when `near` sends them, and are sent by `left` instead.
    fn before_left() -> Self {
        let (left, right) = NetNs::quiet_pair("left", "right");
        left.ip(["link", "add", "near", "type", "veth", "peer", "name", "far"]);
        left.ip(["link", "set", "near", "up"]);
        left.ip(["link", "set", "far", "up"]);
        let index = left.interface_index("left").cast_signed();
        let mut program = push_tag();
        // return bpf_redirect(left, 0)
        program.extend([
            Instruction(0xb7, 1, 0, index),
            Instruction(0xb7, 2, 0, 0),
            Instruction(0x85, 0, 0, 23),
            Instruction(0x95, 0, 0, 0),
        ]);
        Self::new(left, right, "near", &program)
    }

    /// Frames get the tag when `left` sends them.
    fn on_left() -> Self {
        let (left, right) = NetNs::quiet_pair("left", "right");
        let mut program = push_tag();
        // return TC_ACT_OK
        program.extend([Instruction(0xb7, 0, 0, 0), Instruction(0x95, 0, 0, 0)]);
        Self::new(left, right, "left", &program)
    }

    fn new(left: NetNs, right: NetNs, near: &'static str, program: &[Instruction]) -> Self {
        let program = bpf::load_tc("tag", program);
        let index = left.interface_index(near);
        let filter = left.run(|| clsact::Filter::attach(index, "test", program.as_fd())).unwrap();
        // Before the kernel has noticed the carrier, it sends nothing.
        wait::until(|| left.ip(["link", "show", "left"]).contains(" state UP "));
        Self { left, right, near, _filter: filter }
    }

    fn send(&self) {
        Wire::open(&self.left, self.near).send(&plain());
    }
}

fn plain() -> Vec<u8> {
    wire::frame(100, b"to be tagged")
}

fn tagged() -> Vec<u8> {
    let mut tagged = plain();
    tagged.splice(12..12, [0x81, 0, 0x20, 5]);
    tagged
}

/// Captures the tagged frame with the options, and with filters and snap lengths.
fn captures(netns: &NetNs, options: &[&str], tagging: &Tagging) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let capture = |more: &[&str]| {
        let file = ["-w", path.to_str().unwrap()];
        let options = options.iter().chain(&file).chain(more);
        let capture = Capture::start(netns, options);
        tagging.send();
        let ended = capture.stop();
        assert!(!ended.stderr.contains("user space"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("VLAN tags"), "{}", ended.stderr);
        (files::read(&path), ended)
    };
    for (filter, is_captured) in
        [(&[][..], true), (&["vlan 5 and len = 104"], true), (&["vlan 6"], false), (&["not vlan"], false)]
    {
        let (contents, ended) = capture(filter);
        if is_captured {
            assert_eq!(contents.frames(), [&tagged()[..]], "{options:?} {filter:?}");
            assert_eq!(contents.packets[0].frame_len, 104);
        } else {
            assert!(contents.packets.is_empty(), "{options:?} {filter:?}");
            assert_eq!(ended.count("not accepted by the filter"), Some(1));
        }
    }
    // Cut in and around the tag.
    for snap_len in [8, 12, 13, 14, 15, 16, 17, 18, 19, 50, 104] {
        let (contents, _) = capture(&["-s", &snap_len.to_string()]);
        assert_eq!(contents.frames(), [&tagged()[..snap_len]], "{options:?}");
        assert_eq!(files::read_by_tshark(&path), [104]);
    }
    // Ethernet header with the tag, no known protocol behind it.
    let (contents, _) = capture(&["--headers"]);
    assert!(tagged().starts_with(&contents.packets[0].frame), "{options:?}");
    assert!(contents.packets[0].frame.len() >= 18, "{options:?}");
}

#[test]
fn a_tag_is_put_back_into_a_frame_that_is_sent() {
    let tagging = Tagging::before_left();
    for transport in kernel::transports() {
        captures(&tagging.left, &["-i", "left", "-Q", "out", "--transport", transport], &tagging);
    }
}

/// A driver tells an XDP program the tag since Linux 6.8. Before that, and in generic mode, a line says what to do.
#[test]
fn a_tag_is_put_back_into_a_received_frame_or_said_to_be_missing() {
    let tagging = Tagging::on_left();
    for transport in kernel::transports() {
        let options = ["-i", "right", "-N", "--transport", transport];
        if kernel::is_at_least(6, 8) {
            captures(&tagging.right, &options, &tagging);
        } else {
            is_missing(&options, &tagging);
        }
        is_missing(&["-i", "right", "-S", "--transport", transport], &tagging);
    }
}

fn is_missing(options: &[&str], tagging: &Tagging) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let frames = |options: &[&str]| {
        let capture =
            Capture::start(&tagging.right, options.iter().chain(["-w", path.to_str().unwrap()].iter()));
        tagging.send();
        let ended = capture.stop();
        let frames: Vec<_> = files::read(&path).packets.into_iter().map(|packet| packet.frame).collect();
        (frames, ended.stderr)
    };
    let (without, said) = frames(options);
    assert_eq!(without, [plain()], "{options:?}");
    let advice = "`ethtool -K IF txvlan off` on its peer leaves them in the frames";
    assert!(said.contains("VLAN tags that were taken off received frames are missing"), "{said}");
    assert!(said.contains(advice), "{said}");
    tagging.left.execute("ethtool", &["-K", "left", "txvlan", "off"]);
    let (with, _) = frames(options);
    assert_eq!(with, [tagged()], "{options:?}");
    tagging.left.execute("ethtool", &["-K", "left", "txvlan", "on"]);
}

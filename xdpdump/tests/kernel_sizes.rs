//! Frames of every size on a real kernel. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    files, kernel,
    netns::NetNs,
    wire::{self, Wire},
};

/// Both modes with both kinds of ring.
const WAYS: [[&str; 3]; 4] = [
    ["-N", "--transport", "ring"],
    ["-S", "--transport", "ring"],
    ["-N", "--transport", "perf"],
    ["-S", "--transport", "perf"],
];

/// From a bare Ethernet header to nearly the largest IP packet.
const SIZES: [usize; 9] = [14, 15, 59, 60, 64, 1514, 4096, 9014, 65_000];

/// Sends a frame of each size through a pair of interfaces of this MTU, and returns what was captured with `options`.
fn capture_sizes(mtu: &str, sizes: &[usize], options: &[&str]) -> files::Contents {
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    sender.ip(["link", "set", "left", "mtu", mtu]);
    receiver.ip(["link", "set", "right", "mtu", mtu]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sizes.pcapng");

    let file = ["-i", "right", "-w", path.to_str().unwrap()];
    let capture = Capture::start(&receiver, file.iter().chain(options));
    let wire = Wire::open(&sender, "left");
    for &size in sizes {
        wire.send(&wire::frame(size, b""));
    }
    let totals = capture.stop().totals();
    assert_eq!(totals, Totals::exact(sizes.len() as u64, 0), "{options:?}");

    let lengths: Vec<_> = sizes.iter().map(|&size| size as u32).collect();
    assert_eq!(files::read_by_tshark(&path), lengths, "{options:?}");
    files::read(&path)
}

/// The ways to capture an interface with a large MTU on this kernel. Without multi-buffer XDP native mode is refused, and
/// there are no mapped rings.
fn ways() -> &'static [[&'static str; 3]] {
    if kernel::has_multi_buffer() { &WAYS } else { &WAYS[3..] }
}

#[test]
fn native_mode_is_refused_where_the_kernel_has_no_multi_buffer_programs() {
    if kernel::has_multi_buffer() {
        capture_sizes("9000", &[9014], &["-N"]);
        return;
    }
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    // The driver checks the MTU of the other end, too.
    sender.ip(["link", "set", "left", "mtu", "9000"]);
    receiver.ip(["link", "set", "right", "mtu", "9000"]);
    let mut command = receiver.command(xdpdump());
    let ended = Capture::spawn(command.args(["-i", "right", "-N", "-w", "/dev/null"])).wait();
    assert!(
        ended.failure().starts_with("right refused a program in native mode; its MTU"),
        "{}",
        ended.stderr
    );
}

#[test]
fn frames_of_every_size_are_captured_whole() {
    for way in ways() {
        let contents = capture_sizes("65535", &SIZES, way);
        for (packet, size) in contents.packets.iter().zip(SIZES) {
            assert_eq!(packet.frame, wire::frame(size, b""), "{size} bytes, {way:?}");
            assert_eq!(packet.frame_len as usize, size, "{way:?}");
        }
    }
}

#[test]
fn jumbo_frames_in_several_buffers_are_captured_whole() {
    // More than a page, so that the driver needs several buffers.
    let sizes = [4000, 5000, 9000, 9014];
    let contents = capture_sizes("9000", &sizes, &ways()[0]);
    for (packet, size) in contents.packets.iter().zip(sizes) {
        assert_eq!(packet.frame, wire::frame(size, b""), "{size} bytes");
    }
}

#[test]
fn a_snapshot_length_cuts_frames_and_keeps_their_true_length() {
    for way in ways() {
        let contents = capture_sizes("65535", &SIZES, &[&way[..], &["-s", "64"]].concat());
        for (packet, size) in contents.packets.iter().zip(SIZES) {
            assert_eq!(packet.frame, wire::frame(size, b"")[..size.min(64)], "{size} bytes, {way:?}");
            assert_eq!(packet.frame_len as usize, size, "{way:?}");
        }
    }
}

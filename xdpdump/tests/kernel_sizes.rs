//! Frames of every size on a real kernel. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use support::{
    capture::{Capture, Totals, XDPDUMP},
    files, kernel,
    netns::NetNs,
    wire::{self, Wire},
};

/// From a bare Ethernet header to nearly the largest packet IP knows.
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

/// The modes that take an interface with a large MTU. Where frames lie in several buffers and the kernel cannot show them
/// to a program, native mode is refused.
fn modes() -> &'static [&'static str] {
    if kernel::has_multi_buffer() { &["-N", "-S"] } else { &["-S"] }
}

#[test]
fn native_mode_is_refused_where_the_kernel_has_no_multi_buffer_programs() {
    if kernel::has_multi_buffer() {
        capture_sizes("9000", &[9014], &["-N"]);
        return;
    }
    let (sender, receiver) = NetNs::quiet_pair("left", "right");
    // The driver looks at the other end's, too.
    sender.ip(["link", "set", "left", "mtu", "9000"]);
    receiver.ip(["link", "set", "right", "mtu", "9000"]);
    let mut command = receiver.command(XDPDUMP);
    let ended = Capture::spawn(command.args(["-i", "right", "-N", "-w", "/dev/null"])).wait();
    assert!(
        ended.failure().starts_with("right refused a program in native mode; its MTU"),
        "{}",
        ended.stderr
    );
}

#[test]
fn frames_of_every_size_are_captured_whole() {
    for mode in modes() {
        let contents = capture_sizes("65535", &SIZES, &[mode]);
        for (packet, size) in contents.packets.iter().zip(SIZES) {
            assert_eq!(packet.frame, wire::frame(size, b""), "{size} bytes, {mode}");
            assert_eq!(packet.frame_len as usize, size, "{mode}");
        }
    }
}

#[test]
fn jumbo_frames_in_several_buffers_are_captured_whole() {
    // More than a page, so that the driver needs several.
    let sizes = [4000, 5000, 9000, 9014];
    let contents = capture_sizes("9000", &sizes, &modes()[..1]);
    for (packet, size) in contents.packets.iter().zip(sizes) {
        assert_eq!(packet.frame, wire::frame(size, b""), "{size} bytes");
    }
}

#[test]
fn a_snapshot_length_cuts_frames_and_keeps_their_true_length() {
    for mode in modes() {
        let contents = capture_sizes("65535", &SIZES, &[mode, "-s", "64"]);
        for (packet, size) in contents.packets.iter().zip(SIZES) {
            assert_eq!(packet.frame, wire::frame(size, b"")[..size.min(64)], "{size} bytes, {mode}");
            assert_eq!(packet.frame_len as usize, size, "{mode}");
        }
    }
}

//! How much is written about each packet. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path};

use xdpdump::packet::{Direction, Meta};
use xdpdump_testing::{
    capture::Capture,
    files, kernel,
    netns::NetNs,
    wire::{self, Wire},
};

/// The length of each Enhanced Packet Block of a file of this machine's byte order.
fn packet_blocks(path: &Path) -> Vec<u32> {
    let bytes = fs::read(path).unwrap();
    let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap());
    let (mut at, mut lengths) = (0, Vec::new());
    while at < bytes.len() {
        if word(at) == 6 {
            lengths.push(word(at + 4));
        }
        at += word(at + 4) as usize;
    }
    lengths
}

#[test]
fn options_that_are_as_usual_are_left_out() {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let fields = ["frame.packet_flags_direction", "frame.interface_queue", "frame.verdict.ebpf_xdp"];
    let usual = Meta { direction: Direction::Inbound, queue: Some(0), ..Meta::default() };
    for transport in kernel::transports() {
        for (option, len, fields_then, meta) in [
            (None, 108, ["", "", ""], usual),
            (Some("--lean"), 92, ["", "", ""], Meta::default()),
            (Some("--full"), 124, ["0x00000001", "0", ""], usual),
        ] {
            let options = ["-i", "right", "--transport", transport, "-w", path.to_str().unwrap()];
            let capture = Capture::start(&right, options.into_iter().chain(option));
            Wire::open(&left, "left").send(&wire::frame(60, b""));
            assert_eq!(capture.stop().totals().captured, 1);
            assert_eq!(packet_blocks(&path), [len], "{transport} {option:?}");
            assert_eq!(files::fields_by_tshark(&path, &fields), [fields_then], "{transport} {option:?}");
            let contents = files::read(&path);
            let [packet] = &contents.packets[..] else { panic!("{contents:?}") };
            assert_eq!(packet.meta.packet_id.is_some(), option != Some("--lean"));
            assert_eq!(Meta { packet_id: None, ..packet.meta }, meta, "{transport} {option:?}");
        }
    }
}

#[test]
fn a_direction_or_queue_that_is_not_as_usual_is_written() {
    let (left, right) = (NetNs::quiet(), NetNs::quiet());
    let queues = ["numtxqueues", "2", "numrxqueues", "2"];
    let pair = ["link", "add", "left", queues[0], queues[1], queues[2], queues[3], "type", "veth"];
    let peer = ["peer", "name", "right", queues[0], queues[1], queues[2], queues[3], "netns", right.name()];
    left.ip(pair.iter().chain(&peer));
    left.ip(["link", "set", "left", "up"]);
    right.ip(["link", "set", "right", "up"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let fields = ["frame.packet_flags_direction", "frame.interface_queue"];
    for transport in kernel::transports() {
        for (filter, expected, queue) in
            [("queue 1", ["", "1"], Some(1)), ("outbound", ["0x00000002", ""], None)]
        {
            let options = ["-i", "right", "-Q", "inout", "--transport", transport, "-w"];
            let capture = Capture::start(&right, options.into_iter().chain([path.to_str().unwrap(), filter]));
            let (wire, back) = (Wire::open(&left, "left"), Wire::open(&right, "right"));
            for port in 0..64 {
                // The flow decides on the queue.
                wire.send(&wire::udp(port));
                back.send(&wire::udp(port));
            }
            assert!(capture.stop().totals().captured > 0);
            let rows = files::fields_by_tshark(&path, &fields);
            assert!(rows.iter().all(|row| *row == expected), "{transport} {filter}: {rows:?}");
            let contents = files::read(&path);
            assert!(contents.packets.iter().all(|packet| packet.meta.queue == queue));
            assert!(packet_blocks(&path).iter().all(|len| *len == 116), "{transport} {filter}");
        }
    }
}

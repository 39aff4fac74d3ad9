//! Packets that were captured at the entry and exit of an XDP program.

use xdpdump::{
    output::{
        Sink,
        text::{HexDump, TextOptions, TextSink, TimeStyle},
    },
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};

/// The text of packets: the interface (0 is the entry, 1 the exit), packet id, verdict, frame.
fn text(options: TextOptions, packets: &[(u32, u64, Option<u64>, [u8; 20])]) -> String {
    let mut text = Vec::new();
    let mut sink = TextSink::new(&mut text, "memory", TextOptions { time: TimeStyle::None, ..options });
    for name in ["eth0", "eth0 (exit)"] {
        let interface =
            Interface { link_type: LinkType::RAW, name: Some(name.to_owned()), ..Interface::default() };
        sink.interface(&interface).expect("an interface");
    }
    for (interface, packet_id, verdict, frame) in packets {
        let packet = Packet {
            timestamp: Timestamp(0),
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: *interface,
            frame,
            frame_len: 20,
            meta: Meta { packet_id: Some(*packet_id), verdict: *verdict, ..Meta::default() },
        };
        sink.packet(&packet).expect("a packet");
    }
    sink.finish(&[]).expect("the end");
    drop(sink);
    String::from_utf8(text).expect("UTF-8")
}

/// An IPv4 header with this time to live.
fn frame(ttl: u8) -> [u8; 20] {
    [0x45, 0, 0, 20, 0, 0, 0, 0, ttl, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
}

#[test]
fn the_verdict_is_shown_at_the_exit_alone() {
    let packets = [
        // A program of the tool itself passes every frame.
        (0, 1, Some(2), frame(64)),
        (1, 1, Some(1), frame(64)),
        (1, 2, Some(4), frame(64)),
        (1, 3, Some(77), frame(64)),
        (1, 4, None, frame(64)),
    ];
    let text = text(TextOptions::default(), &packets);
    let begins: Vec<_> = text.lines().map(|line| line.split("IP ").next().unwrap_or_default()).collect();
    assert_eq!(begins, ["", "[drop] ", "[redirect] ", "[verdict 77] ", ""], "{text}");
}

#[test]
fn with_the_interface_the_verdict_comes_behind_it() {
    let options = TextOptions { interface: true, ..TextOptions::default() };
    let text = text(options, &[(0, 1, None, frame(64)), (1, 1, Some(3), frame(64))]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("eth0  In  IP "), "{text}");
    assert!(lines[1].starts_with("eth0 (exit) In  [tx] IP "), "{text}");
}

#[test]
fn a_hex_dump_says_what_the_program_changed() {
    let options = TextOptions { hex: HexDump::Hex, ..TextOptions::default() };
    let packets = [
        (0, 1, None, frame(64)),
        (0, 2, None, frame(64)),
        (1, 1, Some(2), frame(64)),
        (1, 2, Some(2), frame(63)),
        (1, 3, Some(2), frame(1)),
    ];
    let text = text(options, &packets);
    let changes: Vec<_> = text.lines().filter(|line| line.contains("changed")).collect();
    assert_eq!(changes, ["\tchanged: 0x0008"], "{text}");
    let plain = TextOptions::default();
    assert!(!self::text(plain, &packets).contains("changed"));
}

//! `--json`: against its schema, against tshark, and with hostile bytes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod properties;
mod schema;
mod strict;
mod tool;
mod tshark;

use std::path::{Path, PathBuf};

use serde_json::Value;
use xdpdump::{
    input::{CaptureFile, Item},
    output::{
        Sink,
        json::{JsonOptions, JsonSink},
    },
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};

/// The captures of the golden tests of text.
const FIXTURES: [&str; 4] = ["protocols", "raw", "truncated", "classic"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name).with_extension("pcap")
}

/// A frame of which not all may be captured.
#[derive(Clone, Debug)]
struct Frame {
    link_type: LinkType,
    bytes: Vec<u8>,
    len: u32,
}

/// The frames of a fixture.
fn frames(name: &str) -> Vec<Frame> {
    let mut file = CaptureFile::open(&fixture(name)).unwrap();
    let link_type = file.interface().unwrap().link_type;
    let mut frames = Vec::new();
    while let Some(item) = file.next().unwrap() {
        if let Item::Packet(packet) = item {
            frames.push(Frame { link_type, bytes: packet.frame.to_vec(), len: packet.frame_len });
        }
    }
    frames
}

/// What is printed for a frame.
fn line(frame: &Frame) -> String {
    let mut text = Vec::new();
    let mut sink = JsonSink::new(&mut text, "memory", JsonOptions::default());
    sink.interface(&Interface { link_type: frame.link_type, ..Interface::default() }).unwrap();
    let packet = Packet {
        timestamp: Timestamp(0),
        uptime: None,
        record: xdpdump::packet::Record::None,
        interface: 0,
        frame: &frame.bytes,
        frame_len: frame.len,
        meta: Meta::default(),
    };
    sink.packet(&packet).unwrap();
    sink.finish(&[]).unwrap();
    drop(sink);
    String::from_utf8(text).unwrap()
}

/// The object of one line.
fn object(line: &str) -> Value {
    let without_end = line.strip_suffix('\n').expect("a whole line");
    assert!(!without_end.contains('\n'), "more than one line: {line}");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

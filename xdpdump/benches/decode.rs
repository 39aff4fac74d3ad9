//! Cost of printing a frame as text, and as JSON.

use std::{hint::black_box, io};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xdpdump::{
    input::{CaptureFile, Item},
    output::{
        Sink,
        json::{JsonOptions, JsonSink},
        text::{TextOptions, TextSink},
    },
    packet::{Interface, Meta, Packet},
};

/// Frames of many protocols, the same as in the golden tests.
const CAPTURE: &[u8] = include_bytes!("../../fixtures/protocols.pcap");

fn lines(criterion: &mut Criterion) {
    let mut file = CaptureFile::new(CAPTURE, "protocols.pcap").expect("a capture file");
    let interface: Interface = file.interface().cloned().unwrap_or_default();
    let mut frames = Vec::new();
    while let Some(item) = file.next().expect("a sound capture file") {
        if let Item::Packet(packet) = item {
            frames.push((packet.timestamp, packet.frame.to_vec()));
        }
    }
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(frames.len() as u64));
    let print = |sink: &mut dyn Sink| {
        sink.interface(&interface).expect("writing to nowhere does not fail");
        for (timestamp, frame) in &frames {
            let packet = Packet {
                timestamp: *timestamp,
                uptime: None,
                record: xdpdump::packet::Record::None,
                interface: 0,
                frame: black_box(frame),
                frame_len: frame.len() as u32,
                meta: Meta::default(),
            };
            sink.packet(&packet).expect("writing to nowhere does not fail");
        }
    };
    group.bench_function("lines of all protocols", |bencher| {
        bencher.iter(|| print(&mut TextSink::new(io::sink(), "nowhere", TextOptions::default())));
    });
    group.bench_function("JSON of all protocols", |bencher| {
        bencher.iter(|| print(&mut JsonSink::new(io::sink(), "nowhere", JsonOptions::default())));
    });
    group.finish();
}

criterion_group!(benches, lines);
criterion_main!(benches);

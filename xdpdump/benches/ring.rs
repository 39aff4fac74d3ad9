//! Cost of finding the records in a ring's bytes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xdpdump::{
    output::pcapng::encode,
    packet::{Direction, Meta, Packet, Timestamp},
    transport::{event::Split, mapped::block, perf::walk},
};
use xdpdump_ebpf::HEADER_LEN;
use xdpdump_testing::bytes::push_sample;

/// Number of frames in the bytes that are parsed.
const FRAMES: usize = 1000;

/// The records of a perf ring, each with a header of zeros and a frame of `len` bytes.
fn samples(len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for time in 0..FRAMES as u64 {
        push_sample(&mut bytes, time, &vec![0; HEADER_LEN + len]);
    }
    bytes
}

/// Blocks as the kernel program writes them.
fn blocks(len: usize) -> Vec<u8> {
    let frame = vec![0x5a; len];
    let mut bytes = Vec::new();
    for time in (0..).take(FRAMES) {
        let packet = Packet {
            timestamp: Timestamp(time),
            uptime: None,
            interface: 0,
            frame: &frame,
            frame_len: len as u32,
            meta: Meta {
                direction: Direction::Inbound,
                queue: Some(3),
                packet_id: Some(7),
                verdict: Some(2),
                lost: 0,
                ..Meta::default()
            },
        };
        encode::enhanced_packet(&mut bytes, &packet);
    }
    bytes
}

fn rings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring");
    group.throughput(Throughput::Elements(FRAMES as u64));
    for len in [60, 1500] {
        let bytes = samples(len);
        group.bench_function(BenchmarkId::new("perf walk", len), |bencher| {
            bencher.iter(|| {
                let mut rest = Split::new(black_box(&bytes), &[]);
                while let Some(record) = walk::next(&mut rest) {
                    black_box(record.is_ok());
                }
            });
        });
        let mut bytes = blocks(len);
        group.bench_function(BenchmarkId::new("mapped peek and stamp", len), |bencher| {
            bencher.iter(|| {
                let mut rest = black_box(&mut bytes[..]);
                while let Some(next) = block::peek(rest) {
                    let (record, others) = rest.split_at_mut(next.len);
                    block::stamp(record, Timestamp(next.time.cast_signed()));
                    rest = others;
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, rings);
criterion_main!(benches);

//! Cost of finding the records in rings' bytes, and of bringing those of many rings into order.

use std::{convert::Infallible, hint::black_box, ops::ControlFlow};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xdpdump::{
    order::{Merge, Stream},
    output::pcapng::encode,
    packet::{Meta, Packet, Timestamp},
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

/// Blocks as the kernel program writes them, with these times.
fn blocks(len: usize, times: impl Iterator<Item = i64>) -> Vec<u8> {
    let frame = vec![0x5a; len];
    let mut bytes = Vec::new();
    for time in times {
        let packet = Packet {
            timestamp: Timestamp(time),
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: 0,
            frame: &frame,
            frame_len: len as u32,
            meta: Meta { packet_id: Some(7), ..Meta::default() },
        };
        encode::enhanced_packet(&mut bytes, &packet);
    }
    bytes
}

/// What a mapped ring contains.
struct Ring<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Stream for Ring<'_> {
    fn next_time(&mut self) -> Option<u64> {
        block::peek(&self.bytes[self.at..]).map(|next| next.time)
    }
}

impl Ring<'_> {
    /// Stamps a run of blocks, as a reader does before it hands the run on.
    fn take(&mut self, until: u64) -> ControlFlow<Infallible> {
        while let Some(next) = block::peek(&self.bytes[self.at..]).filter(|next| next.time <= until) {
            // The times stay the same, for the next round.
            block::stamp(&mut self.bytes[self.at..], u64::MAX, Timestamp(next.time.cast_signed()));
            self.at += next.len;
        }
        ControlFlow::Continue(())
    }
}

/// One reader and the rings of many CPUs, each of which writes frames in bursts.
fn many_cpus(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reader of many rings");
    group.throughput(Throughput::Elements(FRAMES as u64 * 64));
    for cpus in [1, 8, 64] {
        for burst in [1, 16] {
            // A burst of the first CPU, then one of the second, and so on.
            let times = |cpu: i64| {
                (0..FRAMES.cast_signed() as i64 * 64 / cpus)
                    .map(move |frame| (frame / burst * cpus + cpu) * burst + frame % burst)
            };
            let mut contents: Vec<_> = (0..cpus).map(|cpu| blocks(60, times(cpu))).collect();
            let mut merge = Merge::default();
            group.bench_function(BenchmarkId::new(format!("bursts of {burst}"), cpus), |bencher| {
                bencher.iter(|| {
                    let mut rings: Vec<_> = contents.iter_mut().map(|bytes| Ring { bytes, at: 0 }).collect();
                    merge.run(black_box(&mut rings), u64::MAX, Ring::take)
                });
            });
        }
    }
    group.finish();
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
        let mut bytes = blocks(len, (0..).take(FRAMES));
        group.bench_function(BenchmarkId::new("mapped peek and stamp", len), |bencher| {
            bencher.iter(|| {
                let mut rest = black_box(&mut bytes[..]);
                while let Some(next) = block::peek(rest) {
                    let (record, others) = rest.split_at_mut(next.len);
                    block::stamp(record, u64::MAX, Timestamp(next.time.cast_signed()));
                    rest = others;
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, rings, many_cpus);
criterion_main!(benches);

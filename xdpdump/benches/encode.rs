//! Cost of encoding a packet as a record of a file.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xdpdump::{
    output::{pcap, pcapng::encode},
    packet::{ByteOrder, Direction, Meta, Packet, Time, Timestamp},
};

fn records(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for length in [64_u32, 1500] {
        let frame = vec![0x5a; length as usize];
        let packet = Packet {
            timestamp: Timestamp(1_700_000_000_123_456_789),
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: 0,
            frame: &frame,
            frame_len: length,
            meta: Meta {
                direction: Direction::Inbound,
                queue: Some(3),
                packet_id: Some(7),
                verdict: Some(2),
                lost: 0,
                ..Meta::default()
            },
        };
        let mut buffer = Vec::with_capacity(1 << 12);
        group.throughput(Throughput::Bytes(length.into()));
        group.bench_function(BenchmarkId::new("pcapng", length), |bencher| {
            bencher.iter(|| {
                buffer.clear();
                encode::enhanced_packet(black_box(&mut buffer), black_box(&packet));
            });
        });
        group.bench_function(BenchmarkId::new("pcap", length), |bencher| {
            bencher.iter(|| {
                buffer.clear();
                let Time { seconds, nanos, .. } = black_box(&packet).timestamp.into();
                let Packet { frame, frame_len, .. } = packet;
                pcap::record(
                    black_box(&mut buffer),
                    ByteOrder::NATIVE,
                    [u32::try_from(seconds).unwrap_or_default(), nanos],
                    frame,
                    frame_len,
                );
            });
        });
    }
    group.finish();
}

criterion_group!(benches, records);
criterion_main!(benches);

//! Cost of a filter that rejects a frame, in user space and in the kernel. The kernel's part needs root.

#![expect(clippy::unwrap_used, reason = "what cannot be measured ends the measurement")]

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use xdpdump::{
    filter::{Filter, Frame},
    packet::LinkType,
};
use xdpdump_testing::filters::program::{Program, WHOLE};

/// A TCP segment to port 80, padded as on the wire.
const SEGMENT: &[u8; 60] =
    b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0\x45\0\0\x28\0\0\0\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02\
\x30\x39\0\x50\0\0\0\0\0\0\0\0\x50\x02\xff\xff\0\0\0\0\0\0\0\0\0\0";

/// `0 = 1` measures the cost of calling a filter at all.
const FILTERS: [&str; 5] =
    ["0 = 1", "tcp port 443", "host 10.0.0.9 and udp", "tcp[tcpflags] & tcp-rst != 0", "inner tcp port 443"];

fn rejected(criterion: &mut Criterion) {
    let frame = Frame { bytes: SEGMENT, len: 60, ..Frame::default() };
    for text in FILTERS {
        let filter = Filter::compile(text, LinkType::ETHERNET).unwrap();
        criterion.bench_function(&format!("user space/{text}"), |bencher| {
            bencher.iter(|| filter.matches(black_box(&frame)));
        });
        match Program::load(&filter, WHOLE) {
            Ok((program, _)) => drop(criterion.bench_function(&format!("kernel/{text}"), |bencher| {
                bencher.iter_custom(|iterations| {
                    let repeat = u32::try_from(iterations).unwrap().max(1000);
                    let (_, nanoseconds) = program.run(SEGMENT, repeat).unwrap();
                    Duration::from_nanos(u64::from(nanoseconds) * iterations)
                });
            })),
            Err(error) => eprintln!("kernel/{text}: {error}"),
        }
    }
}

criterion_group!(benches, rejected);
criterion_main!(benches);

//! Cost of bringing the events of several CPUs into the order of time.

use std::{convert::Infallible, hint::black_box, ops::ControlFlow};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xdpdump::{
    order::{Receiver, Source, merge},
    packet::Timestamp,
    transport::event::Event,
};

/// Events of all sources together.
const EVENTS: u64 = 10_000;

/// Every `step`th moment from the first on.
#[derive(Clone)]
struct Moments {
    next: u64,
    step: u64,
}

impl Source for Moments {
    fn next_time(&mut self) -> Option<u64> {
        (self.next < EVENTS).then_some(self.next)
    }

    fn hand_over<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End> {
        while let Some(time) = self.next_time().filter(|time| *time <= until) {
            self.next += self.step;
            receiver.event(&Event {
                time,
                cpu: 0,
                sequence: 0,
                lost: 0,
                queue: 0,
                verdict: None,
                frame_len: 60,
                frame: &[],
            })?;
        }
        ControlFlow::Continue(())
    }
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl Receiver for Nowhere {
    type End = Infallible;

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<Infallible> {
        black_box(event.time);
        ControlFlow::Continue(())
    }

    fn wants_blocks(&self) -> bool {
        false
    }

    fn stamp(&mut self, _: u64) -> Timestamp {
        Timestamp(0)
    }

    fn blocks(&mut self, _: &[u8]) -> ControlFlow<Infallible> {
        ControlFlow::Continue(())
    }
}

fn sources(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge");
    group.throughput(Throughput::Elements(EVENTS));
    for busy in [1, 2, 8] {
        // In turn, the worst case; the sources that are not busy are there nevertheless.
        let moments: Vec<Moments> = (0..8)
            .map(|source| Moments { next: if source < busy { source } else { EVENTS }, step: busy })
            .collect();
        group.bench_function(BenchmarkId::new("busy sources of 8", busy), |bencher| {
            bencher.iter(|| merge(&mut moments.clone(), u64::MAX, &mut Nowhere));
        });
    }
    group.finish();
}

criterion_group!(benches, sources);
criterion_main!(benches);

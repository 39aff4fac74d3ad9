//! Cost of merging the items of several streams by time.

use std::{convert::Infallible, hint::black_box, ops::ControlFlow};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xdpdump::order::{Merge, Stream};

/// Number of items of all streams together.
const ITEMS: u64 = 100_000;

/// A stream with an item at every `step`th time.
#[derive(Clone)]
struct Moments {
    next: u64,
    step: u64,
}

impl Stream for Moments {
    fn next_time(&mut self) -> Option<u64> {
        (self.next < ITEMS).then_some(self.next)
    }
}

impl Moments {
    fn take(&mut self, until: u64) -> ControlFlow<Infallible> {
        while let Some(time) = self.next_time().filter(|time| *time <= until) {
            self.next += self.step;
            black_box(time);
        }
        ControlFlow::Continue(())
    }
}

/// The streams take turns: no two consecutive items are of the same stream.
fn interleaved(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge, interleaved");
    group.throughput(Throughput::Elements(ITEMS));
    for streams in [1, 2, 8, 64, 256] {
        let moments: Vec<Moments> = (0..streams).map(|next| Moments { next, step: streams }).collect();
        let mut merge = Merge::default();
        group.bench_function(BenchmarkId::new("streams", streams), |bencher| {
            bencher.iter(|| merge.run(&mut moments.clone(), u64::MAX, Moments::take));
        });
    }
    group.finish();
}

/// A machine with one busy CPU: the other streams are empty.
fn one_busy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge, one busy");
    group.throughput(Throughput::Elements(ITEMS));
    for streams in [8, 256] {
        let moments: Vec<Moments> = (0..streams)
            .map(|stream| Moments { next: if stream == 3 { 0 } else { ITEMS }, step: 1 })
            .collect();
        let mut merge = Merge::default();
        group.bench_function(BenchmarkId::new("streams", streams), |bencher| {
            bencher.iter(|| merge.run(&mut moments.clone(), u64::MAX, Moments::take));
        });
    }
    group.finish();
}

criterion_group!(benches, interleaved, one_busy);
criterion_main!(benches);

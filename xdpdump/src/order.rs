//! Brings the events of several CPUs into the order of their time.

use std::ops::ControlFlow;

use crate::transport::event::Event;

/// A stream of events, each no earlier than the one before: the ring of one CPU.
pub trait Source {
    /// `CLOCK_MONOTONIC` nanoseconds of the next event; `None` when there is none at the moment.
    fn next_time(&mut self) -> Option<u64>;

    /// Takes the next event and hands it to `use_event`; `None` when there is none.
    fn take<R>(&mut self, use_event: impl FnOnce(Event<'_>) -> R) -> Option<R>;
}

/// Hands every event that is no later than `limit` to `use_event`, in the order of time over all sources, until it
/// breaks.
///
/// A source is drained for as long as it is no later than the others, so that one busy CPU costs one comparison an
/// event.
pub fn merge<S: Source, B>(
    sources: &mut [S],
    limit: u64,
    mut use_event: impl FnMut(Event<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    while let Some((earliest, until)) = earliest(sources, limit) {
        let source = &mut sources[earliest];
        while source.next_time().is_some_and(|time| time <= until) {
            if let Some(flow) = source.take(&mut use_event) {
                flow?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// The source whose next event is the earliest of all, and how far it may go: to the next event of any other source,
/// or to the limit. `None` when no event is within the limit.
fn earliest<S: Source>(sources: &mut [S], limit: u64) -> Option<(usize, u64)> {
    let mut first: Option<(usize, u64)> = None;
    let mut until = limit;
    for (index, source) in sources.iter_mut().enumerate() {
        let Some(time) = source.next_time().filter(|time| *time <= limit) else { continue };
        match first {
            Some((_, earlier)) if earlier <= time => until = until.min(time),
            _ => {
                if let Some((_, later)) = first {
                    until = until.min(later);
                }
                first = Some((index, time));
            }
        }
    }
    first.map(|(index, _)| (index, until))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;
    use xdpdump_ebpf::FrameHeader;

    use super::*;

    struct Times(VecDeque<u64>);

    impl Source for Times {
        fn next_time(&mut self) -> Option<u64> {
            self.0.front().copied()
        }

        fn take<R>(&mut self, use_event: impl FnOnce(Event<'_>) -> R) -> Option<R> {
            let time = self.0.pop_front()?;
            Some(use_event(Event { time, cpu: 0, lost: 0, header: FrameHeader::default(), frame: &[] }))
        }
    }

    proptest! {
        #[test]
        fn the_merge_is_the_sorted_whole_up_to_the_limit(
            mut times in proptest::collection::vec(proptest::collection::vec(0..1000u64, 0..30), 0..6),
            limit in 0..1100u64,
        ) {
            for source in &mut times {
                source.sort_unstable();
            }
            let mut expected: Vec<u64> = times.concat();
            expected.retain(|time| *time <= limit);
            expected.sort_unstable();
            let left_over = times.concat().len() - expected.len();

            let mut sources: Vec<Times> = times.into_iter().map(|times| Times(times.into())).collect();
            let mut merged = Vec::new();
            let flow: ControlFlow<()> = merge(&mut sources, limit, |event| {
                merged.push(event.time);
                ControlFlow::Continue(())
            });
            prop_assert!(flow.is_continue());
            prop_assert_eq!(merged, expected);
            prop_assert_eq!(sources.iter().map(|source| source.0.len()).sum::<usize>(), left_over);
        }
    }

    #[test]
    fn a_break_leaves_the_rest_where_it_is() {
        let mut sources = [Times([1, 4].into()), Times([2, 3].into())];
        let mut seen = Vec::new();
        let flow = merge(&mut sources, u64::MAX, |event| {
            seen.push(event.time);
            if event.time == 2 { ControlFlow::Break("enough") } else { ControlFlow::Continue(()) }
        });
        assert_eq!(flow, ControlFlow::Break("enough"));
        assert_eq!(seen, [1, 2]);
        assert_eq!((sources[0].0.len(), sources[1].0.len()), (1, 1));
    }
}

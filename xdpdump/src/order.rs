//! Brings the events of several CPUs into the order of their time.

use std::ops::ControlFlow;

use crate::{
    clock::monotonic,
    packet::Timestamp,
    transport::{HORIZON, event::Event},
};

/// A stream of events, each no earlier than the one before: the ring of one CPU.
pub trait Source {
    /// `CLOCK_MONOTONIC` nanoseconds of the next event; `None` when there is none at the moment.
    fn next_time(&mut self) -> Option<u64>;

    /// Hands the events that are no later than `until` to `receiver`, until it breaks.
    fn hand_over<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End>;
}

/// What takes events in the order of their time.
pub trait Receiver {
    /// Why it takes no more.
    type End;

    /// Takes one event.
    fn event(&mut self, event: &Event<'_>) -> ControlFlow<Self::End>;

    /// Whether a source that has events as Enhanced Packet Blocks should hand over those, by [`Receiver::stamp`] and
    /// [`Receiver::blocks`].
    fn wants_blocks(&self) -> bool;

    /// Takes note of an event at this `CLOCK_MONOTONIC` time, and says the wall-clock time its block is to have.
    fn stamp(&mut self, time: u64) -> Timestamp;

    /// Takes whole blocks, of events that were stamped.
    fn blocks(&mut self, blocks: &[u8]) -> ControlFlow<Self::End>;
}

/// Up to when events may be handed over now: all of them, or those that no CPU can come before any more.
pub fn limit(all: bool) -> u64 {
    if all { u64::MAX } else { monotonic().saturating_sub(HORIZON.as_nanos() as u64) }
}

/// Hands every event that is no later than `limit` to `receiver`, in the order of time over all sources, until it
/// breaks. Says whether later events are left.
///
/// A source is drained for as long as it is no later than the others, so that one busy CPU costs one comparison an
/// event.
pub fn merge<S: Source, R: Receiver>(
    sources: &mut [S],
    limit: u64,
    receiver: &mut R,
) -> ControlFlow<R::End, bool> {
    while let Some((earliest, until)) = earliest(sources, limit) {
        sources[earliest].hand_over(until, receiver)?;
    }
    ControlFlow::Continue(sources.iter_mut().any(|source| source.next_time().is_some()))
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

    use super::*;

    struct Times(VecDeque<u64>);

    impl Source for Times {
        fn next_time(&mut self) -> Option<u64> {
            self.0.front().copied()
        }

        fn hand_over<R: Receiver>(&mut self, until: u64, receiver: &mut R) -> ControlFlow<R::End> {
            while let Some(time) = self.next_time().filter(|time| *time <= until) {
                self.0.pop_front();
                receiver.event(&event(time))?;
            }
            ControlFlow::Continue(())
        }
    }

    fn event(time: u64) -> Event<'static> {
        Event { time, cpu: 0, sequence: 0, lost: 0, queue: 0, verdict: None, frame_len: 0, frame: &[] }
    }

    /// Takes events up to and including the one of a certain time.
    struct Until {
        last: u64,
        seen: Vec<u64>,
    }

    impl Receiver for Until {
        type End = &'static str;

        fn event(&mut self, event: &Event<'_>) -> ControlFlow<Self::End> {
            self.seen.push(event.time);
            if event.time == self.last { ControlFlow::Break("enough") } else { ControlFlow::Continue(()) }
        }

        fn wants_blocks(&self) -> bool {
            false
        }

        fn stamp(&mut self, _: u64) -> Timestamp {
            Timestamp(0)
        }

        fn blocks(&mut self, _: &[u8]) -> ControlFlow<Self::End> {
            ControlFlow::Break("nobody wanted blocks")
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
            let mut all = Until { last: u64::MAX, seen: Vec::new() };
            prop_assert_eq!(merge(&mut sources, limit, &mut all), ControlFlow::Continue(left_over > 0));
            prop_assert_eq!(all.seen, expected);
            prop_assert_eq!(sources.iter().map(|source| source.0.len()).sum::<usize>(), left_over);
        }
    }

    #[test]
    fn a_break_leaves_the_rest_where_it_is() {
        let mut sources = [Times([1, 4].into()), Times([2, 3].into())];
        let mut two = Until { last: 2, seen: Vec::new() };
        assert_eq!(merge(&mut sources, u64::MAX, &mut two), ControlFlow::Break("enough"));
        assert_eq!(two.seen, [1, 2]);
        assert_eq!((sources[0].0.len(), sources[1].0.len()), (1, 1));
    }
}

//! Merges streams that are each ordered by time into one stream ordered by time.
//!
//! A stream is the ring of one CPU, or a file. The caller defines what the items are and what happens to them.

use std::{hint::select_unpredictable, ops::ControlFlow};

/// A stream of items ordered by time.
pub trait Stream {
    /// The time of the next item, below `u64::MAX`; `None` when there is none at the moment.
    fn next_time(&mut self) -> Option<u64>;
}

/// Merges the items of many streams by time.
///
/// A tournament tree decides which stream is next, so an item costs as many comparisons as the logarithm of the number of
/// streams. The tree's memory is kept from one merge to the next.
#[derive(Debug, Default)]
pub struct Merge {
    /// The loser of each game: `losers[1]` of the final, `losers[n]` of the game between the winners of games `2n` and `2n
    /// + 1`. Streams are the players of the first games.
    losers: Vec<Player>,
    /// The winners of the games, used while the whole tournament is played.
    winners: Vec<Player>,
}

/// A stream in the tournament.
#[derive(Clone, Copy, Debug)]
struct Player {
    /// The time of its next item; `u64::MAX` when it has none within the limit.
    time: u64,
    stream: u32,
}

/// The time of a player that takes no part: a place without a stream, or a stream without an item within the limit.
const NOTHING: u64 = u64::MAX;

impl Merge {
    /// Takes all items that are no later than `limit` from the streams, ordered by time across all streams. Returns whether
    /// later items are left.
    ///
    /// `take` is called with a stream and a time: it takes the stream's items up to and including that time, at least the
    /// first. So a stream is read on as long as its items are no later than those of the others. The merge ends early when
    /// `take` breaks.
    pub fn run<S: Stream, B>(
        &mut self,
        streams: &mut [S],
        limit: u64,
        take: impl FnMut(&mut S, u64) -> ControlFlow<B>,
    ) -> ControlFlow<B, bool> {
        match streams {
            [only] => one(only, limit, take),
            [a, b] => two(a, b, limit, take),
            more => self.tournament(more, limit, take),
        }
    }

    #[inline(never)]
    fn tournament<S: Stream, B>(
        &mut self,
        streams: &mut [S],
        limit: u64,
        mut take: impl FnMut(&mut S, u64) -> ControlFlow<B>,
    ) -> ControlFlow<B, bool> {
        let mut later = false;
        let mut winner = self.play_all(streams.iter_mut().map(|stream| look(stream, limit, &mut later)));
        while winner.time != NOTHING {
            let until = self.runner_up(winner.stream).min(limit);
            let Some(stream) = streams.get_mut(winner.stream as usize) else { break };
            take(stream, until)?;
            winner = self.play_again(Player { time: look(stream, limit, &mut later), ..winner });
        }
        ControlFlow::Continue(later)
    }

    /// Plays every game, and returns the winner of the final.
    fn play_all(&mut self, times: impl Iterator<Item = u64>) -> Player {
        self.winners.clear();
        self.winners.extend(times.zip(0..).map(|(time, stream)| Player { time, stream }));
        let places = self.winners.len().next_power_of_two().max(2);
        self.winners.resize(places, Player { time: NOTHING, stream: 0 });
        self.losers.clear();
        self.losers.resize(places, Player { time: NOTHING, stream: 0 });
        // Round by round: the winners of a round are stored at the front, where the next round reads them.
        let mut games = places / 2;
        while games > 0 {
            for game in 0..games {
                let (winner, loser) = play(self.winners[2 * game], self.winners[2 * game + 1]);
                self.winners[game] = winner;
                self.losers[games + game] = loser;
            }
            games /= 2;
        }
        self.winners[0]
    }

    /// Plays the games of one stream again (it had won all of them before), and returns the new winner of the final.
    fn play_again(&mut self, player: Player) -> Player {
        let mut winner = player;
        let mut game = self.first_game(player.stream);
        while let Some(loser) = self.losers.get_mut(game).filter(|_| game > 0) {
            (winner, *loser) = play(winner, *loser);
            game /= 2;
        }
        winner
    }

    /// The number of a stream's first game; first games have the highest numbers.
    fn first_game(&self, stream: u32) -> usize {
        let place = self.losers.len() + stream as usize;
        place >> 1
    }

    /// The earliest time of all other streams: the earliest among those that lost to the winner.
    fn runner_up(&self, winner: u32) -> u64 {
        let mut best = NOTHING;
        let mut game = self.first_game(winner);
        while let Some(loser) = self.losers.get(game).filter(|_| game > 0) {
            best = best.min(loser.time);
            game /= 2;
        }
        best
    }
}

/// The time of a stream's next item, if it has one within the limit. `later` becomes true if it has a later one.
fn look(stream: &mut impl Stream, limit: u64, later: &mut bool) -> u64 {
    match stream.next_time() {
        Some(time) if time <= limit => time,
        next => {
            *later |= next.is_some();
            NOTHING
        }
    }
}

/// Takes the items of a single stream.
fn one<S: Stream, B>(
    stream: &mut S,
    limit: u64,
    mut take: impl FnMut(&mut S, u64) -> ControlFlow<B>,
) -> ControlFlow<B, bool> {
    let mut later = false;
    if look(stream, limit, &mut later) != NOTHING {
        take(stream, limit)?;
        look(stream, limit, &mut later);
    }
    ControlFlow::Continue(later)
}

/// Merges two streams, for which a branch costs no more than a tournament, and less if it can be predicted.
fn two<S: Stream, B>(
    a: &mut S,
    b: &mut S,
    limit: u64,
    mut take: impl FnMut(&mut S, u64) -> ControlFlow<B>,
) -> ControlFlow<B, bool> {
    let mut later = false;
    let (mut a_time, mut b_time) = (look(a, limit, &mut later), look(b, limit, &mut later));
    while a_time.min(b_time) != NOTHING {
        if a_time <= b_time {
            take(a, b_time.min(limit))?;
            a_time = look(a, limit, &mut later);
        } else {
            take(b, a_time.min(limit))?;
            b_time = look(b, limit, &mut later);
        }
    }
    ControlFlow::Continue(later)
}

/// The player whose next item is earlier, then the other.
fn play(a: Player, b: Player) -> (Player, Player) {
    // Which of two CPUs is earlier is unpredictable, so this avoids a branch, which would often be mispredicted.
    let b_first = b.time < a.time;
    (select_unpredictable(b_first, b, a), select_unpredictable(b_first, a, b))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    struct Times(VecDeque<u64>);

    impl Stream for Times {
        fn next_time(&mut self) -> Option<u64> {
            self.0.front().copied()
        }
    }

    /// Takes items of a stream up to time `until`, and breaks at the item with time `last`.
    fn take(stream: &mut Times, until: u64, last: u64, seen: &mut Vec<u64>) -> ControlFlow<&'static str> {
        while let Some(time) = stream.next_time().filter(|time| *time <= until) {
            stream.0.pop_front();
            seen.push(time);
            if time == last {
                return ControlFlow::Break("enough");
            }
        }
        ControlFlow::Continue(())
    }

    proptest! {
        #[test]
        fn the_merge_is_the_sorted_whole_up_to_the_limit(
            rounds in proptest::collection::vec(
                (proptest::collection::vec(proptest::collection::vec(0..1000u64, 0..30), 0..20), 0..1100u64),
                1..3,
            ),
        ) {
            let mut merge = Merge::default();
            for (mut times, limit) in rounds {
                for stream in &mut times {
                    stream.sort_unstable();
                }
                let mut expected: Vec<u64> = times.concat();
                expected.retain(|time| *time <= limit);
                expected.sort_unstable();
                let left_over = times.concat().len() - expected.len();

                let mut streams: Vec<Times> = times.into_iter().map(|times| Times(times.into())).collect();
                let mut seen = Vec::new();
                let end: ControlFlow<&str, bool> = merge.run(&mut streams, limit, |stream, until| take(stream, until, u64::MAX, &mut seen));
                prop_assert_eq!(end, ControlFlow::Continue(left_over > 0));
                prop_assert_eq!(seen, expected);
                prop_assert_eq!(streams.iter().map(|stream| stream.0.len()).sum::<usize>(), left_over);
            }
        }
    }

    #[test]
    fn a_break_leaves_the_rest_where_it_is() {
        let mut streams = [Times([1, 4].into()), Times([2, 3].into())];
        let mut seen = Vec::new();
        let end =
            Merge::default().run(&mut streams, u64::MAX, |stream, until| take(stream, until, 2, &mut seen));
        assert_eq!(end, ControlFlow::Break("enough"));
        assert_eq!(seen, [1, 2]);
        assert_eq!((streams[0].0.len(), streams[1].0.len()), (1, 1));
    }

    #[test]
    fn a_stream_is_drained_until_another_comes_first() {
        let mut streams = [Times([1, 2, 3, 9].into()), Times([5, 6].into()), Times([7].into())];
        let mut runs = Vec::new();
        let end: ControlFlow<(), bool> = Merge::default().run(&mut streams, 8, |stream, until| {
            runs.push(until);
            while stream.next_time().is_some_and(|time| time <= until) {
                stream.0.pop_front();
            }
            ControlFlow::Continue(())
        });
        assert_eq!(end, ControlFlow::Continue(true));
        assert_eq!(runs, [5, 7, 8]);
    }
}

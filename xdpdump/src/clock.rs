//! Turns kernel-monotonic time into wall-clock time, and keeps in step with a clock that is corrected.

use std::time::Duration;

use crate::{packet::Timestamp, sys::clock};

/// How often the clocks are compared.
pub const RESAMPLE_EVERY: Duration = Duration::from_secs(1);

/// A difference larger than this within [`RESAMPLE_EVERY`] is a step of the clock; NTP's slewing is at most
/// 500 µs a second (`MAXFREQ`, include/linux/timex.h).
const STEP_NANOS: i64 = 2_000_000;

/// The kernel's clocks, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub monotonic: u64,
    /// `CLOCK_REALTIME` minus `CLOCK_MONOTONIC`, nanoseconds.
    pub offset: i64,
}

impl Sample {
    /// Reads the clocks: of several readings of monotonic, realtime, monotonic the one whose monotonic times lie
    /// closest together.
    pub fn take() -> Self {
        let mut best = None;
        for _ in 0..8 {
            let before = clock::monotonic();
            let realtime = clock::realtime();
            let after = clock::monotonic();
            let width = after - before;
            if best.is_none_or(|(narrowest, _)| width < narrowest) {
                let monotonic = before + width / 2;
                let sample = Self { monotonic: monotonic.cast_unsigned(), offset: realtime - monotonic };
                best = Some((width, sample));
            }
        }
        best.map_or(Self { monotonic: 0, offset: 0 }, |(_, sample)| sample)
    }
}

/// `CLOCK_MONOTONIC`, nanoseconds: the time of events.
pub fn monotonic() -> u64 {
    clock::monotonic().cast_unsigned()
}

/// The wall clock as a function of monotonic time.
///
/// Small corrections are spread over the second until the next sample, so that time goes on; a step is taken at once,
/// at the moment it was noticed.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Holds from its start on.
    now: Segment,
    /// Holds before that: events may be older than the sample.
    before: Segment,
}

/// A straight piece of the function: at `start + t` the offset is `offset + rate * t`.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: u64,
    offset: i64,
    /// Nanoseconds to correct in each 2³⁰ ns.
    rate: i64,
}

impl Segment {
    fn offset_at(self, monotonic: u64) -> i64 {
        // Beyond the next sample the correction is complete.
        let elapsed = monotonic.saturating_sub(self.start).min(1 << 30).cast_signed();
        self.offset + ((elapsed * self.rate) >> 30)
    }
}

impl Clock {
    /// A clock that starts with `sample`.
    pub fn new(sample: Sample) -> Self {
        let segment = Segment { start: sample.monotonic, offset: sample.offset, rate: 0 };
        Self { now: segment, before: segment }
    }

    /// The wall-clock time of an event at `monotonic` nanoseconds.
    pub fn wall(&self, monotonic: u64) -> Timestamp {
        let segment = if monotonic < self.now.start { self.before } else { self.now };
        let offset = segment.offset_at(monotonic);
        Timestamp(i64::try_from(monotonic).unwrap_or(i64::MAX).saturating_add(offset))
    }

    /// Whether it is time for [`Clock::follow`].
    pub fn is_due(&self, monotonic: u64) -> bool {
        u128::from(monotonic.saturating_sub(self.now.start)) >= RESAMPLE_EVERY.as_nanos()
    }

    /// Follows the clocks as they are now.
    pub fn follow(&mut self, sample: Sample) {
        let offset = self.now.offset_at(sample.monotonic);
        let correction = sample.offset - offset;
        self.before = self.now;
        self.now = if correction.abs() > STEP_NANOS {
            Segment { start: sample.monotonic, offset: sample.offset, rate: 0 }
        } else {
            Segment { start: sample.monotonic, offset, rate: correction }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn the_real_clock_is_met_within_a_millisecond() {
        let clock = Clock::new(Sample::take());
        let wall = clock.wall(monotonic()).0;
        let real = clock::realtime();
        assert!((real - wall).abs() < 1_000_000, "{wall} against {real}");
    }

    #[test]
    fn a_step_is_followed_at_the_next_sample_and_older_events_keep_their_time() {
        for step in [3600 * SECOND, -3600 * SECOND] {
            let mut clock =
                Clock::new(Sample { monotonic: 10 * SECOND.cast_unsigned(), offset: 1000 * SECOND });
            clock.follow(Sample { monotonic: 11 * SECOND.cast_unsigned(), offset: 1000 * SECOND + step });
            assert_eq!(clock.wall(11 * SECOND.cast_unsigned() - 1), Timestamp(1011 * SECOND - 1));
            assert_eq!(clock.wall(11 * SECOND.cast_unsigned()), Timestamp(1011 * SECOND + step));
        }
    }

    proptest! {
        /// A clock that NTP slews at its fastest, in either direction.
        #[test]
        fn slewing_is_followed_and_time_never_runs_backwards(slews in proptest::collection::vec(-500_000..500_000i64, 1..20)) {
            let mut offset = 1_700_000_000 * SECOND;
            let mut clock = Clock::new(Sample { monotonic: 0, offset });
            let mut last = Timestamp(i64::MIN);
            for (start, slew) in (0..).step_by(1_000_000_000).zip(&slews) {
                for step in 0..100 {
                    let now = clock.wall((start + step * SECOND / 100).cast_unsigned());
                    prop_assert!(now > last);
                    last = now;
                }
                offset += slew;
                clock.follow(Sample { monotonic: (start + SECOND).cast_unsigned(), offset });
                // Two seconds later at most, the correction is complete.
                let settled = clock.wall((start + 3 * SECOND).cast_unsigned()).0;
                prop_assert!((settled - (start + 3 * SECOND + offset)).abs() <= 1);
            }
        }
    }
}

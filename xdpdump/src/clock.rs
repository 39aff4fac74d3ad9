//! Converts `CLOCK_MONOTONIC` to wall-clock time, and follows the wall clock when it is slewed or stepped.

use std::{io, time::Duration};

use xdpdump_ebpf::ring::WALL;

use crate::{
    packet::Timestamp,
    sys::{clock, ptp::PtpClock},
};

/// How often the two clocks are compared.
pub const RESAMPLE_EVERY: Duration = Duration::from_secs(1);

/// The largest difference between two samples that counts as slewing: an eighth of the time between them (chrony slews by a
/// twelfth at most), plus the error of reading the clocks. A larger difference is a step, even if the kernel announced
/// none.
const SLEW_PARTS: u64 = 8;
const READING_ERROR: u64 = 2_000_000;

/// Number of binary places of a [`Segment`]'s rate.
const RATE_SHIFT: u32 = 30;
/// The fastest correction: time still advances at half its normal speed.
const FASTEST: i128 = 1 << (RATE_SHIFT - 1);

/// Number of segments that are kept: enough for the last two samples, because events may be read late.
const SEGMENTS: usize = 6;

/// A clock and the wall clock, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The kernel's own `CLOCK_MONOTONIC`, or the clock of an adapter, nanoseconds.
    pub monotonic: u64,
    /// `CLOCK_REALTIME` minus that, nanoseconds.
    pub offset: i64,
    /// By how much the offset may be wrong in either direction, nanoseconds.
    pub error: u32,
}

impl Sample {
    /// Reads the clocks several times (monotonic, realtime, monotonic), and takes the reading whose two monotonic times are
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
                // The clocks are rounded to nanoseconds, each by itself.
                let error = u32::try_from(width - width / 2 + 1).unwrap_or(u32::MAX);
                let sample =
                    Self { monotonic: monotonic.cast_unsigned(), offset: realtime - monotonic, error };
                best = Some((width, sample));
            }
        }
        best.map_or(Self { monotonic: 0, offset: 0, error: 0 }, |(_, sample)| sample)
    }

    /// Reads the clock of an adapter.
    ///
    /// # Errors
    /// The error of the system call.
    pub fn of_adapter(clock: &PtpClock) -> io::Result<Self> {
        let (time, realtime) = clock.compare()?;
        Ok(Self { monotonic: time, offset: realtime.saturating_sub_unsigned(time), error: 0 })
    }
}

/// Why wall-clock times cannot be known.
#[derive(Debug, thiserror::Error)]
#[error(
    "this process is in a time namespace whose offset cannot be read ({0}), so that all times would be wrong: run xdpdump \
     outside of it, such as by `nsenter --time=/proc/1/ns/time`"
)]
pub struct Error(#[source] io::Error);

/// Prepares for reading the clocks: finds out whether this process is in a time namespace, in which clocks are shifted.
///
/// # Errors
/// When it is, and the offset cannot be read.
pub fn prepare() -> Result<(), Error> {
    clock::learn_time_namespace().map_err(Error)
}

/// The kernel's own `CLOCK_MONOTONIC`, nanoseconds: the time of events.
pub fn monotonic() -> u64 {
    clock::monotonic().cast_unsigned()
}

/// The wall clock as a function of monotonic time, or of an adapter's time.
///
/// A step is applied at once when it is noticed. Any other difference between two samples is spread over time: over the
/// events since the previous sample that have no wall-clock time yet, and over the next second. So the times of events in
/// order never run backwards, however fast the clock is slewed and however long the clocks were not compared.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Ordered by their start; never empty.
    segments: Vec<Segment>,
    /// The last sample.
    sample: Sample,
    /// Monotonic time of the latest event that has been given a wall-clock time.
    given: u64,
}

/// A linear piece of the function: at time `start + t` the offset is `offset + rate * t`.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: u64,
    offset: i64,
    /// Correction in nanoseconds for every 2³⁰ ns.
    rate: i64,
}

impl Segment {
    /// A segment that begins at `start` with `offset` and changes the offset by `change` within `time`, or at the highest
    /// rate allowed if that is slower.
    fn with_change(start: u64, offset: i64, change: i64, time: u64) -> Self {
        let rate = (i128::from(change) << RATE_SHIFT) / i128::from(time.max(1));
        Self { start, offset, rate: rate.clamp(-FASTEST, FASTEST) as i64 }
    }

    fn offset_at(self, monotonic: u64) -> i64 {
        let elapsed = monotonic.saturating_sub(self.start);
        let change = (i128::from(elapsed) * i128::from(self.rate)) >> RATE_SHIFT;
        self.offset.saturating_add(i64::try_from(change).unwrap_or(i64::MAX))
    }
}

impl Clock {
    /// A clock that starts with `sample`.
    pub fn new(sample: Sample) -> Self {
        let segment = Segment { start: sample.monotonic, offset: sample.offset, rate: 0 };
        Self { segments: vec![segment], sample, given: 0 }
    }

    /// The wall-clock time of an event at `monotonic` nanoseconds.
    pub fn wall(&mut self, monotonic: u64) -> Timestamp {
        self.given = self.given.max(monotonic);
        Timestamp(i64::try_from(monotonic).unwrap_or(i64::MAX).saturating_add(self.offset_at(monotonic)))
    }

    /// Whether [`Clock::follow`] should be called.
    pub fn is_due(&self, monotonic: u64) -> bool {
        u128::from(monotonic.saturating_sub(self.sample.monotonic)) >= RESAMPLE_EVERY.as_nanos()
    }

    /// Adjusts the function to a new sample. `stepped` says that the wall clock was set since the previous sample.
    pub fn follow(&mut self, sample: Sample, stepped: bool) {
        if stepped || self.is_beyond_slewing(sample) {
            self.push(Segment { start: sample.monotonic, offset: sample.offset, rate: 0 });
        } else if self.is_confirmed_by(sample) {
            self.sample.monotonic = sample.monotonic;
            return;
        } else {
            self.correct(sample);
        }
        self.sample = sample;
    }

    /// The offset of wall-clock time, if it is the same for all events from `now` on, as far as is known, and if these times are
    /// such that [`WALL`] tells them from monotonic times.
    pub fn offset_from(&self, now: u64) -> Option<u64> {
        let offset = u64::try_from(self.constant_from(now)?).ok()?;
        (WALL..1 << 62).contains(&now.checked_add(offset)?).then_some(offset)
    }

    /// Whether the offset is constant, and `sample` differs from it by no more than the errors of reading, nor is much better than
    /// the sample that it is from. The kernel slews both clocks alike and keeps their distance
    /// (`tk->wall_to_monotonic`, kernel/time/timekeeping.c, v6.18).
    fn is_confirmed_by(&self, sample: Sample) -> bool {
        let errors = u64::from(self.sample.error) + u64::from(sample.error);
        let is_much_better = sample.error < self.sample.error / 2;
        let is_constant = self.constant_from(sample.monotonic) == Some(self.sample.offset);
        is_constant && !is_much_better && sample.offset.abs_diff(self.sample.offset) <= errors
    }

    fn constant_from(&self, now: u64) -> Option<i64> {
        let last = self.segments.last().filter(|last| last.start <= now && last.rate == 0)?;
        Some(last.offset)
    }

    fn is_beyond_slewing(&self, sample: Sample) -> bool {
        let elapsed = sample.monotonic.saturating_sub(self.sample.monotonic);
        sample.offset.abs_diff(self.sample.offset) > elapsed / SLEW_PARTS + READING_ERROR
    }

    fn correct(&mut self, sample: Sample) {
        let now = sample.monotonic;
        // Earlier events have their times already, or lie between the two samples before this one.
        let from = self.given.max(self.sample.monotonic).min(now);
        let offset = self.offset_at(from);
        self.push(Segment::with_change(from, offset, sample.offset - offset, now - from));

        let reached = self.offset_at(now);
        let rest = sample.offset - reached;
        let correction = Segment::with_change(now, reached, rest, RESAMPLE_EVERY.as_nanos() as u64);
        self.push(correction);
        if correction.rate != 0 {
            // Rounded up, so that the correction is complete and the next segment does not begin with a step back.
            let time = (i128::from(rest) << RATE_SHIFT)
                .unsigned_abs()
                .div_ceil(u128::from(correction.rate.unsigned_abs()));
            let end = now.saturating_add(u64::try_from(time).unwrap_or(u64::MAX));
            self.push(Segment { start: end, offset: sample.offset, rate: 0 });
        }
    }

    fn offset_at(&self, monotonic: u64) -> i64 {
        let segment = self.segments.iter().rfind(|segment| segment.start <= monotonic);
        segment.or(self.segments.first()).map_or(0, |segment| segment.offset_at(monotonic))
    }

    /// Adds `segment`, which replaces all others from its start on.
    fn push(&mut self, segment: Segment) {
        self.segments.retain(|earlier| earlier.start < segment.start);
        if self.segments.len() == SEGMENTS {
            self.segments.remove(0);
        }
        self.segments.push(segment);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const START: i64 = 1_700_000_000 * SECOND;

    fn sample(monotonic: i64, offset: i64) -> Sample {
        Sample { monotonic: monotonic.cast_unsigned(), offset, error: 0 }
    }

    #[test]
    fn the_real_clock_is_met_within_a_millisecond() {
        let mut clock = Clock::new(Sample::take());
        let wall = clock.wall(monotonic()).0;
        let real = clock::realtime();
        assert!((real - wall).abs() < 1_000_000, "{wall} against {real}");
    }

    #[test]
    fn a_step_is_followed_at_the_next_sample_and_older_events_keep_their_time() {
        for step in [3600 * SECOND, -3600 * SECOND, 1000, -1000] {
            let mut clock = Clock::new(sample(10 * SECOND, 1000 * SECOND));
            clock.follow(sample(11 * SECOND, 1000 * SECOND + step), true);
            assert_eq!(clock.wall(11 * SECOND.cast_unsigned() - 1), Timestamp(1011 * SECOND - 1));
            assert_eq!(clock.wall(11 * SECOND.cast_unsigned()), Timestamp(1011 * SECOND + step));
        }
    }

    #[test]
    fn a_difference_too_large_for_a_slew_is_a_step_without_notice() {
        let mut clock = Clock::new(sample(10 * SECOND, START));
        clock.follow(sample(11 * SECOND, START + 3600 * SECOND), false);
        assert_eq!(clock.wall(11 * SECOND.cast_unsigned()), Timestamp(START + 3611 * SECOND));
    }

    /// A reader that did not run for ten seconds finds the frames of ten seconds, and a clock that was slewed all that
    /// time.
    #[test]
    fn a_backlog_gets_the_times_of_the_slew_it_came_in() {
        for ppm in [-83_333, -500, 500, 100_000] {
            let mut clock = Clock::new(sample(0, START));
            let away = 10 * SECOND;
            let drift = |monotonic: i64| monotonic / 1_000_000 * ppm;
            let _ = clock.wall(0);
            clock.follow(sample(away, START + drift(away)), false);
            let mut last = Timestamp(i64::MIN);
            for monotonic in (0..=away).step_by(1_000_000) {
                let time = clock.wall(monotonic.cast_unsigned());
                assert!(time >= last, "{ppm} ppm: {time:?} after {last:?}");
                let error = time.0 - (START + monotonic + drift(monotonic));
                assert!(error.abs() < 1000, "{ppm} ppm: {error} ns off at {monotonic}");
                last = time;
            }
        }
    }

    proptest! {
        /// A clock that is slewed at any possible rate, and sampled and read at irregular times.
        #[test]
        fn slewing_is_followed_and_time_never_runs_backwards(
            steps in proptest::collection::vec((-100_000..=100_000i64, 1_000_000..20 * SECOND, 1..200u8), 1..20),
        ) {
            let (mut now, mut offset) = (0, START);
            let mut clock = Clock::new(sample(now, offset));
            let mut last = Timestamp(i64::MIN);
            for (ppm, elapsed, reads) in steps {
                let reads = i64::from(reads);
                // Some events are read before the next sample; the others wait in a ring and are read after it.
                let read_until = now + elapsed * (ppm.rem_euclid(3)) / 2;
                for part in 0..reads {
                    let event = now + (read_until - now) * part / reads;
                    let time = clock.wall(event.cast_unsigned());
                    prop_assert!(time >= last);
                    last = time;
                }
                let end = read_until.max(now + elapsed);
                offset += (end - now) / 1_000_000 * ppm;
                clock.follow(sample(end, offset), false);
                for part in 0..=reads {
                    let event = read_until + (end - read_until) * part / reads;
                    let time = clock.wall(event.cast_unsigned());
                    prop_assert!(time >= last, "{:?} after {:?}", time, last);
                    last = time;
                }
                now = end;
            }
            // Once the clock is undisturbed, the function reaches it again, even if only at half speed.
            let settled = now + 10 * SECOND;
            prop_assert!((clock.wall(settled.cast_unsigned()).0 - (settled + offset)).abs() <= 1);
        }

        /// A step between slews is applied in full, whatever came before it.
        #[test]
        fn steps_are_taken_in_full(
            step in -10_000 * SECOND..10_000 * SECOND,
            slew in -50_000_000..50_000_000i64,
        ) {
            let mut clock = Clock::new(sample(0, START));
            clock.follow(sample(SECOND, START + slew), false);
            clock.follow(sample(2 * SECOND, START + step), true);
            for later in [0, 1, SECOND / 2, 5 * SECOND] {
                let now = 2 * SECOND + later;
                prop_assert_eq!(clock.wall(now.cast_unsigned()), Timestamp(now + START + step));
            }
        }
    }
}

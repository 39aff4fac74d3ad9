//! When the period of a file is over.

use std::time::Duration;

use crate::{packet::Timestamp, sys::local_time::LocalTime};

/// By how much a clock that was set back is behind at least, in nanoseconds: what hands packets on is behind by some milliseconds.
const SET_BACK: i64 = 1_000_000_000;

/// Periods of equal length, one after the other.
#[derive(Debug)]
pub struct Schedule {
    /// Nanoseconds.
    period: i64,
    /// Whether periods begin at multiples of their length in local time: those of an hour at the full hour.
    is_aligned: bool,
    /// When the present period ends.
    end: Timestamp,
}

impl Schedule {
    /// Periods of this length, the first of which begins at `begin`; if they are aligned, it is shorter.
    pub fn new(period: Duration, is_aligned: bool, begin: Timestamp) -> Self {
        let period = i64::try_from(period.as_nanos()).unwrap_or(i64::MAX).max(1);
        let mut schedule = Self { period, is_aligned, end: begin };
        schedule.end = schedule.end_after(begin);
        schedule
    }

    /// When the present period ends.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Ends the present period in time if the wall clock, which is at `now`, was set back.
    pub fn follow(&mut self, now: Timestamp) {
        if self.end.0.saturating_sub(now.0) > self.period.saturating_add(SET_BACK) {
            self.end = self.end_after(now);
        }
    }

    /// Begins another period if the present one has ended; returns when it began.
    pub fn next(&mut self, now: Timestamp) -> Option<Timestamp> {
        if now < self.end {
            return None;
        }
        let missed = now.0.saturating_sub(self.end.0) / self.period;
        let begin = Timestamp(self.end.0.saturating_add(missed.saturating_mul(self.period)));
        self.end = self.end_after(begin);
        Some(begin)
    }

    fn end_after(&self, begin: Timestamp) -> Timestamp {
        let into = if self.is_aligned {
            let shift = LocalTime::shift(begin.0.div_euclid(1_000_000_000));
            begin.0.saturating_add(shift * 1_000_000_000).rem_euclid(self.period)
        } else {
            0
        };
        Timestamp(begin.0.saturating_add(self.period - into))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const START: i64 = 1_700_000_000 * SECOND;

    fn at(second: i64) -> Timestamp {
        Timestamp(START + second * SECOND)
    }

    fn minutes() -> Schedule {
        Schedule::new(Duration::from_mins(1), false, at(0))
    }

    #[test]
    fn periods_follow_each_other_without_drift() {
        let mut schedule = minutes();
        assert_eq!(schedule.next(at(59)), None);
        assert_eq!(schedule.next(at(61)), Some(at(60)));
        assert_eq!(schedule.next(at(61)), None);
        assert_eq!(schedule.end(), at(120));
    }

    #[test]
    fn periods_that_were_missed_are_left_out() {
        let mut schedule = minutes();
        assert_eq!(schedule.next(at(250)), Some(at(240)));
        assert_eq!(schedule.end(), at(300));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_make_the_period_longer_than_it_should_be() {
        let mut schedule = minutes();
        assert_eq!(schedule.next(at(-3600)), None);
        schedule.follow(at(-3600));
        assert_eq!(schedule.end(), at(-3540));
    }

    /// A packet begins a period before the clock of whoever hands packets on gets there.
    #[test]
    fn a_boundary_is_passed_once() {
        for is_aligned in [false, true] {
            let mut schedule = Schedule::new(Duration::from_secs(1), is_aligned, at(0));
            assert_eq!(schedule.next(at(1)), Some(at(1)));
            schedule.follow(Timestamp(at(1).0 - 2_000_000));
            assert_eq!(schedule.next(Timestamp(at(1).0 + 1)), None);
            assert_eq!(schedule.end(), at(2));
        }
    }

    /// No offset from UTC has parts of a minute today.
    #[test]
    fn aligned_periods_end_with_the_minute() {
        let schedule = Schedule::new(Duration::from_mins(1), true, at(0));
        assert_eq!(schedule.end().0 % (60 * SECOND), 0);
        assert!(schedule.end() > at(0) && schedule.end() <= at(60));
        let mut schedule = schedule;
        let begin = schedule.next(at(60)).unwrap();
        assert_eq!(schedule.end().0 - begin.0, 60 * SECOND);
    }
}

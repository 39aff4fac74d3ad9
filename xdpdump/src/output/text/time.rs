//! Time stamps at the beginning of lines.

use std::io::Write as _;

use chrono::Datelike as _;

use crate::{packet::Time, sys::local_time::LocalTime};

const NANOS: i64 = 1_000_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Seconds from 1970 to years that not every calendar has.
const FAR: u64 = (100_000 * 366 * DAY).unsigned_abs();

/// How time stamps are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStyle {
    /// Time of day, in the local time zone.
    #[default]
    Default,
    /// `-t`: none.
    None,
    /// `-tt`: seconds since 1970.
    Epoch,
    /// `-ttt`: time since the previous packet.
    Delta,
    /// `-tttt`: date and time of day, in the local time zone.
    Date,
    /// `-ttttt`: time since the first packet.
    SinceFirst,
}

/// Prints time stamps; remembers an earlier one for deltas.
pub(super) struct Clock {
    style: TimeStyle,
    nano: bool,
    /// The packet that deltas are counted from, in nanoseconds since 1970.
    reference: Option<i128>,
    zone: Zone,
}

impl Clock {
    /// `utc` prints UTC instead of the local time zone.
    pub(super) fn new(style: TimeStyle, nano: bool, utc: bool) -> Self {
        let mut zone = Zone { utc, cached: None };
        // The C library reads its time zone now, while files can be read.
        let _ = zone.local(0);
        Self { style, nano, reference: None, zone }
    }

    /// Appends the time stamp and the space after it.
    pub(super) fn print(&mut self, out: &mut Vec<u8>, time: Time) {
        // Fractions are truncated, not rounded: 0.9999999 s is printed as 0.999999.
        let unit = if self.nano { 1 } else { 1000 };
        let Time { seconds, nanos, .. } = time;
        let nanos = nanos - nanos % unit;
        let second = i128::from(NANOS);
        let now = i128::from(seconds) * second + i128::from(nanos);
        match self.style {
            TimeStyle::None => return,
            TimeStyle::Epoch => {
                // The fraction counts away from zero, as the seconds do.
                let (sign, magnitude) = (if now < 0 { "-" } else { "" }, now.unsigned_abs());
                let second = second.unsigned_abs();
                // Appending to memory does not fail.
                let _ = write!(out, "{sign}{}", magnitude / second);
                self.fraction(out, (magnitude % second) as u32);
            }
            TimeStyle::Default | TimeStyle::Date => match self.zone.local(seconds) {
                Some((day, clock)) => {
                    if self.style == TimeStyle::Date {
                        day.print(out);
                        out.push(b' ');
                    }
                    self.time_of_day(out, clock, nanos);
                }
                // As tcpdump says it.
                None => out.extend_from_slice(b"[Error converting time]"),
            },
            TimeStyle::Delta | TimeStyle::SinceFirst => {
                let reference = self.reference.unwrap_or(now);
                out.push(if now < reference { b'-' } else { b' ' });
                let delta = now.abs_diff(reference);
                let second = second.unsigned_abs();
                let of_day = (delta / second % DAY.unsigned_abs() as u128) as i64;
                self.time_of_day(out, clock(of_day), (delta % second) as u32);
                if self.style == TimeStyle::Delta || self.reference.is_none() {
                    self.reference = Some(now);
                }
            }
        }
        out.push(b' ');
    }

    fn time_of_day(&self, out: &mut Vec<u8>, [hour, minute, second]: [i64; 3], nanos: u32) {
        digits(out, hour, 2);
        out.push(b':');
        digits(out, minute, 2);
        out.push(b':');
        digits(out, second, 2);
        self.fraction(out, nanos);
    }

    fn fraction(&self, out: &mut Vec<u8>, nanos: u32) {
        out.push(b'.');
        if self.nano { digits(out, nanos.into(), 9) } else { digits(out, i64::from(nanos) / 1000, 6) }
    }
}

/// Appends a number of exactly `width` digits, at most nine.
fn digits(out: &mut Vec<u8>, number: i64, width: usize) {
    let mut text = [b'0'; 9];
    let mut number = number.unsigned_abs();
    let text = &mut text[9 - width..];
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(text);
}

/// Hour, minute and second at a second of a day.
fn clock(of_day: i64) -> [i64; 3] {
    [of_day / HOUR, of_day / 60 % 60, of_day % 60]
}

/// A day of the local calendar.
enum Day {
    /// Counted from 1970-01-01.
    Number(i64),
    /// Year, month and day of the month.
    Date(i64, u32, u32),
}

impl Day {
    /// Appends the date.
    fn print(&self, out: &mut Vec<u8>) {
        let (year, month, day) = match *self {
            Self::Date(year, month, day) => (year, month, day),
            Self::Number(days) => {
                let date = i32::try_from(days).ok().and_then(chrono::NaiveDate::from_epoch_days);
                date.map_or((0, 0, 0), |date| (date.year().into(), date.month(), date.day()))
            }
        };
        // Appending to memory does not fail.
        let _ = write!(out, "{year:04}-");
        digits(out, month.into(), 2);
        out.push(b'-');
        digits(out, day.into(), 2);
    }
}

/// The local time zone. How far its clock is ahead of UTC is looked up once per hour of packet time, if it does not change within
/// that hour.
struct Zone {
    utc: bool,
    /// The hour (counted from 1970) that was looked up last, and by how many seconds the local clock is ahead in all of it.
    cached: Option<(i64, Option<i64>)>,
}

impl Zone {
    /// The day, and hour, minute and second, at the time `seconds` (since 1970).
    fn local(&mut self, seconds: i64) -> Option<(Day, [i64; 3])> {
        let hour = seconds.div_euclid(HOUR);
        let shift = match self.cached {
            _ if self.utc => Some(0),
            Some((cached, shift)) if cached == hour => shift,
            _ => {
                let begin = hour.saturating_mul(HOUR);
                // A leap second at the end of the hour counts, too.
                let shift = Some(LocalTime::shift(begin))
                    .filter(|shift| begin.unsigned_abs() < FAR && *shift == LocalTime::shift(begin + HOUR));
                self.cached = Some((hour, shift));
                shift
            }
        };
        if let Some(shift) = shift {
            let local = seconds.saturating_add(shift);
            return Some((Day::Number(local.div_euclid(DAY)), clock(local.rem_euclid(DAY))));
        }
        let local = LocalTime::at(seconds)?;
        // The last second of a minute may be a leap second.
        let clock = [local.hour, local.minute, local.second].map(i64::from);
        Some((Day::Date(local.year, local.month, local.day), clock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Timestamp;

    fn print(style: TimeStyle, nano: bool, times: &[i64]) -> String {
        let mut clock = Clock::new(style, nano, true);
        let mut out = Vec::new();
        for time in times {
            clock.print(&mut out, Timestamp(*time).into());
            out.push(b'|');
        }
        String::from_utf8(out).unwrap()
    }

    const T: i64 = 1_418_145_369 * NANOS;

    #[test]
    fn time_of_day_and_date() {
        assert_eq!(print(TimeStyle::Default, false, &[T + 5999]), "17:16:09.000005 |");
        assert_eq!(print(TimeStyle::Date, false, &[T]), "2014-12-09 17:16:09.000000 |");
    }

    #[test]
    fn epoch_seconds() {
        assert_eq!(print(TimeStyle::Epoch, false, &[T + 5999]), "1418145369.000005 |");
        assert_eq!(print(TimeStyle::Epoch, true, &[T + 5999]), "1418145369.000005999 |");
        let before_1970 = [-86_400 * NANOS + NANOS / 4, -NANOS / 2, -3 * NANOS];
        assert_eq!(print(TimeStyle::Epoch, false, &before_1970), "-86399.750000 |-0.500000 |-3.000000 |");
    }

    #[test]
    fn deltas_go_both_ways() {
        let times = [T + 5000, T + 1_000_004_000, T - 9 * NANOS + 4000];
        assert_eq!(
            print(TimeStyle::Delta, false, &times),
            " 00:00:00.000000 | 00:00:00.999999 |-00:00:10.000000 |"
        );
        assert_eq!(
            print(TimeStyle::SinceFirst, false, &times),
            " 00:00:00.000000 | 00:00:00.999999 |-00:00:09.000001 |"
        );
    }

    #[test]
    fn none_is_empty() {
        assert_eq!(print(TimeStyle::None, false, &[T]), "|");
    }

    #[test]
    fn extreme_times_do_not_panic() {
        for style in [TimeStyle::Default, TimeStyle::Epoch, TimeStyle::Delta, TimeStyle::Date] {
            print(style, false, &[i64::MIN, i64::MAX, 0, -1]);
            print(style, true, &[i64::MAX, i64::MIN]);
            let mut clock = Clock::new(style, true, false);
            for seconds in [i64::MIN, i64::MAX, 253_402_300_800, -4_000_000_000_000] {
                clock.print(&mut Vec::new(), Time { seconds, nanos: 999_999_999, is_cut: false });
            }
        }
    }
}

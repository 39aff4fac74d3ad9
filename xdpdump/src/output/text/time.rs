//! Time stamps at the beginning of lines.

use std::io::Write as _;

use chrono::{Datelike, Local, Offset as _, TimeZone as _};

use crate::packet::Timestamp;

const NANOS: i64 = 1_000_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

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
    /// The packet that deltas are counted from.
    reference: Option<Timestamp>,
    zone: Zone,
}

impl Clock {
    /// `utc` prints UTC instead of the local time zone.
    pub(super) fn new(style: TimeStyle, nano: bool, utc: bool) -> Self {
        Self { style, nano, reference: None, zone: Zone { utc, cached: None } }
    }

    /// Appends the time stamp and the space after it.
    pub(super) fn print(&mut self, out: &mut Vec<u8>, time: Timestamp) {
        // Fractions are truncated, not rounded: 0.9999999 s is printed as 0.999999.
        let unit = if self.nano { 1 } else { 1000 };
        let now = time.0.saturating_sub(time.0.rem_euclid(unit));
        let (seconds, nanos) = (now.div_euclid(NANOS), now.rem_euclid(NANOS));
        match self.style {
            TimeStyle::None => return,
            TimeStyle::Epoch => {
                // The fraction counts away from zero, as the seconds do.
                let (sign, magnitude) = (if now < 0 { "-" } else { "" }, now.unsigned_abs());
                let second = NANOS.unsigned_abs();
                // Appending to memory does not fail.
                let _ = write!(out, "{sign}{}", magnitude / second);
                self.fraction(out, (magnitude % second).cast_signed());
            }
            TimeStyle::Default => {
                let local = seconds.saturating_add(self.zone.offset(seconds));
                self.time_of_day(out, local.rem_euclid(DAY), nanos);
            }
            TimeStyle::Date => {
                let local = seconds.saturating_add(self.zone.offset(seconds));
                date(out, local.div_euclid(DAY));
                out.push(b' ');
                self.time_of_day(out, local.rem_euclid(DAY), nanos);
            }
            TimeStyle::Delta | TimeStyle::SinceFirst => {
                let reference = self.reference.unwrap_or(Timestamp(now)).0;
                out.push(if now < reference { b'-' } else { b' ' });
                let delta = now.abs_diff(reference);
                let nanos = (delta % NANOS.unsigned_abs()).cast_signed();
                let seconds = (delta / NANOS.unsigned_abs()).cast_signed();
                self.time_of_day(out, seconds % DAY, nanos);
                if self.style == TimeStyle::Delta || self.reference.is_none() {
                    self.reference = Some(Timestamp(now));
                }
            }
        }
        out.push(b' ');
    }

    fn time_of_day(&self, out: &mut Vec<u8>, seconds: i64, nanos: i64) {
        digits(out, seconds / HOUR, 2);
        out.push(b':');
        digits(out, seconds / 60 % 60, 2);
        out.push(b':');
        digits(out, seconds % 60, 2);
        self.fraction(out, nanos);
    }

    fn fraction(&self, out: &mut Vec<u8>, nanos: i64) {
        out.push(b'.');
        if self.nano { digits(out, nanos, 9) } else { digits(out, nanos / 1000, 6) }
    }
}

/// Appends a number of exactly `width` digits, at most nine.
fn digits(out: &mut Vec<u8>, mut number: i64, width: usize) {
    let mut text = [b'0'; 9];
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number.unsigned_abs() % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&text[text.len() - width..]);
}

/// Appends the date of a day counted from 1970-01-01.
fn date(out: &mut Vec<u8>, days: i64) {
    let day = i32::try_from(days).ok().and_then(chrono::NaiveDate::from_epoch_days);
    if let Some(day) = day {
        digits(out, i64::from(day.year()), 4);
        out.push(b'-');
        digits(out, i64::from(day.month()), 2);
        out.push(b'-');
        digits(out, i64::from(day.day()), 2);
    }
}

/// The local time zone; its offset is looked up once per hour of packet time, because changes to and
/// from daylight saving time fall on whole hours.
struct Zone {
    utc: bool,
    /// The hour (counted from 1970) that was looked up last, and its offset in seconds.
    cached: Option<(i64, i64)>,
}

impl Zone {
    /// Seconds to add to UTC at the time `seconds` (since 1970).
    fn offset(&mut self, seconds: i64) -> i64 {
        let hour = seconds.div_euclid(HOUR);
        match self.cached {
            _ if self.utc => 0,
            Some((cached, offset)) if cached == hour => offset,
            _ => {
                let offset = Local
                    .timestamp_opt(seconds, 0)
                    .single()
                    .map_or(0, |time| i64::from(time.offset().fix().local_minus_utc()));
                self.cached = Some((hour, offset));
                offset
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(style: TimeStyle, nano: bool, times: &[i64]) -> String {
        let mut clock = Clock::new(style, nano, true);
        let mut out = Vec::new();
        for time in times {
            clock.print(&mut out, Timestamp(*time));
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
        }
    }
}

//! Times of day as NTP writes them (RFC 5905 §6): seconds since 1900 and a binary fraction.

use crate::decode::printer::Printer;

/// Seconds from 1900 to 1970.
const EPOCH: i64 = 2_208_988_800;

/// Prints a time with its date in UTC.
pub(super) fn print(p: &mut Printer<'_>, seconds: u32, fraction: u32) {
    if seconds == 0 && fraction == 0 {
        p.text("no timestamp");
        return;
    }
    let nanoseconds = (u64::from(fraction) * 1_000_000_000) >> 32;
    if seconds == 0 {
        write!(p, "{seconds}.{nanoseconds:09}");
        return;
    }
    let since_1970 = i64::from(seconds) - EPOCH;
    let (days, second) = (since_1970.div_euclid(86_400), since_1970.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    write!(p, "{seconds}.{nanoseconds:09} ({year:04}-{month:02}-{day:02}");
    write!(p, "T{:02}:{:02}:{:02}Z)", second / 3600, second / 60 % 60, second % 60);
}

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar. Years begin in March, so that the leap
/// day is the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let january_or_february = month >= 10;
    let month = if january_or_february { month - 9 } else { month + 3 };
    (era * 400 + year + i64::from(january_or_february), month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (19_782, (2024, 2, 29)),
            (19_783, (2024, 3, 1)),
            (-25_567, (1900, 1, 1)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(days), date, "day {days}");
        }
    }
}

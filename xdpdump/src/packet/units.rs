//! Times in pcapng files: a 64-bit count of units since an offset, both chosen per interface.

use std::fmt;

use super::Timestamp;

const SECOND: u64 = 1_000_000_000;

/// How an interface counts time (`if_tsresol`, `if_tsoffset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Units {
    /// A unit is 10⁻ⁿ s, or 2⁻ⁿ s if the topmost bit is set; n is in the other bits.
    pub resolution: u8,
    /// Seconds to add to every time.
    pub offset: i64,
}

/// A time that may be out of the reach of a [`Timestamp`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time {
    /// Whole seconds since 1970, rounded down.
    pub seconds: i64,
    /// Nanoseconds since then, below 10⁹.
    pub nanos: u32,
    /// Whether a fraction of a nanosecond is missing.
    pub is_cut: bool,
}

impl From<Timestamp> for Time {
    fn from(Timestamp(time): Timestamp) -> Self {
        let second = SECOND.cast_signed();
        Self { seconds: time.div_euclid(second), nanos: time.rem_euclid(second) as u32, is_cut: false }
    }
}

/// Seconds since 1970, exactly.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanos) = (i128::from(self.seconds), i128::from(self.nanos));
        let second = i128::from(SECOND);
        // The fraction counts away from zero, as the seconds do.
        let all = seconds * second + nanos;
        let sign = if all < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:09}", all.unsigned_abs() / SECOND as u128, all.unsigned_abs() % SECOND as u128)
    }
}

impl Default for Units {
    /// The default of pcapng: microseconds since 1970.
    fn default() -> Self {
        Self { resolution: 6, offset: 0 }
    }
}

impl Units {
    /// Nanoseconds since 1970.
    pub const NANO: Self = Self { resolution: 9, offset: 0 };
    /// Microseconds since 1970.
    pub const MICRO: Self = Self { resolution: 6, offset: 0 };

    /// The time for `units`, clamped to what a [`Timestamp`] can hold.
    pub fn timestamp(self, units: u64) -> Timestamp {
        let nanoseconds = self.nanoseconds(units) + i128::from(self.offset) * i128::from(SECOND);
        Timestamp(nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    /// The time for `units`. Its seconds are clamped, which only concerns times that are farther away than the universe is old.
    pub fn time(self, units: u64) -> Time {
        let exponent = u32::from(self.resolution & 0x7f);
        let count = u128::from(units);
        // Units of a second, unless they are more than there can be units.
        let second = if self.resolution & 0x80 != 0 {
            (exponent < 64).then(|| 1 << exponent)
        } else {
            10_u128.checked_pow(exponent).filter(|_| exponent < 20)
        };
        let (seconds, rest) = second.map_or((0, count), |second| (count / second, count % second));
        let nanos = u32::try_from(self.nanoseconds(rest as u64)).unwrap_or(0);
        let seconds = i128::try_from(seconds).unwrap_or(i128::MAX).saturating_add(self.offset.into());
        let seconds = seconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        Time { seconds, nanos, is_cut: !self.is_whole(rest as u64) }
    }

    /// Whether so many units, which are less than a second, are whole nanoseconds.
    fn is_whole(self, units: u64) -> bool {
        let exponent = u32::from(self.resolution & 0x7f);
        if self.resolution & 0x80 != 0 {
            // 10⁹ has nine factors of 2.
            units == 0 || units.trailing_zeros() + 9 >= exponent
        } else {
            let unit = 10_u64.checked_pow(exponent.saturating_sub(9));
            unit.map_or(units == 0, |unit| units.is_multiple_of(unit))
        }
    }

    /// The number of whole units until `time`; `None` if it cannot be counted in them.
    pub fn of(self, time: Timestamp) -> Option<u64> {
        let second = i128::from(SECOND);
        let nanoseconds = i128::from(time.0) - i128::from(self.offset) * second;
        let exponent = u32::from(self.resolution & 0x7f);
        let units = if self.resolution & 0x80 != 0 {
            (nanoseconds / second).checked_mul(1_i128.checked_shl(exponent)?)?.checked_add(
                (nanoseconds % second).checked_mul(1_i128.checked_shl(exponent)?)?.div_euclid(second),
            )?
        } else if exponent <= 9 {
            nanoseconds.div_euclid(i128::from(10_u64.pow(9 - exponent)))
        } else {
            nanoseconds.checked_mul(10_i128.checked_pow(exponent - 9)?)?
        };
        u64::try_from(units).ok()
    }

    #[inline]
    fn nanoseconds(self, units: u64) -> i128 {
        let exponent = u32::from(self.resolution & 0x7f);
        let units = i128::from(units);
        if self.resolution & 0x80 != 0 {
            // The product is below 2⁶⁴ · 2³⁰ and the exponent below 128, so neither operation overflows.
            (units * i128::from(SECOND)) >> exponent
        } else if exponent <= 9 {
            units * i128::from(10_u64.pow(9 - exponent))
        } else {
            // If the power does not fit, the unit is so small that every time is 0.
            10_i128.checked_pow(exponent - 9).map_or(0, |unit| units / unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_all_sizes_become_nanoseconds() {
        let time = |resolution, offset, units| Units { resolution, offset }.timestamp(units).0;
        assert_eq!(time(0, 0, 5), 5_000_000_000);
        assert_eq!(time(6, 0, 1_700_000_000_123_456), 1_700_000_000_123_456_000);
        assert_eq!(time(9, 0, 1_700_000_000_123_456_789), 1_700_000_000_123_456_789);
        assert_eq!(time(12, 0, 1_999), 1);
        assert_eq!(time(0x8a, 0, 1536), 1_500_000_000);
        assert_eq!(time(0xa0, 0, 1 << 31), 500_000_000);
        assert_eq!(time(9, -3, 1_000_000_000), -2_000_000_000);
    }

    #[test]
    fn times_are_exact() {
        let time = |resolution, offset, units| {
            let Time { seconds, nanos, is_cut } = Units { resolution, offset }.time(units);
            (seconds, nanos, is_cut)
        };
        assert_eq!(time(6, 0, 1_700_000_000_123_456), (1_700_000_000, 123_456_000, false));
        assert_eq!(time(6, -86_401, 750_000), (-86_401, 750_000_000, false));
        assert_eq!(time(12, 0, 1_000_000_001_999), (1, 1, true));
        assert_eq!(time(12, 0, 1_000_000_002_000), (1, 2, false));
        assert_eq!(time(0, 0, 253_402_300_800), (253_402_300_800, 0, false));
        assert_eq!(time(0x8a, 0, 1536), (1, 500_000_000, false));
        assert_eq!(time(0x8a, 0, 1), (0, 976_562, true));
        assert_eq!(time(25, 0, 10_u64.pow(17)), (0, 10, false));
        assert_eq!(time(25, 0, 10_u64.pow(17) + 1), (0, 10, true));
        assert_eq!(time(127, 0, u64::MAX), (0, 0, true));
        assert_eq!(time(0xff, 0, u64::MAX), (0, 0, true));
        assert_eq!(time(0, i64::MAX, u64::MAX), (i64::MAX, 0, false));
    }

    #[test]
    fn times_are_counted_in_units() {
        let of = |resolution, offset, time| Units { resolution, offset }.of(Timestamp(time));
        assert_eq!(of(6, 0, 1_999), Some(1));
        assert_eq!(of(9, -2, -1), Some(1_999_999_999));
        assert_eq!(of(12, 0, 5), Some(5000));
        assert_eq!(of(0x8a, 0, 1_500_000_000), Some(1536));
        assert_eq!(of(9, 0, -1), None);
        assert_eq!(of(127, 0, i64::MAX), None);
        assert_eq!(of(0xff, 0, i64::MAX), None);
    }

    #[test]
    fn impossible_times_are_clamped() {
        let time = |resolution, offset, units| Units { resolution, offset }.timestamp(units).0;
        assert_eq!(time(0, i64::MAX, u64::MAX), i64::MAX);
        assert_eq!(time(0, i64::MIN, 0), i64::MIN);
        assert_eq!(time(127, 0, u64::MAX), 0);
        assert_eq!(time(0xff, 0, u64::MAX), 0);
    }
}

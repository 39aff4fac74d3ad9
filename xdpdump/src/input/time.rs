//! Times in pcapng files: a 64-bit count of units since an offset, both chosen per interface.

use crate::packet::Timestamp;

const SECOND: u64 = 1_000_000_000;

/// How an interface counts time (`if_tsresol`, `if_tsoffset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// A unit is 10⁻ⁿ s, or 2⁻ⁿ s if the topmost bit is set; n is in the other bits.
    pub resolution: u8,
    /// Seconds to add to every time.
    pub offset: i64,
}

impl Default for Clock {
    /// The default of pcapng: microseconds since 1970.
    fn default() -> Self {
        Self { resolution: 6, offset: 0 }
    }
}

impl Clock {
    /// The time for `units`, clamped to what a [`Timestamp`] can hold.
    pub fn timestamp(self, units: u64) -> Timestamp {
        let nanoseconds = self.nanoseconds(units) + i128::from(self.offset) * i128::from(SECOND);
        Timestamp(nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

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
        let time = |resolution, offset, units| Clock { resolution, offset }.timestamp(units).0;
        assert_eq!(time(0, 0, 5), 5_000_000_000);
        assert_eq!(time(6, 0, 1_700_000_000_123_456), 1_700_000_000_123_456_000);
        assert_eq!(time(9, 0, 1_700_000_000_123_456_789), 1_700_000_000_123_456_789);
        assert_eq!(time(12, 0, 1_999), 1);
        assert_eq!(time(0x8a, 0, 1536), 1_500_000_000);
        assert_eq!(time(0xa0, 0, 1 << 31), 500_000_000);
        assert_eq!(time(9, -3, 1_000_000_000), -2_000_000_000);
    }

    #[test]
    fn impossible_times_are_clamped() {
        let time = |resolution, offset, units| Clock { resolution, offset }.timestamp(units).0;
        assert_eq!(time(0, i64::MAX, u64::MAX), i64::MAX);
        assert_eq!(time(0, i64::MIN, 0), i64::MIN);
        assert_eq!(time(127, 0, u64::MAX), 0);
        assert_eq!(time(0xff, 0, u64::MAX), 0);
    }
}

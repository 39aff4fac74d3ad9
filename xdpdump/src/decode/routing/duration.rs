//! Durations as tcpdump writes them: `1h2m3s`.

use std::fmt;

/// A number of seconds.
#[derive(Clone, Copy)]
pub(in crate::decode) struct Seconds(pub(in crate::decode) u32);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u32, &str); 6] =
            [(31_536_000, "y"), (604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut left = self.0;
        for (seconds, name) in UNITS {
            if left >= seconds {
                write!(f, "{}{name}", left / seconds)?;
                left %= seconds;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_are_zero_are_left_out() {
        for (seconds, text) in
            [(0, "0s"), (105, "1m45s"), (3600, "1h"), (65_535, "18h12m15s"), (694_861, "1w1d1h1m1s")]
        {
            assert_eq!(Seconds(seconds).to_string(), text);
        }
    }
}

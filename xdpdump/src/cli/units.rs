//! Sizes and times on the command line.

use std::time::Duration;

/// Bytes: a number with `k`, `m` or `g` for KiB, MiB or GiB.
///
/// # Errors
/// A sentence.
pub fn bytes(text: &str) -> Result<u64, String> {
    size(text, 1)
}

/// A size in the units of tcpdump's `-C`: a number alone is in millions of bytes.
///
/// # Errors
/// A sentence.
pub fn file_size(text: &str) -> Result<u64, String> {
    size(text, 1_000_000)
}

fn size(text: &str, plain: u64) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" => plain,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err("a size is a number, or one with k, m, g or t (KiB, MiB, GiB, TiB)".to_owned()),
    };
    positive(number)?.checked_mul(factor).ok_or_else(|| "it is too large".to_owned())
}

/// A time: a number of seconds, or one with `s`, `m`, `h` or `d`.
///
/// # Errors
/// A sentence.
pub fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let factor = match unit {
        "ms" => return positive(number).map(Duration::from_millis),
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => {
            return Err("a time is a number of seconds, or one with ms, s, m, h or d".to_owned());
        }
    };
    // Nanoseconds since 1970 have to stay below 2⁶³.
    let seconds = positive(number)?.checked_mul(factor).filter(|seconds| *seconds <= 100 * 366 * 86_400);
    seconds.map(Duration::from_secs).ok_or_else(|| "it is longer than a hundred years".to_owned())
}

/// How hard to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As fast as packets come.
    KeepUp,
    /// With this level of zstd.
    Level(i32),
}

/// How hard to compress: `auto`, or a level of zstd.
///
/// # Errors
/// A sentence.
pub fn compression(text: &str) -> Result<Compression, String> {
    if text == "auto" {
        return Ok(Compression::KeepUp);
    }
    let level = text.parse().ok().filter(|level| (-7..=19).contains(level));
    level.map(Compression::Level).ok_or_else(|| "a level is \"auto\" or a number from -7 to 19".to_owned())
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len()))
}

fn positive(number: &str) -> Result<u64, String> {
    match number.parse() {
        Ok(0) => Err("it must not be 0".to_owned()),
        Ok(number) => Ok(number),
        Err(_) if number.is_empty() => Err("it begins with no number".to_owned()),
        Err(_) => Err("it is too large".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, size) in [("1", 1_000_000), ("100k", 102_400), ("2M", 2 << 20), ("3GiB", 3 << 30)] {
            assert_eq!(file_size(text), Ok(size), "{text}");
        }
        assert_eq!(bytes("1"), Ok(1));
        for text in ["", "0", "k", "1x", "-1", "1.5m", "99999999999999999999", "18446744073709551615g"] {
            assert!(file_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn levels() {
        assert_eq!(compression("auto"), Ok(Compression::KeepUp));
        assert_eq!(compression("-7"), Ok(Compression::Level(-7)));
        assert_eq!(compression("19"), Ok(Compression::Level(19)));
        for text in ["", "20", "-8", "fast", "1.5"] {
            assert!(compression(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("2m", 120), ("1h", 3600), ("7d", 604_800)] {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(time("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "0", "h", "1y", "1.5h", "-1", "99999999999d"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}

//! The options of the flight recorder.

use std::time::Duration;

use clap::{Args, builder::NonEmptyStringValueParser};

use super::units;
use crate::output::{Keep, Recorder};

/// Bytes that are kept at most if only a time is given.
const MOST: u64 = 1 << 30;

/// What is kept in memory, and when it is written.
#[derive(Debug, Args)]
pub struct RecorderOptions {
    /// Keep the newest packets in memory
    ///
    /// As a flight recorder: nothing is written before SIGUSR2, `xdpdump dump PID`, --trigger or --dump-on-loss asks for it; then the
    /// packets that are kept go to a file whose name has the time. WHAT is a size, as 64M, or a time, as 30s or 5min, or both
    /// (30s,256M); a time alone takes up to 1 GiB.
    #[arg(long, value_name = "WHAT", value_parser = keep, requires = "write", conflicts_with_all = ["read", "rotation", "max_bytes"], help_heading = "Files")]
    pub keep: Option<Keep>,

    /// Write the packets of so much time after the request, too
    #[arg(long, value_name = "TIME", value_parser = units::time, requires = "keep", hide_short_help = true, help_heading = "Files")]
    pub after: Option<Duration>,

    /// Write what is kept when a packet comes that EXPR accepts
    ///
    /// A filter, as for packets, of those that are captured; at most one file in 10 seconds is written for --trigger and --dump-on-loss.
    #[arg(long, value_name = "EXPR", value_parser = NonEmptyStringValueParser::new(), requires = "keep", hide_short_help = true, help_heading = "Files")]
    pub trigger: Option<String>,

    /// Write what is kept when packets were lost
    #[arg(long, requires = "keep", hide_short_help = true, help_heading = "Files")]
    pub dump_on_loss: bool,
}

impl RecorderOptions {
    /// What they ask for; `None` for a file that is written all the time.
    pub fn recorder(&self) -> Option<Recorder> {
        let after = self.after.unwrap_or_default();
        self.keep.map(|keep| Recorder { keep, after, on_loss: self.dump_on_loss })
    }
}

/// What to keep: a size, a time, or both with a comma.
fn keep(text: &str) -> Result<Keep, String> {
    let (mut bytes, mut time) = (None, None);
    for part in text.split(',') {
        let unit = part.trim_start_matches(|character: char| character.is_ascii_digit());
        let is_given_twice = match unit {
            "m" => {
                return Err(format!(
                    "{part} may be minutes or MiB: write {part}in or {}M",
                    &part[..part.len() - 1]
                ));
            }
            "s" | "ms" | "min" | "h" | "d" => time.replace(units::time(part)?).is_some(),
            "" => {
                return Err("it takes a unit: k, M or G for a size, s, min or h for a time".to_owned());
            }
            _ => bytes.replace(units::bytes(part)?).is_some(),
        };
        if is_given_twice {
            return Err("it is one size, one time, or both with a comma between them".to_owned());
        }
    }
    Ok(Keep { bytes: bytes.unwrap_or(MOST), time })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (text, bytes, time) in [
            ("64M", 64 << 20, None),
            ("64MiB", 64 << 20, None),
            ("30s", MOST, seconds(30)),
            ("5min", MOST, seconds(300)),
            ("30s,256M", 256 << 20, seconds(30)),
            ("256k,1h", 256 << 10, seconds(3600)),
        ] {
            assert_eq!(keep(text), Ok(Keep { bytes, time }), "{text}");
        }
        for text in ["", "64", "30m", "1s,2s", "1M,2M", "x", "0s", ",", "64M,"] {
            assert!(keep(text).is_err(), "{text}");
        }
        assert_eq!(keep("30m").unwrap_err(), "30m may be minutes or MiB: write 30min or 30M");
    }
}

//! What the line at the bottom of a terminal says of a capture.

use std::time::{Duration, Instant};

use super::status::Progress;
use crate::{config::Destination, report::Part};

/// How often the line is drawn.
const EVERY: Duration = Duration::from_secs(1);

/// What ends a capture by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub duration: Option<Duration>,
    pub packets: Option<u64>,
    pub bytes: Option<u64>,
}

impl Limits {
    pub fn of(destination: &Destination) -> Self {
        Self { duration: destination.duration, packets: destination.limit, bytes: destination.max_bytes }
    }

    /// How long the capture will go on if it goes on as before; `None` if nothing ends it, or nothing tells when.
    fn remaining(self, elapsed: Duration, packets: u64, bytes: u64) -> Option<Duration> {
        let of_count = |limit: Option<u64>, count: u64| {
            let rest = limit?.saturating_sub(count);
            let seconds = elapsed.as_secs_f64() * float(rest) / float(count);
            // Not if nothing was counted yet.
            Duration::try_from_secs_f64(seconds).ok()
        };
        let of_time = self.duration.map(|duration| duration.saturating_sub(elapsed));
        [of_time, of_count(self.packets, packets), of_count(self.bytes, bytes)].into_iter().flatten().min()
    }
}

/// A capture's line, and when it is due.
#[derive(Debug)]
pub struct Live {
    limits: Limits,
    begin: Instant,
    next: Instant,
    /// Time, packets and bytes of the line before.
    last: (Instant, u64, u64),
}

impl Live {
    /// The line of a capture that begins now.
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self { limits, begin: now, next: now, last: (now, 0, 0) }
    }

    /// When [`Live::parts`] is to be called.
    pub fn due(&self) -> Instant {
        self.next
    }

    /// The parts of the line, the most important ones first: what does not fit is cut off.
    pub fn parts(&mut self, now: Instant, progress: Progress<'_>) -> Vec<Part> {
        self.next = now + EVERY;
        let totals = progress.totals();
        let (then, packets, bytes) =
            std::mem::replace(&mut self.last, (now, totals.captured, progress.bytes));
        let interval = now - then;
        let elapsed = now - self.begin;
        let plural = if totals.captured == 1 { "packet" } else { "packets" };
        let packet_rate = per_second(totals.captured.saturating_sub(packets), interval);
        let bit_rate = per_second(progress.bytes.saturating_sub(bytes), interval) * 8.0;
        let mut parts = vec![
            Part::new(format!("{} {plural}", totals.captured)),
            Part::new(format!("{packet_rate:.0}/s")),
            Part::new(with_prefix(bit_rate, "bit/s")),
            Part { text: format!("{} lost", totals.dropped), is_alarming: totals.dropped > 0 },
            Part::new(clock(elapsed)),
        ];
        let remaining = self.limits.remaining(elapsed, totals.captured, progress.bytes);
        parts.extend(remaining.map(|remaining| Part::new(format!("{} left", clock(remaining)))));
        parts.extend(progress.file.map(|(path, len)| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            Part::new(format!("{} in {}", size(len), name.to_string_lossy()))
        }));
        parts
    }
}

#[expect(clippy::cast_precision_loss, reason = "few digits are shown")]
fn float(count: u64) -> f64 {
    count as f64
}

fn per_second(count: u64, time: Duration) -> f64 {
    let seconds = time.as_secs_f64();
    // The first line comes at once.
    if seconds > 0.01 { float(count) / seconds } else { 0.0 }
}

/// A number with three digits at least and a prefix of powers of 1000.
fn with_prefix(number: f64, unit: &str) -> String {
    scaled(number, 1000.0, &["", "k", "M", "G", "T"], unit)
}

/// A number of bytes with a prefix of powers of 1024.
fn size(bytes: u64) -> String {
    scaled(float(bytes), 1024.0, &["", "Ki", "Mi", "Gi", "Ti", "Pi"], "B")
}

fn scaled(number: f64, step: f64, prefixes: &[&str], unit: &str) -> String {
    let (mut number, mut prefixes) = (number, prefixes);
    // What would be rounded up to a step, too.
    while let ([_, larger @ ..], true) = (prefixes, number >= step - 0.5)
        && !larger.is_empty()
    {
        number /= step;
        prefixes = larger;
    }
    let prefix = prefixes.first().copied().unwrap_or_default();
    let digits = usize::from(!prefix.is_empty() && number < 99.95);
    format!("{number:.digits$} {prefix}{unit}")
}

/// `0:01:23`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::capture::Totals;

    fn said(parts: &[Part]) -> Vec<&str> {
        parts.iter().map(|part| &*part.text).collect()
    }

    #[test]
    fn a_line_has_rates_losses_times_and_the_file() {
        let begin = Instant::now();
        let limits = Limits { duration: Some(Duration::from_mins(2)), ..Limits::default() };
        let mut live = Live::new(limits, begin);
        let nothing = [("eth0", "in", Totals::default())];
        let progress = Progress { sources: &nothing, bytes: 0, file: None };
        assert_eq!(
            said(&live.parts(begin, progress)),
            ["0 packets", "0/s", "0 bit/s", "0 lost", "0:00:00", "0:02:00 left"]
        );
        assert_eq!(live.due(), begin + EVERY);
        let totals = [("eth0", "in", Totals { captured: 3000, dropped: 7, ..Totals::default() })];
        let file = Path::new("/tmp/out.pcapng7");
        let progress = Progress { sources: &totals, bytes: 300_000, file: Some((file, 200_000)) };
        let parts = live.parts(begin + Duration::from_secs(2), progress);
        assert_eq!(
            said(&parts),
            [
                "3000 packets",
                "1500/s",
                "1.2 Mbit/s",
                "7 lost",
                "0:00:02",
                "0:01:58 left",
                "195 KiB in out.pcapng7"
            ]
        );
        let alarming: Vec<_> = parts.iter().map(|part| part.is_alarming).collect();
        assert_eq!(alarming, [false, false, false, true, false, false, false]);
    }

    #[test]
    fn the_limit_that_is_reached_first_tells_what_remains() {
        let seconds = Duration::from_secs;
        let remaining = |limits: Limits, packets, bytes| limits.remaining(seconds(10), packets, bytes);
        let none = Limits::default();
        assert_eq!(remaining(none, 5, 5), None);
        let packets = Limits { packets: Some(30), ..none };
        assert_eq!(remaining(packets, 10, 0), Some(seconds(20)));
        assert_eq!(remaining(packets, 0, 0), None, "nobody knows");
        assert_eq!(remaining(packets, 30, 0), Some(seconds(0)));
        let all = Limits { duration: Some(seconds(25)), bytes: Some(200), ..packets };
        assert_eq!(remaining(all, 10, 100), Some(seconds(10)), "the bytes");
        assert_eq!(remaining(all, 10, 10), Some(seconds(15)), "the time");
        assert_eq!(remaining(all, 20, 10), Some(seconds(5)), "the packets");
        assert_eq!(remaining(Limits { duration: Some(seconds(5)), ..none }, 0, 0), Some(seconds(0)));
        assert_eq!(remaining(Limits { packets: Some(u64::MAX), ..none }, 1, 0), None, "longer than anything");
    }

    #[test]
    fn numbers_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (102_350, "100 KiB"),
            (1_048_575, "1.0 MiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
        assert_eq!(with_prefix(999.4, "bit/s"), "999 bit/s");
        assert_eq!(with_prefix(999.6, "bit/s"), "1.0 kbit/s");
        assert_eq!(with_prefix(40e9, "bit/s"), "40.0 Gbit/s");
        assert_eq!(clock(Duration::from_secs(100 * 3600 + 61)), "100:01:01");
    }
}

//! Says now and then how a capture goes: lines for a log, and a file for a monitoring system.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Totals, live::Live};
use crate::{config, report::Reporter};

/// How often the file is written if nothing else is asked for.
const FILE_EVERY: Duration = Duration::from_secs(10);

/// How a capture goes at some moment.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The interface, the direction and the totals of each source.
    pub sources: &'a [(&'a str, &'static str, Totals)],
    /// Bytes that were given to capture files.
    pub bytes: u64,
    /// The capture file that is written now, and the bytes that were given to it.
    pub file: Option<(&'a Path, u64)>,
}

impl Progress<'_> {
    /// The totals of all sources.
    pub fn totals(&self) -> Totals {
        self.sources.iter().map(|(_, _, totals)| *totals).sum()
    }
}

/// What is said, and when.
#[derive(Debug)]
pub struct Status {
    order: Option<Ordered>,
    live: Option<Live>,
}

/// What was ordered by options.
#[derive(Debug)]
struct Ordered {
    order: config::Status,
    every: Duration,
    begin: Instant,
    next: Instant,
    last: (Instant, u64),
    /// The file could not be written, and that was said.
    is_failing: bool,
}

impl Status {
    /// Says what is ordered from now on, and draws the line `live`, if there is one. The file is written at once, so that it is
    /// known to be possible.
    ///
    /// # Errors
    /// When it is not.
    pub fn begin(
        order: Option<&config::Status>,
        live: Option<Live>,
        progress: Progress<'_>,
    ) -> io::Result<Self> {
        let order = order.map(|order| Ordered::begin(order, progress)).transpose()?;
        Ok(Self { order, live })
    }

    /// When to call [`Status::tell`]; `None` for only at the end.
    pub fn due(&self) -> Option<Instant> {
        let ordered = self.order.as_ref().map(|ordered| ordered.next);
        ordered.into_iter().chain(self.live.as_ref().map(Live::due)).min()
    }

    /// Says how the capture goes. At the end, only the file is written, and the line is cleared.
    pub fn tell(&mut self, progress: Progress<'_>, is_end: bool, reporter: &mut dyn Reporter) {
        let now = Instant::now();
        if let Some(ordered) = self.order.as_mut().filter(|ordered| is_end || now >= ordered.next) {
            ordered.tell(now, progress, is_end, reporter);
        }
        if is_end {
            reporter.live(&[]);
        } else if let Some(live) = self.live.as_mut().filter(|live| now >= live.due()) {
            reporter.live(&live.parts(now, progress));
        }
    }
}

impl Ordered {
    fn begin(order: &config::Status, progress: Progress<'_>) -> io::Result<Self> {
        let now = Instant::now();
        let every = order.every.unwrap_or(FILE_EVERY);
        if let Some(file) = &order.file {
            write_file(file, &metrics(progress))?;
        }
        let order = order.clone();
        Ok(Self { order, every, begin: now, next: now + every, last: (now, 0), is_failing: false })
    }

    fn tell(&mut self, now: Instant, progress: Progress<'_>, is_end: bool, reporter: &mut dyn Reporter) {
        while self.next <= now {
            self.next += self.every;
        }
        let totals = progress.totals();
        let (before, captured) = std::mem::replace(&mut self.last, (now, totals.captured));
        let rate = rate(totals.captured - captured, now - before);
        if self.order.every.is_some() && !is_end {
            let elapsed = now - self.begin;
            if self.order.json {
                reporter.say_plainly(&json_line(elapsed, rate, totals, progress.bytes));
            } else {
                reporter.say(&line(elapsed, rate, totals, progress.bytes));
            }
        }
        let Some(file) = &self.order.file else { return };
        match write_file(file, &metrics(progress)) {
            Ok(()) => self.is_failing = false,
            Err(error) if !self.is_failing => {
                self.is_failing = true;
                reporter.say(&format!("cannot write the statistics to {}: {error}", file.display()));
            }
            Err(_) => {}
        }
    }
}

/// Packets per second.
fn rate(packets: u64, time: Duration) -> u64 {
    let nanoseconds = time.as_nanos().max(1);
    u64::try_from(u128::from(packets) * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
}

fn line(elapsed: Duration, rate: u64, totals: Totals, bytes: u64) -> String {
    let written = if bytes > 0 { format!(", {bytes} bytes in files") } else { String::new() };
    format!("after {} s: {}, {rate} packets/s{written}", elapsed.as_secs(), totals.one_line())
}

fn json_line(elapsed: Duration, rate: u64, totals: Totals, bytes: u64) -> String {
    json!({
        "elapsed": elapsed.as_secs_f64(),
        "captured": totals.captured,
        "received": totals.received,
        "seen": totals.seen,
        "dropped": totals.dropped,
        "packets_per_second": rate,
        "file_bytes": bytes,
    })
    .to_string()
}

/// The metrics in OpenMetrics' text format, which the textfile collector of Prometheus' node_exporter reads as well.
fn metrics(progress: Progress<'_>) -> String {
    type Counter = (&'static str, &'static str, fn(&Totals) -> u64);
    const COUNTERS: [Counter; 4] = [
        ("seen", "Frames that the program in the kernel saw.", |totals| totals.seen),
        ("accepted", "Frames that the capture filter accepted.", |totals| totals.received),
        ("captured", "Packets that were handed to the output.", |totals| totals.captured),
        (
            "dropped",
            "Frames that the filter accepted and that were lost before user space could read them.",
            |totals| totals.dropped,
        ),
    ];
    let mut text = String::new();
    for (name, help, count) in COUNTERS {
        let _ = writeln!(text, "# TYPE xdpdump_{name}_packets counter\n# HELP xdpdump_{name}_packets {help}");
        for (interface, direction, totals) in progress.sources {
            let _ = writeln!(
                text,
                "xdpdump_{name}_packets_total{{interface=\"{}\",direction=\"{direction}\"}} {}",
                label(interface),
                count(totals)
            );
        }
    }
    let _ = writeln!(
        text,
        "# TYPE xdpdump_file_bytes counter\n# UNIT xdpdump_file_bytes bytes\n\
         # HELP xdpdump_file_bytes Bytes that were given to capture files.\n\
         xdpdump_file_bytes_total {}\n# EOF",
        progress.bytes
    );
    text
}

/// The value of a label.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Replaces a file in one step, so that nobody reads a part of it. Nothing but a file is replaced: a device would be gone.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("there is something else that is no regular file"));
    }
    let new = name_of_new(path);
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    fs::rename(&new, path)
}

/// The name under which a file is written before it replaces another.
fn name_of_new(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTALS: Totals = Totals {
        captured: 90,
        seen: 120,
        received: 100,
        dropped: 10,
        thinned: 0,
        unread: 0,
        unwritten: 0,
        unstamped: 0,
        late: 0,
    };

    #[test]
    fn a_line_has_totals_rate_and_bytes() {
        assert_eq!(
            line(Duration::from_secs(5), 18, TOTALS, 4096),
            "after 5 s: 90 packets captured, 100 packets received by filter, 10 packets dropped by kernel, \
             20 packets not accepted by the filter, 18 packets/s, \
             4096 bytes in files"
        );
        assert_eq!(rate(90, Duration::from_secs(5)), 18);
        assert_eq!(rate(u64::MAX, Duration::ZERO), u64::MAX);
    }

    #[test]
    fn a_line_for_machines_has_the_same_numbers() {
        let value: serde_json::Value =
            serde_json::from_str(&json_line(Duration::from_millis(1500), 60, TOTALS, 0)).unwrap();
        assert_eq!(value["elapsed"], 1.5);
        assert_eq!(value["captured"], 90);
        assert_eq!(value["dropped"], 10);
        assert_eq!(value["packets_per_second"], 60);
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for path in [directory.path(), &link] {
            assert!(write_file(path, "text").is_err());
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let file = directory.path().join("file");
        write_file(&file, "one").unwrap();
        write_file(&file, "two").unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "two");
    }

    #[test]
    fn metrics_have_a_line_for_each_source() {
        let sources = [("eth0", "in", TOTALS), ("a\"b", "out", Totals::default())];
        let text = metrics(Progress { sources: &sources, bytes: 7, file: None });
        for line in [
            "# TYPE xdpdump_captured_packets counter",
            r#"xdpdump_captured_packets_total{interface="eth0",direction="in"} 90"#,
            r#"xdpdump_dropped_packets_total{interface="eth0",direction="in"} 10"#,
            r#"xdpdump_seen_packets_total{interface="a\"b",direction="out"} 0"#,
            "xdpdump_file_bytes_total 7",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}

//! Runs a tool while it captures, and measures its cost.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::destination::Destination;
use super::link::{READER_CPU, pin_to};
use super::tool::Tool;
use crate::process;
use xdpdump_testing::netns::NetNs;

/// Longest time that a tool may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Minimum time to settle: libpcap hands over a partly filled block of packets after a second.
const SETTLE_AT_LEAST: Duration = Duration::from_millis(1200);
/// A tool that has used no CPU time for this long has written everything.
const SETTLED_AFTER: Duration = Duration::from_millis(300);

/// A running tool; killed when dropped.
pub struct Reader {
    tool: Tool,
    pid: i32,
    /// The process that reads its pipe.
    drain: Option<Child>,
    lines: Receiver<String>,
    said: String,
    /// Time from its start until it captured.
    pub start: Duration,
    reaped: bool,
}

/// What the tool and the kernel report when the tool has ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Frames that it kept.
    pub kept: u64,
    /// CPU time of the whole process, in user space and in system calls.
    pub cpu: Duration,
    /// Peak of its resident memory in KiB, including its rings.
    pub peak_kib: u64,
    /// Time from the signal to its end.
    pub exit: Duration,
}

impl Reader {
    /// Starts `command` in a namespace on the readers' CPU, and waits until it reports that it captures.
    pub fn start(tool: Tool, mut command: Command, destination: Destination, netns: &NetNs) -> Result<Self> {
        let line = process::line(&command);
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command.stdout(if destination == Destination::Pipe { Stdio::piped() } else { Stdio::null() });
        let begin = Instant::now();
        // A process inherits namespace and CPU from the thread that spawns it.
        let spawned = netns.run(|| {
            pin_to(READER_CPU);
            let mut child = command.spawn()?;
            let drain =
                child.stdout.take().map(|pipe| Command::new("cat").stdin(pipe).stdout(Stdio::null()).spawn());
            drain.transpose().map(|drain| (child, drain))
        });
        let (mut child, drain) = spawned.with_context(|| format!("cannot run `{line}`: is it installed?"))?;
        let stderr = child.stderr.take().context("no pipe from the tool")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                let _ = sender.send(line.unwrap_or_default());
            }
        });
        let pid = child.id().cast_signed();
        let mut reader =
            Self { tool, pid, drain, lines, said: String::new(), start: Duration::ZERO, reaped: false };
        reader.listen(Some(tool.ready_words())).with_context(|| format!("`{line}`"))?;
        reader.start = begin.elapsed();
        Ok(reader)
    }

    /// Collects its messages up to `words`, or to the end.
    fn listen(&mut self, words: Option<&str>) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said += &line;
                    self.said.push('\n');
                    if words.is_some_and(|words| line.contains(words)) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) if words.is_none() => return Ok(()),
                Err(_) => bail!("the tool did not go on; its messages:\n{}", self.said),
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until it has written everything, that is, until it no longer uses CPU time.
    pub fn settle(&self) -> Result<()> {
        let begin = Instant::now();
        let (mut since, mut last) = (begin, 0);
        while begin.elapsed() < SETTLE_AT_LEAST || since.elapsed() < SETTLED_AFTER {
            thread::sleep(Duration::from_millis(20));
            let now = cpu_ticks(self.pid)?;
            if now != last {
                (since, last) = (Instant::now(), now);
            }
        }
        Ok(())
    }

    /// Sends SIGINT, as Ctrl-C does, and waits for its end.
    pub fn stop(mut self) -> Result<Ended> {
        let peak_kib = peak_kib(self.pid)?;
        let begin = Instant::now();
        self.signal(libc::SIGINT);
        self.listen(None)?;
        let cpu = self.reap()?;
        let exit = begin.elapsed();
        let kept = self.tool.kept(&self.said);
        let kept =
            kept.ok_or_else(|| anyhow!("{} did not print its count, but:\n{}", self.tool.name(), self.said))?;
        Ok(Ended { kept, cpu, peak_kib, exit })
    }

    fn signal(&self, signal: i32) {
        // SAFETY: no pointers are passed. The child has not been waited for, so the process id is still its own.
        unsafe { libc::kill(self.pid, signal) };
    }

    /// Waits for its end, and returns its CPU time.
    fn reap(&mut self) -> Result<Duration> {
        // SAFETY: rusage consists of integers, for which zero is valid.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes one rusage; the null pointer means that no status is returned.
        let pid = unsafe { libc::wait4(self.pid, std::ptr::null_mut(), 0, &raw mut usage) };
        if pid != self.pid {
            return Err(io::Error::last_os_error()).context("cannot wait for the tool");
        }
        self.reaped = true;
        if let Some(mut drain) = self.drain.take() {
            drain.wait()?;
        }
        let time = |time: libc::timeval| {
            Duration::from_secs(time.tv_sec.unsigned_abs())
                + Duration::from_micros(time.tv_usec.unsigned_abs())
        };
        Ok(time(usage.ru_utime) + time(usage.ru_stime))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(libc::SIGKILL);
            // Errors cannot be handled here.
            let _ = self.reap();
        }
    }
}

/// CPU time of a process in clock ticks (proc(5), `/proc/pid/stat`, fields 14 and 15).
fn cpu_ticks(pid: i32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, behind_the_name) = stat.rsplit_once(") ").context("no name in /proc/pid/stat")?;
    let ticks = behind_the_name.split(' ').skip(11).take(2).map(str::parse::<u64>);
    Ok(ticks.sum::<Result<u64, _>>()?)
}

/// The peak of a process's resident memory in KiB (proc(5), `VmHWM`). The value from wait4(2) would be at least that of the
/// process that started it.
fn peak_kib(pid: i32) -> Result<u64> {
    let status = BufReader::new(File::open(format!("/proc/{pid}/status"))?);
    let peak = status
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    peak.context("the kernel does not show the tool's memory: the tool ended too early")
}

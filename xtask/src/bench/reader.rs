//! A tool while it captures, and what it cost.

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

/// Longest time to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// libpcap hands over a block of packets that is not full after a second.
const SETTLE_AT_LEAST: Duration = Duration::from_millis(1200);
/// A tool that has used no CPU for so long has written everything.
const SETTLED_AFTER: Duration = Duration::from_millis(300);

/// A running tool; killed when dropped.
pub struct Reader {
    tool: Tool,
    pid: i32,
    /// Reads its pipe.
    drain: Option<Child>,
    lines: Receiver<String>,
    said: String,
    /// From its execution until it captured.
    pub start: Duration,
    reaped: bool,
}

/// What a tool says and the kernel says of it, at its end.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Frames it kept.
    pub kept: u64,
    /// CPU time of the whole process, in user space and in system calls.
    pub cpu: Duration,
    /// Most memory it had mapped and in use, its rings included, in KiB.
    pub peak_kib: u64,
    /// From the signal to its end.
    pub exit: Duration,
}

impl Reader {
    /// Runs `command` in a namespace, on the readers' CPU, until it says that it captures.
    pub fn start(tool: Tool, mut command: Command, destination: Destination, netns: &NetNs) -> Result<Self> {
        let line = process::line(&command);
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        command.stdout(if destination == Destination::Pipe { Stdio::piped() } else { Stdio::null() });
        let begin = Instant::now();
        // Namespace and CPU are the spawning thread's.
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

    /// Collects what it says: up to certain words, or to the end.
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
                Err(_) => bail!("it did not go on, but said:\n{}", self.said),
            }
        }
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until it has written everything.
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

    /// Interrupts it as a person would, and waits for its end.
    pub fn stop(mut self) -> Result<Ended> {
        let peak_kib = peak_kib(self.pid)?;
        let begin = Instant::now();
        self.signal(libc::SIGINT);
        self.listen(None)?;
        let cpu = self.reap()?;
        let exit = begin.elapsed();
        let kept = self.tool.kept(&self.said);
        let kept =
            kept.ok_or_else(|| anyhow!("{} did not tell its count but:\n{}", self.tool.name(), self.said))?;
        Ok(Ended { kept, cpu, peak_kib, exit })
    }

    fn signal(&self, signal: i32) {
        // SAFETY: no pointers are passed. The child was not waited for yet, so the number is still its own.
        unsafe { libc::kill(self.pid, signal) };
    }

    /// Waits for its end, and returns its CPU time.
    fn reap(&mut self) -> Result<Duration> {
        // SAFETY: rusage is plain integers, for which zero is valid.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes one rusage; a status is not asked for.
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
            // What comes too late cannot be helped.
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

/// The peak of a process's resident memory (proc(5), `VmHWM`). wait4(2) would give that of the process that started it,
/// where that is more.
fn peak_kib(pid: i32) -> Result<u64> {
    let status = BufReader::new(File::open(format!("/proc/{pid}/status"))?);
    let peak = status
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    peak.context("the kernel does not tell the tool's memory: it ended too early")
}

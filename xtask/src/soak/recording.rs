//! A capture that goes on for a long time, with several compressed files, a budget of the disk and a line on a terminal.
//! Nothing may be lost, memory may not grow, and the packets of all files ever written have to be those that were sent.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use xdpdump_testing::{
    load::{self, under_bursts},
    scene::Scene,
    terminal::Terminal,
};

use crate::process;

/// Bytes of a frame.
const FRAME: usize = 200;
/// Time in which the rate is kept.
const BURST: Duration = Duration::from_millis(500);
/// Seconds until a file is followed by another.
const PERIOD: &str = "5";
/// Bytes that the files on the disk may have. It takes some of them.
const BUDGET: &str = "96m";
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Time after which memory has the size that it keeps.
const WARM: Duration = Duration::from_mins(5);

/// Runs it for so many minutes, with so many frames per second.
pub fn run(xdpdump: &Path, minutes: u64, rate: u32) -> Result<()> {
    let scene = Scene::new();
    let folder = scene.directory.path().join("files");
    fs::create_dir(&folder)?;
    let mut capture = Capture::start(xdpdump, &scene, &folder)?;
    let memory = under_bursts(&scene.left, "left", FRAME, rate, BURST, || {
        capture.watch(Duration::from_mins(minutes))
    })?;
    let arrived = scene.arrived();
    let lines = capture.stop()?;
    let counts = Counts::read(scene.directory.path())?;
    println!(
        "{} frames arrived; {} files with {} packets; memory {} to {} KiB after the first minutes",
        arrived, counts.files, counts.packets, memory.least, memory.most
    );
    println!("{}", lines.join("\n"));
    let said = |words: &str| {
        let line = lines.iter().find(|line| line.ends_with(words));
        line.and_then(|line| line.split(' ').next()?.parse::<u64>().ok()).context(format!("no line: {words}"))
    };
    ensure!(said("packets captured")? == arrived, "not every frame was captured");
    ensure!(said("dropped by kernel")? == 0, "frames were lost");
    ensure!(counts.packets == arrived, "the files do not have the packets that arrived");
    ensure!(counts.wrong.is_empty(), "capinfos complains: {:?}", counts.wrong);
    ensure!(memory.most < memory.least + memory.least / 10 + 2048, "memory grows");
    let left: u64 = fs::read_dir(&folder)?.map(|file| Ok(file?.metadata()?.len())).sum::<Result<u64>>()?;
    println!("{left} bytes of files are left");
    ensure!(left <= (96 + 8) << 20, "the budget of the disk was exceeded");
    Ok(())
}

/// A capture on a terminal.
struct Capture {
    child: Child,
    terminal: Terminal,
}

/// Resident memory without the rings, in KiB.
struct Memory {
    least: u64,
    most: u64,
}

impl Capture {
    fn start(xdpdump: &Path, scene: &Scene, folder: &Path) -> Result<Self> {
        let terminal = Terminal::new(150);
        terminal.show();
        // It is run on every finished file, before that may be deleted.
        let count = scene.directory.path().join("count.sh");
        let log = scene.directory.path().join("counts");
        fs::write(
            &count,
            format!("capinfos -Trmc \"$1\" >> {0} 2>&1 || echo \"wrong $1\" >> {0}\n", log.display()),
        )?;
        let mut command = scene.right.command(xdpdump);
        command.args(["-i", "right", "-G", PERIOD, "--max-total", BUDGET, "-w"]);
        command.arg(folder.join("%s.pcapng.zst")).arg("-z").arg(format!("sh {}", count.display()));
        command.env("TERM", "xterm").stderr(terminal.descriptor());
        let child = command.spawn().context("cannot start xdpdump")?;
        let capture = Self { child, terminal };
        let begin = Instant::now();
        while !capture.terminal.seen().contains("listening on") {
            ensure!(
                begin.elapsed() < Duration::from_secs(30),
                "it does not begin: {}",
                capture.terminal.seen()
            );
            thread::sleep(Duration::from_millis(20));
        }
        Ok(capture)
    }

    /// Looks at memory and at the line until the time is over.
    fn watch(&mut self, time: Duration) -> Result<Memory> {
        let begin = Instant::now();
        let mut memory = Memory { least: u64::MAX, most: 0 };
        let last = AtomicU64::new(0);
        while begin.elapsed() < time {
            thread::sleep(LOOK_EVERY.min(time.saturating_sub(begin.elapsed())));
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended ({status}): {}", self.terminal.seen());
            }
            let line = self.terminal.screen().pop().unwrap_or_default();
            let packets: u64 = line.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
            ensure!(packets > last.swap(packets, Ordering::Relaxed), "the line stands still: {line:?}");
            let resident = self.memory()?;
            if begin.elapsed() > WARM {
                memory = Memory { least: memory.least.min(resident), most: memory.most.max(resident) };
            }
            eprintln!("{:>5} s: {resident} KiB: {line}", begin.elapsed().as_secs());
        }
        Ok(memory)
    }

    fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("RssAnon:"));
        let value = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        value.context("the kernel does not say how much memory it has")
    }

    /// Ends it; returns the lines on the terminal.
    fn stop(mut self) -> Result<Vec<String>> {
        let pid = self.child.id().to_string();
        process::run(Command::new("kill").args(["-INT", &pid]))?;
        let status = self.child.wait()?;
        // What it wrote last is shown a moment later.
        thread::sleep(Duration::from_millis(300));
        let lines: Vec<String> =
            self.terminal.screen().iter().map(|line| line.trim_end().to_owned()).collect();
        ensure!(status.success(), "it failed ({status}): {lines:?}");
        Ok(lines.into_iter().filter(|line| !line.is_empty()).collect())
    }
}

/// What capinfos says of all files.
struct Counts {
    files: usize,
    packets: u64,
    wrong: Vec<String>,
}

impl Counts {
    fn read(folder: &Path) -> Result<Self> {
        // Commands on the last files may still run.
        load::settled(|| fs::metadata(folder.join("counts")).map_or(0, |log| log.len()));
        let log = fs::read_to_string(folder.join("counts"))?;
        let mut counts = BTreeMap::new();
        let mut wrong = Vec::new();
        for line in log.lines() {
            let count =
                line.rsplit_once(',').and_then(|(file, packets)| Some((file, packets.parse::<u64>().ok()?)));
            match count {
                Some((file, packets)) => drop(counts.insert(file.to_owned(), packets)),
                None => wrong.push(line.to_owned()),
            }
        }
        // Root is warned by Wireshark's programs.
        wrong.retain(|line| !line.contains("Running as user"));
        Ok(Self { files: counts.len(), packets: counts.values().sum(), wrong })
    }
}

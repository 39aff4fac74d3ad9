//! The runs of the benchmark, and their order.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::destination::Destination;
use super::filter::FilterRun;
use super::link::{INTERFACE, Link};
use super::program::{self, RunTime};
use super::reader::{Ended, Reader};
use super::tcp::{TcpLink, TcpRun};
use super::tool::Tool;
use super::{Args, SMALL_RINGS, Scene, link};
use xdpdump_testing::generator::Generator;

/// Pause after a tool reports that it captures: some tools report this shortly before they do.
pub(super) const READY_AFTER: Duration = Duration::from_millis(100);

/// Bytes of a frame with [`Scene::SmallRings`].
const SMALL_RINGS_FRAME: u32 = 1500;

/// One capture.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Number of the round, from 0.
    pub round: u32,
    /// The tool.
    pub tool: Tool,
    /// Bytes of a frame.
    pub frame_len: u32,
    /// The output.
    pub destination: Destination,
    /// Memory of the tool's rings, all CPUs together, in MiB.
    pub buffer: u32,
    /// Bytes of the file, if it wrote one.
    pub file_len: Option<u64>,
    /// Frames sent.
    pub offered: u64,
    /// Frames per second, see [`Burst::rate`](super::link::Burst::rate).
    pub rate: f64,
    /// The rate in the same round with only an empty program at the other end.
    pub empty_rate: f64,
    /// Time from the tool's start until it captured.
    pub start: Duration,
    /// What the tool cost, and the frames that it kept.
    pub ended: Ended,
}

/// The cost of a program in the kernel.
#[derive(Clone, Copy, Debug)]
pub struct KernelRun {
    /// Number of the round, from 0.
    pub round: u32,
    /// The tool.
    pub tool: Tool,
    /// Bytes of a frame.
    pub frame_len: u32,
    /// Frames sent.
    pub offered: u64,
    /// Frames kept. This matters because a lost frame costs less.
    pub kept: u64,
    /// Nanoseconds per frame of an empty program in the same round.
    pub empty: f64,
    /// Nanoseconds per frame of the tool's program, in addition to `empty`.
    pub above_empty: f64,
}

/// All results.
#[derive(Default)]
pub struct Results {
    /// Results of the captures.
    pub runs: Vec<Run>,
    /// Results of the programs in the kernel.
    pub kernel: Vec<KernelRun>,
    /// Results of the captures with a filter.
    pub filters: Vec<FilterRun>,
    /// Results of TCP through a captured interface.
    pub tcp: Vec<TcpRun>,
}

/// What the runs have in common.
pub struct Plan<'a> {
    pub(super) args: &'a Args,
    pub(super) xdpdump: &'a Path,
    /// A folder on a file system in memory.
    pub(super) folder: PathBuf,
    pub(super) link: Link,
    pub(super) tools: Vec<Tool>,
}

impl<'a> Plan<'a> {
    /// Creates the link; files are written to `folder`.
    pub fn new(args: &'a Args, xdpdump: &'a Path, folder: PathBuf) -> Self {
        let chosen = |tool: &Tool| args.only.is_empty() || args.only.contains(tool);
        let tools = Tool::ALL.into_iter().filter(chosen).collect();
        Self { args, xdpdump, folder, link: Link::new(), tools }
    }

    /// Runs everything in rounds, so that a temporary disturbance of the machine affects every tool.
    pub fn execute(&self) -> Result<Results> {
        let mut results = Results::default();
        let tcp = self.args.has(Scene::Tcp).then(TcpLink::new);
        for round in 0..self.args.rounds() {
            let has_sizes = self.args.has(Scene::Captures) || self.args.has(Scene::Programs);
            for &frame_len in self.args.sizes.iter().filter(|_| has_sizes) {
                eprintln!("xtask: round {} of {}, {frame_len}-byte frames", round + 1, self.args.rounds());
                let generator = self.link.generator(link::frame(frame_len));
                let goes_to = |one: &Destination| self.args.has(Scene::Captures) && self.args.goes_to(*one);
                for destination in Destination::ALL.into_iter().filter(goes_to) {
                    let buffer = self.args.buffer;
                    self.captures(round, frame_len, destination, buffer, &generator, &mut results)?;
                }
                if self.args.has(Scene::Programs) {
                    self.programs(round, frame_len, &mut results)?;
                }
            }
            if self.args.has(Scene::SmallRings) {
                eprintln!("xtask: round {} of {}, small rings", round + 1, self.args.rounds());
                let generator = self.link.generator(link::frame(SMALL_RINGS_FRAME));
                let (len, to, buffer) = (SMALL_RINGS_FRAME, Destination::Null, SMALL_RINGS);
                self.captures(round, len, to, buffer, &generator, &mut results)?;
            }
            if self.args.has(Scene::Filters) {
                eprintln!("xtask: round {} of {}, with a filter", round + 1, self.args.rounds());
                self.filters(round, &mut results.filters)?;
            }
            if let Some(link) = &tcp {
                eprintln!("xtask: round {} of {}, TCP", round + 1, self.args.rounds());
                self.tcp(link, round, &mut results.tcp)?;
            }
        }
        Ok(results)
    }

    fn captures(
        &self,
        round: u32,
        frame_len: u32,
        destination: Destination,
        buffer: u32,
        generator: &Generator,
        results: &mut Results,
    ) -> Result<()> {
        let frames = self.args.frames(frame_len);
        let empty_rate = self.empty_rate(generator, frames);
        for &tool in self.tools.iter().filter(|tool| tool.goes_to(destination)) {
            let _empty = (!tool.has_program()).then(|| self.link.attach_empty());
            let reader = self.start_with(tool, destination, buffer, None)?;
            let start = reader.start;
            let burst = self.link.send(generator, frames);
            reader.settle()?;
            let ended = reader.stop()?;
            let mut file_len = None;
            if destination.is_file() {
                let file = destination.path(&self.folder);
                file_len = Some(std::fs::metadata(&file)?.len());
                std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
            }
            let (offered, rate) = (burst.offered, burst.rate());
            results.runs.push(Run {
                round,
                tool,
                frame_len,
                destination,
                buffer,
                file_len,
                offered,
                rate,
                empty_rate,
                start,
                ended,
            });
        }
        Ok(())
    }

    /// Measures the programs in the kernel: separately from the captures, because measuring costs time, and with unhurried
    /// frames, because a lost frame costs less.
    fn programs(&self, round: u32, frame_len: u32, results: &mut Results) -> Result<()> {
        let frames = self.args.frames(frame_len) / 4;
        let generator = self.link.unhurried_generator(link::frame(frame_len));
        let _statistics = program::enable_statistics()?;
        let empty = self.time_empty(&generator, frames)?;
        for &tool in self.tools.iter().filter(|tool| tool.has_program()) {
            let reader = self.start(tool, Destination::Null, None)?;
            let (offered, time) = self.time(&reader, &generator, frames)?;
            let above_empty = time - empty;
            let kept = reader.stop()?.kept;
            results.kernel.push(KernelRun { round, tool, frame_len, offered, kept, empty, above_empty });
        }
        Ok(())
    }

    /// Frames per second when only an empty program is attached at the other end.
    pub(super) fn empty_rate(&self, generator: &Generator, frames: u32) -> f64 {
        let _empty = self.link.attach_empty();
        self.link.send(generator, frames).rate()
    }

    /// Nanoseconds that the empty program takes for a frame.
    pub(super) fn time_empty(&self, generator: &Generator, frames: u32) -> Result<f64> {
        let _empty = self.link.attach_empty();
        let run_time = || RunTime::of_own(self.link.empty_program());
        let before = run_time()?;
        self.link.send(generator, frames);
        run_time()?.each_since(before)
    }

    /// The number of frames sent, and the nanoseconds that the tool's program took for each.
    pub(super) fn time(&self, reader: &Reader, generator: &Generator, frames: u32) -> Result<(u64, f64)> {
        let before = RunTime::of_process(reader.pid())?;
        let offered = self.link.send(generator, frames).offered;
        Ok((offered, RunTime::of_process(reader.pid())?.each_since(before)?))
    }

    /// Starts a tool, and waits until it captures.
    pub(super) fn start(&self, tool: Tool, destination: Destination, filter: Option<&str>) -> Result<Reader> {
        self.start_with(tool, destination, self.args.buffer, filter)
    }

    fn start_with(
        &self,
        tool: Tool,
        destination: Destination,
        buffer: u32,
        filter: Option<&str>,
    ) -> Result<Reader> {
        let output = destination.path(&self.folder);
        let command = tool.command(self.xdpdump, INTERFACE, &output, buffer, filter);
        let reader = Reader::start(tool, command, destination, &self.link.receiver)?;
        thread::sleep(READY_AFTER);
        Ok(reader)
    }
}

impl Run {
    /// Frames kept a second, of those that were sent in this time.
    pub fn kept_rate(&self) -> f64 {
        self.rate * self.ended.kept as f64 / self.offered as f64
    }

    /// Bytes in the file per frame that it kept.
    pub fn file_bytes_per_frame(&self) -> Option<f64> {
        (self.ended.kept > 0).then_some(self.file_len? as f64 / self.ended.kept as f64)
    }

    /// Nanoseconds of the reader's CPU time per frame that it kept; `None` if it kept none.
    pub fn cpu_per_frame(&self) -> Option<f64> {
        (self.ended.kept > 0).then(|| self.ended.cpu.as_nanos() as f64 / self.ended.kept as f64)
    }
}

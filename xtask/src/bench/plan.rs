//! Which runs there are, and in which order.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Args;
use super::destination::Destination;
use super::link::{INTERFACE, Link};
use super::program::{self, RunTime};
use super::reader::{Ended, Reader};
use super::tool::Tool;
use xdpdump_testing::generator::Generator;

/// A moment for tools that say they capture when they are about to.
const READY_AFTER: Duration = Duration::from_millis(100);

/// One capture.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// From 0.
    pub round: u32,
    /// The tool.
    pub tool: Tool,
    /// Bytes of a frame.
    pub frame_len: u32,
    /// Where frames went.
    pub destination: Destination,
    /// Frames sent.
    pub offered: u64,
    /// Frames a second, see [`Burst::rate`](super::link::Burst::rate).
    pub rate: f64,
    /// The same in the same round, with nothing but an empty program at the far end.
    pub empty_rate: f64,
    /// From the tool's execution until it captured.
    pub start: Duration,
    /// What it cost and kept.
    pub ended: Ended,
}

/// What a program in the kernel costs.
#[derive(Clone, Copy, Debug)]
pub struct KernelRun {
    /// From 0.
    pub round: u32,
    /// The tool.
    pub tool: Tool,
    /// Bytes of a frame.
    pub frame_len: u32,
    /// Frames sent.
    pub offered: u64,
    /// Frames kept: one that is lost costs less.
    pub kept: u64,
    /// Nanoseconds of an empty program in the same round.
    pub empty: f64,
    /// Nanoseconds a frame beyond that.
    pub above_empty: f64,
}

/// Everything that was measured.
#[derive(Default)]
pub struct Results {
    /// Captures.
    pub runs: Vec<Run>,
    /// Programs.
    pub kernel: Vec<KernelRun>,
}

/// What the runs have in common.
pub struct Plan<'a> {
    args: &'a Args,
    xdpdump: &'a Path,
    /// A folder in memory.
    folder: PathBuf,
    link: Link,
    tools: Vec<Tool>,
}

impl<'a> Plan<'a> {
    /// Makes the wire; files go to `folder`.
    pub fn new(args: &'a Args, xdpdump: &'a Path, folder: PathBuf) -> Self {
        let chosen = |tool: &Tool| args.only.is_empty() || args.only.contains(tool);
        let tools = Tool::ALL.into_iter().filter(chosen).collect();
        Self { args, xdpdump, folder, link: Link::new(), tools }
    }

    /// Runs everything, in rounds, so that what disturbs the machine for a while disturbs every tool.
    pub fn execute(&self) -> Result<Results> {
        let mut results = Results::default();
        for round in 0..self.args.rounds() {
            for &frame_len in &self.args.sizes {
                eprintln!("xtask: round {} of {}, {frame_len}-byte frames", round + 1, self.args.rounds());
                let generator = self.link.generator(frame_len);
                for destination in Destination::ALL.into_iter().filter(|one| self.args.goes_to(*one)) {
                    self.captures(round, frame_len, destination, &generator, &mut results)?;
                }
                self.programs(round, frame_len, &mut results)?;
            }
        }
        Ok(results)
    }

    fn captures(
        &self,
        round: u32,
        frame_len: u32,
        destination: Destination,
        generator: &Generator,
        results: &mut Results,
    ) -> Result<()> {
        let frames = self.args.frames(frame_len);
        let empty_rate = {
            let _empty = self.link.attach_empty();
            self.link.send(generator, frames).rate()
        };
        for &tool in &self.tools {
            let _empty = (!tool.has_program()).then(|| self.link.attach_empty());
            let reader = self.start(tool, destination)?;
            let start = reader.start;
            let burst = self.link.send(generator, frames);
            reader.settle()?;
            let ended = reader.stop()?;
            if destination == Destination::File {
                let file = destination.path(&self.folder);
                std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
            }
            let (offered, rate) = (burst.offered, burst.rate());
            results.runs.push(Run {
                round,
                tool,
                frame_len,
                destination,
                offered,
                rate,
                empty_rate,
                start,
                ended,
            });
        }
        Ok(())
    }

    /// Apart from the captures, because taking the time takes time, and unhurried, because a frame that is lost costs less.
    fn programs(&self, round: u32, frame_len: u32, results: &mut Results) -> Result<()> {
        let frames = self.args.frames(frame_len) / 4;
        let generator = self.link.unhurried_generator(frame_len);
        let _statistics = program::enable_statistics()?;
        let empty = {
            let _empty = self.link.attach_empty();
            let run_time = || RunTime::of_own(self.link.empty_program());
            let before = run_time()?;
            self.link.send(&generator, frames);
            run_time()?.each_since(before)?
        };
        for &tool in self.tools.iter().filter(|tool| tool.has_program()) {
            let reader = self.start(tool, Destination::Null)?;
            let before = RunTime::of_process(reader.pid())?;
            let offered = self.link.send(&generator, frames).offered;
            let above_empty = RunTime::of_process(reader.pid())?.each_since(before)? - empty;
            let kept = reader.stop()?.kept;
            results.kernel.push(KernelRun { round, tool, frame_len, offered, kept, empty, above_empty });
        }
        Ok(())
    }

    fn start(&self, tool: Tool, destination: Destination) -> Result<Reader> {
        let output = destination.path(&self.folder);
        let command = tool.command(self.xdpdump, INTERFACE, &output, self.args.buffer);
        let reader = Reader::start(tool, command, destination, &self.link.receiver)?;
        thread::sleep(READY_AFTER);
        Ok(reader)
    }
}

impl Run {
    /// Nanoseconds of the reader's CPU time for each frame it kept; `None` when it kept none.
    pub fn cpu_per_frame(&self) -> Option<f64> {
        (self.ended.kept > 0).then(|| self.ended.cpu.as_nanos() as f64 / self.ended.kept as f64)
    }
}

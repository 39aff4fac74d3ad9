//! Captures with a filter: what a rejected frame costs, and whether a tool captures exactly the frames that match.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::destination::Destination;
use super::link::Burst;
use super::plan::Plan;
use super::program;
use super::tool::Tool;
use crate::process;
use xdpdump_testing::generator::{Exception, Generator};

/// The filter that every tool gets.
pub const FILTER: &str = "tcp port 443";

/// Length of the frames in bytes.
const FRAME_LEN: u32 = 60;
/// One frame of a hundred is TCP: the byte is IPv4's protocol field (RFC 791, section 3.1) behind an Ethernet header.
const MATCHING: Exception = Exception { every: 100, at: 23, byte: 6 };

/// What was measured of one tool in one round.
#[derive(Clone, Copy, Debug)]
pub struct FilterRun {
    /// From 0.
    pub round: u32,
    /// The tool.
    pub tool: Tool,
    /// Nanoseconds that the tool's program takes for a rejected frame, minus those of an empty program; `None` if the tool
    /// has no program.
    pub above_empty: Option<f64>,
    /// The cost when all frames are rejected.
    pub rejected: FilterCost,
    /// The cost when one frame of a hundred matches.
    pub mixed: FilterCost,
    /// Frames sent in that case.
    pub offered: u64,
    /// How many of them match.
    pub matching: u64,
    /// How many frames in the tool's file match.
    pub captured: u64,
    /// How many frames there do not match.
    pub others: u64,
}

/// The cost of one burst.
#[derive(Clone, Copy, Debug)]
pub struct FilterCost {
    /// Frames per second, see [`Burst::rate`].
    pub rate: f64,
    /// The same right before, when only an empty program was attached.
    pub empty_rate: f64,
    /// CPU time of the tool.
    pub cpu: Duration,
}

impl FilterCost {
    /// The share of the sender's speed that was lost.
    pub fn slowed_by(self) -> f64 {
        1.0 - self.rate / self.empty_rate
    }
}

impl Plan<'_> {
    /// Measures all tools that have filters.
    pub(super) fn filters(&self, round: u32, results: &mut Vec<FilterRun>) -> Result<()> {
        let (all_rejected, mixed) =
            (self.link.generator(frame()), self.link.generator_with(frame(), MATCHING));
        for &tool in self.tools.iter().filter(|tool| tool.has_filter()) {
            let (rejected, _) = self.filtered(tool, &all_rejected, Destination::Null)?;
            let (cost, burst) = self.filtered(tool, &mixed, Destination::File)?;
            let file = Destination::File.path(&self.folder);
            let captured = count(&file, FILTER)?;
            let others = count(&file, &format!("not ({FILTER})"))?;
            std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;

            results.push(FilterRun {
                round,
                tool,
                above_empty: None,
                rejected,
                mixed: cost,
                offered: burst.offered,
                matching: burst.exceptions,
                captured,
                others,
            });
        }
        self.rejecting_programs(round, results)
    }

    /// Captures one burst. A rejected frame costs so little that the speed without the tool is measured right before each
    /// burst: on a shared machine the speed changes more than that within a round.
    fn filtered(
        &self,
        tool: Tool,
        generator: &Generator,
        destination: Destination,
    ) -> Result<(FilterCost, Burst)> {
        let frames = self.args.frames(FRAME_LEN);
        let empty_rate = self.empty_rate(generator, frames);
        let _empty = (!tool.has_program()).then(|| self.link.attach_empty());
        let reader = self.start(tool, destination, Some(FILTER))?;
        let burst = self.link.send(generator, frames);
        reader.settle()?;
        let cpu = reader.stop()?.cpu;
        Ok((FilterCost { rate: burst.rate(), empty_rate, cpu }, burst))
    }

    /// Measures the programs in the kernel: separately from the captures, because measuring costs time.
    fn rejecting_programs(&self, round: u32, results: &mut [FilterRun]) -> Result<()> {
        let frames = self.args.frames(FRAME_LEN) / 4;
        let generator = self.link.unhurried_generator(frame());
        let _statistics = program::enable_statistics()?;
        let empty = self.time_empty(&generator, frames)?;
        for run in results.iter_mut().filter(|run| run.round == round && run.tool.has_program()) {
            let reader = self.start(run.tool, Destination::Null, Some(FILTER))?;
            let (_, time) = self.time(&reader, &generator, frames)?;
            reader.stop()?;
            run.above_empty = Some(time - empty);
        }
        Ok(())
    }
}

/// UDP from and to port 443, between unused addresses (RFC 5737). TCP has its ports in the same place. There are no checksums:
/// the receiver does not check frames for another MAC address.
fn frame() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
    let ip_len = FRAME_LEN as u8 - 14;
    frame.extend([0x45, 0, 0, ip_len, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    frame.extend([0x01, 0xbb, 0x01, 0xbb, 0, ip_len - 20, 0, 0]);
    frame.resize(FRAME_LEN as usize, 0);
    frame
}

/// The number of frames in a file that `filter` accepts, as tcpdump counts them.
fn count(file: &Path, filter: &str) -> Result<u64> {
    let mut tcpdump = Command::new("tcpdump");
    tcpdump.args(["-n", "--count", "-r"]).arg(file).arg(filter);
    let output = tcpdump.output().context("cannot run tcpdump")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let count = said.split_once(" packet").and_then(|(count, _)| count.parse().ok());
    count.with_context(|| {
        let error = String::from_utf8_lossy(&output.stderr);
        format!("`{}` did not count but said:\n{said}{error}", process::line(&tcpdump))
    })
}

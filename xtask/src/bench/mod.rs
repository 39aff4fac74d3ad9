//! `cargo xtask bench`: measures xdpdump, tcpdump, dumpcap, netsniff-ng and xdp-tools' xdpdump on the same frames.
#![expect(clippy::cast_precision_loss, reason = "counts and times here are far below 2^52")]

mod destination;
mod filter;
mod json;
mod link;
mod machine;
mod plan;
mod program;
mod reader;
mod table;
mod tcp;
mod tool;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use destination::Destination;
use plan::Plan;
use tool::Tool;

use crate::{cargo, packages, process};

/// A file system in memory that every Linux has (shm_open(3)).
const MEMORY: &str = "/dev/shm";

/// Memory of a tool's rings with [`Scene::SmallRings`], all CPUs together, in MiB.
const SMALL_RINGS: u32 = 2;

/// A group of measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scene {
    /// Captures of every frame, from the interface to the output
    Captures,
    /// Captures of 1500-byte frames to /dev/null with rings of 2 MiB
    SmallRings,
    /// The cost of the programs in the kernel
    Programs,
    /// Captures with a filter, of frames that it rejects and of a few among them that it accepts
    Filters,
    /// TCP through a captured veth pair
    Tcp,
}

/// Options of `bench`.
#[derive(clap::Args)]
pub struct Args {
    /// Rounds; every number is the median over them
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// A tenth of the frames, in one round
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Tools to run, instead of all
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Tool>,
    /// Groups of measurements, instead of all
    #[arg(long, value_enum, value_delimiter = ',')]
    scenes: Vec<Scene>,
    /// Frame sizes in bytes; frames for filters always have 60
    #[arg(long, value_delimiter = ',', default_values_t = [60, 512, 1500], value_parser = clap::value_parser!(u32).range(22..=3400))]
    sizes: Vec<u32>,
    /// Outputs, instead of all
    #[arg(long, value_enum, value_delimiter = ',')]
    to: Vec<Destination>,
    /// Frames of a run, instead of 2 million of 60 bytes, 1 million of larger ones
    #[arg(long)]
    frames: Option<u32>,
    /// Memory of a tool's rings, all CPUs together, in MiB
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=2048))]
    buffer: u32,
    /// Every single measurement as JSON on standard output, instead of tables
    #[arg(long)]
    json: bool,
    /// Measure this xdpdump instead of building one
    #[arg(long, value_name = "FILE")]
    xdpdump: Option<PathBuf>,
}

impl Args {
    fn frames(&self, frame_len: u32) -> u32 {
        let usual = if frame_len <= 64 { 2_000_000 } else { 1_000_000 };
        self.frames.unwrap_or(if self.quick { usual / 10 } else { usual })
    }

    fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    fn has(&self, scene: Scene) -> bool {
        self.scenes.is_empty() || self.scenes.contains(&scene)
    }

    fn goes_to(&self, destination: Destination) -> bool {
        self.to.is_empty() || self.to.contains(&destination)
    }
}

/// Runs the benchmark and prints its results.
pub fn run(args: &Args) -> Result<()> {
    let xdpdump = args.xdpdump.clone().map_or_else(build, Ok)?;
    if !process::is_root() {
        return run_as_root(args, &xdpdump);
    }
    packages::provide(&tool::PROGRAMS)?;
    let folder = tempfile::tempdir_in(MEMORY).with_context(|| format!("cannot make a folder in {MEMORY}"))?;
    machine::has_room(args, folder.path())?;
    machine::hold_memory(args, folder.path())?;
    let results = Plan::new(args, &xdpdump, folder.path().to_owned()).execute()?;
    if args.json {
        println!("{:#}", json::document(args, &results));
    } else {
        print!("{}", table::tables(args, &results));
    }
    Ok(())
}

/// Builds the tool as users get it.
pub(crate) fn build() -> Result<PathBuf> {
    let built = cargo::build(cargo::command().args(["build", "--release", "--package", "xdpdump"]))?;
    let tool = built.into_iter().find(|built| built.target == "xdpdump" && !built.is_test);
    Ok(tool.context("cargo did not build an xdpdump binary")?.path)
}

/// Runs this command again as root, with the xdpdump that was built as the user.
fn run_as_root(args: &Args, xdpdump: &Path) -> Result<()> {
    if !process::root_available() {
        bail!(
            "the benchmark needs root, and sudo needs a password: run `sudo -v` first, or run this as root"
        );
    }
    let mut again = process::as_root(env::current_exe().context("cannot find this program")?);
    again.args(env::args_os().skip(1));
    if args.xdpdump.is_none() {
        again.arg("--xdpdump").arg(xdpdump);
    }
    process::run(&mut again)
}

/// The name of a tool or output in the JSON, the same as on the command line.
fn key(value: &impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

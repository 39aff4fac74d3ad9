//! Runs that last: what tests of seconds do not see.

mod merging;
mod recording;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::{bench, packages, process};

#[derive(clap::Args)]
pub struct Args {
    /// What runs
    #[arg(long, value_enum, default_value = "recording")]
    scene: Scene,
    /// Minutes; by default 20, or 1 for three live sources
    #[arg(long)]
    minutes: Option<u64>,
    /// Frames per second
    #[arg(long, default_value_t = 200_000)]
    rate: u32,
    /// The program instead of one that is built
    #[arg(long, value_name = "FILE")]
    xdpdump: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Scene {
    /// A capture with several compressed files, a budget of the disk, and a line on a terminal
    Recording,
    /// Three live captures whose clocks are apart, merged: one stalls, one is killed
    Merging,
}

/// Runs a scene, as root.
pub fn run(args: &Args) -> Result<()> {
    ensure!(process::is_root(), "the soak needs root: run it as root");
    let xdpdump = args.xdpdump.clone().map_or_else(bench::build, Ok)?;
    packages::provide(&[("capinfos", "wireshark-common")])?;
    match args.scene {
        Scene::Recording => recording::run(&xdpdump, args.minutes.unwrap_or(20), args.rate),
        Scene::Merging => merging::run(&xdpdump, args.minutes.unwrap_or(1)),
    }
}

//! Runs that last: what tests of seconds do not see.

mod blocks;
mod keeping;
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
    /// Minutes; by default 20 for a recording, or else 1
    #[arg(long)]
    minutes: Option<u64>,
    /// Frames per second; by default 200 000, or 1 000 000 for a flight recorder
    #[arg(long)]
    rate: Option<u32>,
    /// The program instead of one that is built
    #[arg(long, value_name = "FILE")]
    xdpdump: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Scene {
    /// A capture with several compressed files, a budget of the disk, and a line on a terminal
    Recording,
    /// A flight recorder that is asked for dumps again and again
    Keeping,
    /// Three live captures whose clocks are apart, merged: one stalls, one is killed
    Merging,
}

/// Runs a scene, as root.
pub fn run(args: &Args) -> Result<()> {
    ensure!(process::is_root(), "the soak needs root: run it as root");
    let xdpdump = args.xdpdump.clone().map_or_else(bench::build, Ok)?;
    packages::provide(&[("capinfos", "wireshark-common")])?;
    match args.scene {
        Scene::Recording => {
            recording::run(&xdpdump, args.minutes.unwrap_or(20), args.rate.unwrap_or(200_000))
        }
        Scene::Keeping => keeping::run(&xdpdump, args.minutes.unwrap_or(1), args.rate.unwrap_or(1_000_000)),
        Scene::Merging => merging::run(&xdpdump, args.minutes.unwrap_or(1)),
    }
}

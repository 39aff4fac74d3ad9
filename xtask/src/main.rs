//! Every developer command of the project: `cargo xtask --help` lists them.

mod build_ebpf;
mod manifest;
mod packages;
mod process;
mod toolchain;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Developer commands of xdpdump
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Rebuild the committed kernel program, installing its toolchain when it is missing
    BuildEbpf(build_ebpf::Args),
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::BuildEbpf(args) => build_ebpf::run(&args),
    }
}

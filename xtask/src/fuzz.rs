//! `cargo xtask fuzz`: hostile bytes for everything that reads bytes.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{process, workspace};

/// What can be fuzzed, with the longest input that is worth trying, in bytes.
const TARGETS: [(&str, u32); 4] =
    [("perf_ring", 4096), ("mapped_ring", 4096), ("capture_file", 8192), ("text", 2048)];

/// Options of `fuzz`.
#[derive(clap::Args)]
pub struct Args {
    /// How long to run each target
    #[arg(long, value_name = "N", default_value_t = 600)]
    seconds: u64,

    /// Run only this target: perf_ring, mapped_ring, capture_file or text
    #[arg(value_parser = TARGETS.map(|(name, _)| name))]
    target: Option<String>,
}

/// Runs the targets one after the other, until one of them finds something.
pub fn run(args: &Args) -> Result<()> {
    let installed = workspace::cargo_home()?.join("bin/cargo-fuzz").exists();
    if !installed && process::find("cargo-fuzz").is_none() {
        process::run(process::without_cargo_env("cargo").args(["install", "--locked", "cargo-fuzz"]))?;
    }
    process::run(nightly().args(["run", "--quiet", "--example", "seeds"]))
        .context("cannot write the seeds: is there a nightly (`rustup toolchain install nightly`)?")?;
    for (name, max_len) in TARGETS {
        if args.target.as_deref().is_none_or(|wanted| wanted == name) {
            // Nothing that is fuzzed is unsafe code: a sanitizer would only be slow.
            process::run(nightly().args(["fuzz", "run", "--sanitizer", "none", name, "--"]).args([
                format!("-max_total_time={}", args.seconds),
                format!("-max_len={max_len}"),
                "-timeout=10".to_owned(),
            ]))
            .with_context(|| format!("{name}: keep what it found in fuzz/artifacts as a regression test"))?;
        }
    }
    Ok(())
}

/// The cargo of a nightly toolchain, which the instrumentation needs, in the fuzz crate's folder.
fn nightly() -> Command {
    let mut cargo = process::without_cargo_env("cargo");
    cargo.arg("+nightly").current_dir(workspace::root().join("fuzz"));
    cargo
}

//! `cargo xtask fuzz`: feeds hostile bytes to everything that reads bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::cargo::{self, Executable};
use crate::{packages, process, workspace};

/// The programs needed to build libFuzzer, which is written in C++.
const PROGRAMS: [(&str, &str); 1] = [("c++", "g++")];

/// Flags that make the compiler tell libFuzzer which code an input reaches (LLVM, SanitizerCoverage). None of the fuzzed
/// code is unsafe, so a sanitizer, which needs a nightly compiler, would only make it slower.
const INSTRUMENTATION: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Clink-dead-code",
];

/// Limits for an input: its length in bytes, the seconds that it may take, and the memory in MiB that the target may use.
const LIMITS: [&str; 3] = ["-max_len=8192", "-timeout=20", "-rss_limit_mb=512"];

/// Options of `fuzz`.
#[derive(clap::Args)]
pub struct Args {
    /// How long to run each target
    #[arg(long, value_name = "N", default_value_t = 600)]
    seconds: u64,

    /// Run only this target, the name of a file in fuzz/fuzz_targets without its ending
    target: Option<String>,
}

/// Runs the targets, as many at the same time as there are CPUs.
pub fn run(args: &Args) -> Result<()> {
    packages::provide(&PROGRAMS)?;
    process::run(cargo().args(["run", "--quiet", "--example", "seeds"])).context("cannot write the seeds")?;
    let mut targets = build()?;
    if let Some(wanted) = &args.target {
        let names = targets.iter().map(|target| target.target.as_str()).collect::<Vec<_>>().join(", ");
        targets.retain(|target| target.target == *wanted);
        ensure!(!targets.is_empty(), "there is no target {wanted}; there are {names}");
    }
    let failed = Mutex::new(Vec::new());
    let queue = Mutex::new(targets.iter());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(target) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    if let (Err(error), Ok(mut failed)) = (fuzz(target, args.seconds), failed.lock()) {
                        println!("{}: FAILED: {error:#}", target.target);
                        failed.push(target.target.as_str());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    if !failed.is_empty() {
        bail!("{} failed: keep what was found in fuzz/artifacts as a regression test", failed.join(", "));
    }
    Ok(())
}

/// Builds the targets with the instrumentation.
fn build() -> Result<Vec<Executable>> {
    let rustc = process::output(process::without_cargo_env("rustc").args(["--print", "host-tuple"]))?;
    let mut cargo = cargo();
    // With an explicit target, the flags do not apply to build scripts.
    cargo.args(["build", "--release", "--bins", "--target", &rustc]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\x1f"));
    cargo::build(&mut cargo)
}

/// Runs one target for some time.
fn fuzz(target: &Executable, seconds: u64) -> Result<()> {
    let corpus = folder("corpus", &target.target)?;
    // libFuzzer appends its file names directly to this prefix.
    let artifacts = folder("artifacts", &target.target)?.join("");
    let mut fuzzer = Command::new(&target.path);
    fuzzer.args(LIMITS).arg(format!("-max_total_time={seconds}"));
    fuzzer.args(["-verbosity=0", "-print_final_stats=1"]);
    if target.target == "filter" {
        // A filter expression is a line that the user types.
        fuzzer.arg("-max_len=1024");
    }
    fuzzer.arg(format!("-artifact_prefix={}", artifacts.display())).arg(corpus);
    let output = fuzzer.output().with_context(|| format!("cannot run `{}`", process::line(&fuzzer)))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}\n{said}", output.status);
    println!("{}: {} inputs in {seconds} seconds", target.target, executions(&said).unwrap_or("no"));
    Ok(())
}

/// The number of calls of the target, from the statistics at the end.
fn executions(said: &str) -> Option<&str> {
    said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")).map(str::trim)
}

fn folder(kind: &str, target: &str) -> Result<PathBuf> {
    let folder = crate_folder().join(kind).join(target);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder)
}

/// A command for the cargo that runs this command, in the folder of the fuzz crate, which is not a member of the workspace,
/// so that the workspace builds without C++.
fn cargo() -> Command {
    let mut cargo = cargo::command();
    cargo.current_dir(crate_folder());
    cargo
}

fn crate_folder() -> PathBuf {
    Path::new(workspace::root()).join("fuzz")
}

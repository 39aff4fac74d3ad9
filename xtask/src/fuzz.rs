//! `cargo xtask fuzz`: hostile bytes for everything that reads bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::cargo::{self, Executable};
use crate::{packages, process, workspace};

/// What libFuzzer, which is C++, is built with.
const PROGRAMS: [(&str, &str); 1] = [("c++", "g++")];

/// What makes the compiler tell libFuzzer which code an input reaches (LLVM, SanitizerCoverage). Nothing that is fuzzed is
/// unsafe code: a sanitizer, for which a nightly compiler would be needed, would only be slow.
const INSTRUMENTATION: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Clink-dead-code",
];

/// Bounds of an input: its length in bytes, seconds it may take, and MiB of memory the whole target may hold meanwhile.
const LIMITS: [&str; 3] = ["-max_len=8192", "-timeout=5", "-rss_limit_mb=512"];

/// Options of `fuzz`.
#[derive(clap::Args)]
pub struct Args {
    /// How long to run each target
    #[arg(long, value_name = "N", default_value_t = 600)]
    seconds: u64,

    /// Run only this target, the name of a file in fuzz/fuzz_targets without its ending
    target: Option<String>,
}

/// Runs the targets, as many at a time as there are CPUs.
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

/// The targets, with the instrumentation.
fn build() -> Result<Vec<Executable>> {
    let rustc = process::output(process::without_cargo_env("rustc").args(["--print", "host-tuple"]))?;
    let mut cargo = cargo();
    // With a target given, the flags are not those of build scripts.
    cargo.args(["build", "--release", "--bins", "--target", &rustc]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\x1f"));
    cargo::build(&mut cargo)
}

/// Runs one target for some time.
fn fuzz(target: &Executable, seconds: u64) -> Result<()> {
    let corpus = folder("corpus", &target.target)?;
    // libFuzzer puts its file names right behind this prefix.
    let artifacts = folder("artifacts", &target.target)?.join("");
    let mut fuzzer = Command::new(&target.path);
    fuzzer.args(LIMITS).arg(format!("-max_total_time={seconds}"));
    fuzzer.args(["-verbosity=0", "-print_final_stats=1"]);
    if target.target == "filter" {
        // An expression is a line that a person types.
        fuzzer.arg("-max_len=1024");
    }
    fuzzer.arg(format!("-artifact_prefix={}", artifacts.display())).arg(corpus);
    let output = fuzzer.output().with_context(|| format!("cannot run `{}`", process::line(&fuzzer)))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}\n{said}", output.status);
    println!("{}: {} inputs in {seconds} seconds", target.target, executions(&said).unwrap_or("no"));
    Ok(())
}

/// How often the target was called, from the statistics at the end.
fn executions(said: &str) -> Option<&str> {
    said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")).map(str::trim)
}

fn folder(kind: &str, target: &str) -> Result<PathBuf> {
    let folder = crate_folder().join(kind).join(target);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder)
}

/// The cargo that runs this command, in the fuzz crate: it is no member of the workspace, which builds without C++.
fn cargo() -> Command {
    let mut cargo = cargo::command();
    cargo.current_dir(crate_folder());
    cargo
}

fn crate_folder() -> PathBuf {
    Path::new(workspace::root()).join("fuzz")
}

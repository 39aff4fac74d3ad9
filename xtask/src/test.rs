//! `cargo xtask test`: runs unit and golden tests as the user, real-kernel tests as root, and tests that change the whole
//! machine in a virtual machine.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::cargo::{self, Executable};
use crate::tally::Tally;
use crate::{process, test_needs, vm_test, xdp_access};

/// Options of `test`.
#[derive(clap::Args)]
pub struct Args {
    /// Boot no virtual machine (the first time, two kernels and the sources of one are downloaded: 400 MB)
    #[arg(long)]
    no_vm: bool,

    /// Arguments of the test binaries, such as a part of a test's name
    #[arg(last = true, value_name = "TEST_ARGS")]
    args: Vec<OsString>,
}

/// Runs every test.
pub fn run(args: &Args) -> Result<()> {
    test_needs::provide()?;
    let tests = Tests::build(&mut cargo::command())?;
    let mut report = Report::default();
    tests.run_here(&args.args, &mut cargo::command(), &mut report)?;
    tests.run_in_machines(args, &mut report)?;
    report.finish()
}

/// Runs every test except those in a virtual machine, with a tool that embeds `object` instead of the committed object.
pub fn run_with_object(object: &Path) -> Result<()> {
    test_needs::provide()?;
    let cargo = || {
        let mut cargo = cargo::command();
        cargo.env("XDPDUMP_EBPF_OBJECT", object);
        cargo
    };
    let mut report = Report::default();
    Tests::build(&mut cargo())?.run_here(&[], &mut cargo(), &mut report)?;
    report.finish()
}

/// Runs some of the real-kernel tests with `tool` in place of the tool that cargo builds for them.
pub fn run_with_tool(tool: &Path, targets: &[&str]) -> Result<()> {
    test_needs::provide_programs()?;
    test_needs::provide_others()?;
    let mut cargo = cargo::command();
    // The whole workspace, so that what `cargo xtask test` has built serves here too.
    cargo
        .args(["test", "--workspace", "--no-run"])
        .args(targets.iter().flat_map(|target| ["--test", target]));
    let mut report = Report::default();
    for test in cargo::build(&mut cargo)?.iter().filter(|built| built.is_test) {
        let mut root = process::as_root("env");
        let mut variable = OsString::from("XDPDUMP_BIN=");
        variable.push(tool);
        let root = in_package(&mut root, test).arg("RUST_TEST_THREADS=1").arg(variable);
        let name = format!("{}, with {}", name(test), tool.display());
        report.tally += watch(root.arg(&test.path), &name)?;
    }
    report.finish()
}

/// The test binaries, grouped by what they need.
struct Tests {
    /// Test binaries that need no privileges.
    plain: Vec<Executable>,
    /// Test binaries that need root and a kernel that allows XDP programs.
    kernel: Vec<Executable>,
    /// Test binaries that need a virtual machine.
    machine: Vec<Executable>,
}

impl Tests {
    fn build(cargo: &mut Command) -> Result<Self> {
        let mut tests = cargo::build(cargo.args(["test", "--workspace", "--no-run"]))?;
        tests.retain(|built| built.is_test);
        let (machine, here) = tests.into_iter().partition(|test| test.target.starts_with("vm_"));
        let (kernel, plain) =
            Vec::into_iter(here).partition(|test: &Executable| test.target.starts_with("kernel"));
        Ok(Self { plain, kernel, machine })
    }

    fn run_here(&self, args: &[OsString], cargo: &mut Command, report: &mut Report) -> Result<()> {
        for test in &self.plain {
            let mut user = Command::new("env");
            report.tally += watch(in_package(&mut user, test).arg(&test.path).args(args), &name(test))?;
        }
        report.tally += watch(cargo.args(["test", "--workspace", "--doc", "--"]).args(args), "doc tests")?;
        if self.kernel.is_empty() {
            return Ok(());
        }
        if let Some(reason) = xdp_access::refusal() {
            return report.skip(&self.kernel, args, "on the real kernel", &reason);
        }
        for test in &self.kernel {
            let mut root = process::as_root("env");
            // One test at a time: they share the kernel's list of programs, and some measure times.
            let root = in_package(&mut root, test).arg("RUST_TEST_THREADS=1");
            report.tally += watch(root.arg(&test.path).args(args), &name(test))?;
        }
        Ok(())
    }

    fn run_in_machines(&self, args: &Args, report: &mut Report) -> Result<()> {
        // Do not boot a machine if there is no test to run in it.
        if count_all(&self.machine, &args.args)? == 0 {
            return Ok(());
        }
        let results = if args.no_vm {
            Err(anyhow!("--no-vm was given"))
        } else {
            vm_test::run_usual(&self.machine, &args.args)
        };
        match results {
            Ok(tally) => report.tally += tally,
            Err(reason) => {
                report.skip(&self.machine, &args.args, "in a virtual machine", &format!("{reason:#}"))?;
            }
        }
        Ok(())
    }
}

/// The results of all tests.
#[derive(Default)]
struct Report {
    tally: Tally,
    /// Reasons why tests could not be run on this machine.
    skipped: Vec<String>,
}

impl Report {
    /// Counts those of `tests` that `args` would select as skipped.
    fn skip(&mut self, tests: &[Executable], args: &[OsString], which: &str, reason: &str) -> Result<()> {
        let count = count_all(tests, args)?;
        self.tally.skipped += count;
        self.skipped.push(format!("{count} tests {which}: {reason}"));
        Ok(())
    }

    /// Prints the results; returns an error if tests failed, or in CI if tests were skipped.
    fn finish(&self) -> Result<()> {
        println!();
        for reason in &self.skipped {
            println!("SKIPPED: {reason}");
        }
        println!("{}", self.tally);
        self.verdict(env::var_os("CI").is_some())
    }

    fn verdict(&self, ci: bool) -> Result<()> {
        if self.tally.failed > 0 {
            bail!("tests failed: look for `FAILED` above");
        }
        if ci && self.tally.skipped > 0 {
            let reasons = match &self.skipped[..] {
                [] => "look for `SKIPPED` and `ignored` above".to_owned(),
                reasons => reasons.join("; "),
            };
            bail!("no test may be skipped when CI is set: {reasons}");
        }
        Ok(())
    }
}

fn name(test: &Executable) -> String {
    format!("{} of {}", test.target, test.package.file_name().unwrap_or_default().display())
}

/// Makes `env`, which may itself be run by sudo, give a test binary the folder and variables that cargo would give it.
fn in_package<'a>(env: &'a mut Command, test: &Executable) -> &'a mut Command {
    let variable = |name: &str, value: &OsStr| {
        let mut variable = OsString::from(name);
        variable.push("=");
        variable.push(value);
        variable
    };
    env.current_dir(&test.package).stdin(Stdio::null());
    env.arg(variable("CARGO_MANIFEST_DIR", test.package.as_os_str()));
    env.arg(variable("PATH", &process::search_path()))
}

/// Runs the test binary called `name`, prints its output, and adds up its results.
fn watch(tests: &mut Command, name: &str) -> Result<Tally> {
    println!("     Running {name}");
    let child = tests.stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run `{}`", process::line(tests)))?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).split(b'\n') {
            let text = text.with_context(|| format!("cannot read the output of {name}"))?;
            let mut terminal = stdout().lock();
            terminal.write_all(&text)?;
            terminal.write_all(b"\n")?;
            tally.line(&String::from_utf8_lossy(&text));
        }
    }
    let status = child.wait()?;
    if !status.success() && tally.failed == 0 {
        println!("FAILED: {name} ended with {status} before it printed its results");
        tally.failed = 1;
    }
    Ok(tally)
}

/// The number of tests that `args` would select.
fn count_all(tests: &[Executable], args: &[OsString]) -> Result<usize> {
    let count = |test: &Executable| {
        let mut list = Command::new(&test.path);
        let list = process::output(list.args(args).args(["--list", "--format", "terse"]))?;
        Ok(list.lines().filter(|line| line.ends_with(": test")).count())
    };
    tests.iter().map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn a_skipped_test_fails_only_in_ci_and_with_the_reason() {
        let mut report = Report::default();
        report.tally.passed = 7;
        assert!(report.verdict(true).is_ok());
        report.tally.skipped = 2;
        assert!(report.verdict(false).is_ok());
        let said = report.verdict(true).unwrap_err().to_string();
        assert!(said.contains("look for `SKIPPED`"), "{said}");
        report.skipped.push("2 tests in a virtual machine: no qemu".to_owned());
        let said = report.verdict(true).unwrap_err().to_string();
        assert!(said.ends_with(": 2 tests in a virtual machine: no qemu"), "{said}");
    }
}

//! `cargo xtask test`: unit and golden tests as the user, real-kernel tests as root, and in a virtual machine what is for
//! nobody's own.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::cargo::{self, Executable};
use crate::tally::Tally;
use crate::{packages, probe, process, vm_test};

/// Programs the tests call, with the package each is in.
const PROGRAMS: [(&str, &str); 12] = [
    ("tcpdump", "tcpdump"),
    ("tshark", "tshark"),
    ("xdp-loader", "xdp-tools"),
    ("ip", "iproute2"),
    ("ethtool", "ethtool"),
    ("ping", "iputils-ping"),
    // Debian's installer brings another netcat, whose options differ.
    ("nc.openbsd", "netcat-openbsd"),
    ("sysctl", "procps"),
    ("unshare", "util-linux"),
    ("bpftool", "bpftool"),
    ("mkfs.ext4", "e2fsprogs"),
    ("script", "bsdutils"),
];

/// Options of `test`.
#[derive(clap::Args)]
pub struct Args {
    /// Boot no virtual machine (the first time, a kernel and its sources are downloaded: 280 MB)
    #[arg(long)]
    no_vm: bool,

    /// Arguments of the test binaries, such as a part of a test's name
    #[arg(last = true, value_name = "TEST_ARGS")]
    args: Vec<OsString>,
}

/// Runs every test.
pub fn run(args: &Args) -> Result<()> {
    run_all(&args.args, args.no_vm, cargo::command)
}

/// Runs every test of a tool that embeds `object` in place of the committed one.
pub fn run_with_object(object: &Path) -> Result<()> {
    run_all(&[], true, || {
        let mut cargo = cargo::command();
        cargo.env("XDPDUMP_EBPF_OBJECT", object);
        cargo
    })
}

fn run_all(args: &[OsString], no_vm: bool, cargo: impl Fn() -> Command) -> Result<()> {
    packages::provide(&PROGRAMS)?;
    let built = cargo::build(cargo().args(["test", "--workspace", "--no-run"]))?;
    let (virtual_machine, here): (Vec<_>, Vec<_>) =
        built.into_iter().filter(|built| built.is_test).partition(|test| test.target.starts_with("vm_"));
    let (kernel, plain): (Vec<_>, Vec<_>) =
        here.into_iter().partition(|test| test.target.starts_with("kernel"));

    let mut tally = Tally::default();
    for test in &plain {
        let mut user = Command::new("env");
        tally += watch(in_package(&mut user, test).arg(&test.path).args(args), &name(test))?;
    }
    tally += watch(cargo().args(["test", "--workspace", "--doc", "--"]).args(args), "doc tests")?;

    let refusal = if kernel.is_empty() { None } else { probe::why_not_xdp() };
    let mut not_run = 0;
    for test in &kernel {
        if refusal.is_none() {
            let mut root = process::as_root("env");
            // One at a time: they share the kernel's list of programs, and some measure.
            let root = in_package(&mut root, test).arg("RUST_TEST_THREADS=1");
            tally += watch(root.arg(&test.path).args(args), &name(test))?;
        } else {
            not_run += count_tests(test, args)?;
        }
    }
    tally.skipped += not_run;
    let mut no_machine = None;
    let machine_tests = virtual_machine.iter().map(|test| count_tests(test, args)).sum::<Result<usize>>()?;
    if machine_tests > 0 {
        let results = if no_vm {
            Err(anyhow!("--no-vm asked for that"))
        } else {
            vm_test::run_usual(&virtual_machine, args)
        };
        match results {
            Ok(results) => tally += results,
            Err(reason) => {
                tally.skipped += machine_tests;
                no_machine = Some(reason);
            }
        }
    }

    println!();
    if let Some(reason) = refusal {
        println!("SKIPPED: {not_run} real-kernel tests: {reason}");
    }
    if let Some(reason) = no_machine {
        println!("SKIPPED: {machine_tests} tests in a virtual machine: {reason:#}");
    }
    println!("{tally}");
    if tally.failed > 0 {
        bail!("tests failed: look for `FAILED` above");
    }
    if not_run > 0 && env::var_os("CI").is_some() {
        bail!("CI must run the real-kernel tests: give it a machine where root may attach XDP programs");
    }
    Ok(())
}

fn name(test: &Executable) -> String {
    format!("{} of {}", test.target, test.package.file_name().unwrap_or_default().display())
}

/// Makes `env`, perhaps itself run by sudo, give a test binary the folder and variables cargo gives it.
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

/// Runs tests called `name`, passing on what they print, and adds up their result lines.
fn watch(tests: &mut Command, name: &str) -> Result<Tally> {
    println!("     Running {name}");
    let child = tests.stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run `{}`", process::line(tests)))?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).split(b'\n') {
            let text = text.with_context(|| format!("cannot read what {name} prints"))?;
            let mut terminal = stdout().lock();
            terminal.write_all(&text)?;
            terminal.write_all(b"\n")?;
            tally += Tally::parse(&String::from_utf8_lossy(&text)).unwrap_or_default();
        }
    }
    let status = child.wait()?;
    if !status.success() && tally.failed == 0 {
        println!("FAILED: {name} ended with {status} before it could tell a result");
        tally.failed = 1;
    }
    Ok(tally)
}

/// Number of tests `args` would select.
fn count_tests(test: &Executable, args: &[OsString]) -> Result<usize> {
    let list = process::output(Command::new(&test.path).args(args).args(["--list", "--format", "terse"]))?;
    Ok(list.lines().filter(|line| line.ends_with(": test")).count())
}

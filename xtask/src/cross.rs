//! `cargo xtask cross`: compiles the tool for arm64, and runs its unit tests there, in emulation.
//!
//! What depends on the architecture is small, and easy to get wrong where only x86-64 is tried: whether a `char` has a sign,
//! the size of a page, the order of memory accesses, numbers of system calls.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::{self, Executable};
use crate::{packages, process, workspace};

/// The target.
const TARGET: &str = "aarch64-unknown-linux-gnu";
/// Where Debian has the target's libraries.
const SYSROOT: &str = "/usr/aarch64-linux-gnu";
/// Programs and their packages; glibc for the target comes with the compiler's recommendation only.
const PROGRAMS: [(&str, &str); 2] =
    [("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"), ("dpkg-deb", "dpkg")];
/// glibc for the target.
const LIBC: &str = "libc6-dev-arm64-cross";
/// Debian's package of the emulator, which is unpacked and not installed: its installation would make the kernel run foreign
/// programs with it.
const EMULATOR: (&str, &str) = ("qemu-user-static", "usr/bin/qemu-aarch64-static");

/// Options of `cross`.
#[derive(clap::Args)]
pub struct Args {
    /// Compile only
    #[arg(long)]
    no_run: bool,

    /// Arguments of the test binaries, such as a part of a test's name
    #[arg(last = true, value_name = "TEST_ARGS")]
    args: Vec<std::ffi::OsString>,
}

/// Compiles everything that belongs to the tool, and runs the unit tests.
pub fn run(args: &Args) -> Result<()> {
    packages::provide(&PROGRAMS)?;
    if !Path::new(SYSROOT).join("lib/libc.so.6").exists() {
        packages::install(&[LIBC])?;
    }
    let mut rustup = process::without_cargo_env("rustup");
    process::run(rustup.args(["target", "add", TARGET]))
        .with_context(|| format!("this Rust cannot compile for {TARGET}: it takes rustup's part for it"))?;

    process::run(for_target().args(["build", "--package", "xdpdump", "--bins"]))?;
    let tests = cargo::build(for_target().args(["test", "--package", "xdpdump", "--lib", "--no-run"]))?;
    println!("cross: the tool and its unit tests compile for {TARGET}");
    if args.no_run {
        return Ok(());
    }
    let emulator = emulator()?;
    for test in tests.iter().filter(|built| built.is_test) {
        run_test(&emulator, test, &args.args)?;
    }
    let tool = process::output(
        emulated(&emulator)
            .arg(workspace::root().join(format!("target/{TARGET}/debug/xdpdump")))
            .arg("--version"),
    )?;
    ensure!(tool.starts_with("xdpdump "), "xdpdump --version prints {tool}");
    println!("cross: the unit tests pass on {TARGET}");
    Ok(())
}

/// A cargo command's beginning; the target follows the subcommand in the environment.
fn for_target() -> Command {
    let mut cargo = cargo::command();
    cargo.env("CARGO_BUILD_TARGET", TARGET);
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", PROGRAMS[0].0);
    cargo
}

fn emulated(emulator: &Path) -> Command {
    let mut command = Command::new(emulator);
    command.args(["-L", SYSROOT]);
    command
}

fn run_test(emulator: &Path, test: &Executable, args: &[impl AsRef<OsStr>]) -> Result<()> {
    let mut command = emulated(emulator);
    command.arg(&test.path).args(args).current_dir(&test.package);
    process::run(command.env("CARGO_MANIFEST_DIR", &test.package))
}

/// The emulator: the one that is installed, or one that is unpacked below `target/`.
fn emulator() -> Result<PathBuf> {
    let (package, program) = EMULATOR;
    if let Some(installed) = process::find("qemu-aarch64-static") {
        return Ok(installed);
    }
    let folder = workspace::root().join("target/qemu-user");
    let unpacked = folder.join(program);
    if !unpacked.exists() {
        packages::extract(Command::new("apt-get"), &[package.to_owned()], &folder)?;
    }
    ensure!(unpacked.exists(), "the package {package} has no {program}");
    Ok(unpacked)
}

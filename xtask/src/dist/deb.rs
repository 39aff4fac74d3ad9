//! The Debian package, by cargo-deb from `[package.metadata.deb]` in `xdpdump/Cargo.toml`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{Profile, target};
use crate::{cargo, process, workspace};

/// The version of cargo-deb. Its minimum is Rust 1.85.
const CARGO_DEB: &str = "3.8.0";

/// Makes the package of what was built for this machine; returns its path.
pub fn make(profile: &Profile) -> Result<PathBuf> {
    let cargo_deb = find_or_install()?;
    // cargo-deb names the file itself when it is given a folder.
    let mut command = process::without_cargo_env(&cargo_deb);
    command.current_dir(workspace::root());
    command.args(["--package", "xdpdump", "--locked", "--no-build", "--no-strip", "--quiet"]);
    command.args(["--profile", profile.name]);
    if profile.name == "dev" {
        command.arg("--fast");
    }
    // The same times in every build of a commit, if git tells the commit's.
    if let Some(time) = commit_time() {
        command.env("SOURCE_DATE_EPOCH", time);
    }
    command.env("CARGO", std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg("--output").arg(&profile.output);
    process::run(&mut command)?;
    let architecture = target::debian_architecture()?;
    let mut found = std::fs::read_dir(&profile.output)?.flatten().map(|entry| entry.path());
    let package = found.find(|path| path.to_string_lossy().ends_with(&format!("_{architecture}.deb")));
    package.with_context(|| format!("cargo-deb made no package for {architecture}"))
}

/// Seconds since 1970 of the commit that is checked out.
pub fn commit_time() -> Option<String> {
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%ct"]).current_dir(workspace::root()).stderr(Stdio::null());
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// cargo-deb in the tree, so that it does not replace the user's own.
fn find_or_install() -> Result<PathBuf> {
    let tools = workspace::root().join("target/tools");
    let program = tools.join("bin/cargo-deb");
    let version = Command::new(&program).arg("--version").stderr(Stdio::null()).output();
    if version.is_ok_and(|version| String::from_utf8_lossy(&version.stdout).trim().ends_with(CARGO_DEB)) {
        return Ok(program);
    }
    eprintln!("xtask: building cargo-deb {CARGO_DEB}, which takes a minute");
    let mut install = cargo::command();
    install.args(["install", &format!("cargo-deb@{CARGO_DEB}"), "--locked", "--force"]);
    // Without its feature `lzma` it calls xz instead of compiling it.
    install.args(["--no-default-features", "--root"]).arg(&tools);
    process::run(&mut install)?;
    Ok(program)
}

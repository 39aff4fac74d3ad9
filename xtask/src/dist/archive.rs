//! The archive with the static binary, for distributions without a package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Profile, deb::commit_time};
use crate::{process, workspace};

/// Files and folders of the tree that go into the archive, beside the program.
const CONTENTS: [&str; 7] = [
    "README.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "docs",
    "scripts/netns.sh",
    "scripts/wireshark-live.sh",
];

/// Packs the program with its documentation; returns the archive.
pub fn make(tool: &Path, triple: &str, profile: &Profile) -> Result<PathBuf> {
    let name = format!("xdpdump-{}-{triple}", env!("CARGO_PKG_VERSION"));
    let staging = tempfile::tempdir().context("cannot make a temporary folder")?;
    let folder = staging.path().join(&name);
    fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(tool, folder.join("xdpdump")).with_context(|| format!("cannot copy {}", tool.display()))?;
    for path in CONTENTS {
        let mut copy = Command::new("cp");
        copy.args(["--recursive", "--parents", path]).arg(&folder).current_dir(workspace::root());
        process::run(&mut copy)?;
    }
    let archive = profile.output.join(format!("{name}.tar.xz"));
    let mut tar = Command::new("tar");
    // The same bytes whoever packs the same files.
    tar.args([
        "--create",
        "--xz",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mode=go=rX,u+rw",
    ]);
    tar.arg(format!("--mtime=@{}", commit_time().unwrap_or_else(|| "0".to_owned())));
    tar.arg("--file").arg(&archive).arg("--directory").arg(staging.path()).arg(&name);
    if profile.name == "dev" {
        // It is tried out and thrown away.
        tar.env("XZ_OPT", "-0");
    }
    process::run(&mut tar)?;
    Ok(archive)
}

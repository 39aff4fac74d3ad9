//! Locations of the source tree and of cargo's home.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The workspace's root: the parent of this crate, independent of the current folder.
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The folder of the committed objects and their MANIFEST.
pub fn ebpf_dir() -> PathBuf {
    root().join("xdpdump/ebpf")
}

/// Cargo's home folder: its registry and installed programs.
pub fn cargo_home() -> Result<PathBuf> {
    let default = || Some(env::home_dir()?.join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(default);
    home.context("there is no home folder: set CARGO_HOME to where cargo keeps its registry")
}

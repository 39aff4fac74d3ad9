//! `cargo xtask run`: builds the tool as the user and runs it as root.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

use crate::{cargo, process};

/// Options of `run`.
#[derive(clap::Args)]
pub struct Args {
    /// Arguments of xdpdump
    #[arg(last = true, value_name = "XDPDUMP_ARGS")]
    args: Vec<OsString>,
}

/// Builds xdpdump and replaces this process by it, so that it has the terminal, the signals and the exit status.
pub fn run(args: &Args) -> Result<()> {
    let built = cargo::build(cargo::command().args(["build", "--release", "--package", "xdpdump"]))?;
    let tool = built
        .iter()
        .find(|built| built.target == "xdpdump")
        .context("cargo did not build an xdpdump binary")?;
    let mut xdpdump = process::as_root(&tool.path);
    let error = xdpdump.args(&args.args).exec();
    Err(error).with_context(|| {
        format!("cannot run `{}`: install sudo, or run this as root", process::line(&xdpdump))
    })
}

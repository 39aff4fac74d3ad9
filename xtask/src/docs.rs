//! `cargo xtask docs`: writes the manual pages and shell completions in `docs/` anew, from the table of options, and the table of
//! protocols, from the decoders.

use anyhow::Result;

use crate::{cargo, process};

/// Runs the test that compares the files, told to write them. A program of its own would compile less, but xtask itself must
/// not need a tool that compiles.
pub fn run() -> Result<()> {
    let mut cargo = cargo::command();
    cargo.args(["test", "--quiet", "--package", "xdpdump", "--test", "manual", "committed_files"]);
    process::run(cargo.env("XDPDUMP_BLESS", "1"))?;
    println!("docs: docs/man, docs/completions and docs/protocols.md are current");
    Ok(())
}

//! For which target the static binary is built.

use std::env::consts::ARCH;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::process;

/// The target of this machine.
#[cfg(target_arch = "x86_64")]
pub const HOST: &str = "x86_64-unknown-linux-gnu";
/// The target of this machine.
#[cfg(target_arch = "aarch64")]
pub const HOST: &str = "aarch64-unknown-linux-gnu";
/// The target of this machine.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("releases are made on x86-64 and arm64");

/// A target whose programs need no shared libraries.
pub enum Static {
    /// musl, whose programs need nothing of the machine but its kernel.
    Musl(String),
    /// glibc linked statically: it still loads shared libraries for names of hosts that come from elsewhere than files and
    /// DNS (nsswitch.conf(5)).
    Glibc,
}

impl Static {
    /// musl if this Rust has it, or rustup can get it; glibc otherwise.
    pub fn find_or_add() -> Result<Self> {
        let musl = format!("{ARCH}-unknown-linux-musl");
        if has(&musl)? {
            return Ok(Self::Musl(musl));
        }
        let mut rustup = process::without_cargo_env("rustup");
        let added = rustup.args(["target", "add", &musl]).stdin(Stdio::null()).status();
        if added.is_ok_and(|status| status.success()) && has(&musl)? {
            return Ok(Self::Musl(musl));
        }
        Ok(Self::Glibc)
    }

    /// The target's name for cargo.
    pub fn triple(&self) -> &str {
        match self {
            Self::Musl(triple) => triple,
            Self::Glibc => HOST,
        }
    }

    /// What the compiler is told.
    pub fn flags(&self) -> &'static [&'static str] {
        match self {
            Self::Musl(_) => &[],
            Self::Glibc => &["-Ctarget-feature=+crt-static"],
        }
    }

    /// The compiler for what is written in C (zstd), with its package, if it is not that of this machine.
    pub fn c_compiler(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Musl(_) => Some(("musl-gcc", "musl-tools")),
            Self::Glibc => None,
        }
    }

    /// A sentence's end for the user.
    pub fn description(&self) -> String {
        match self {
            Self::Musl(triple) => triple.clone(),
            Self::Glibc => format!(
                "{HOST} with glibc inside, because rustup has no musl target here: names of hosts in filters that come \
                 from elsewhere than files and DNS need the same glibc on the machine where it runs"
            ),
        }
    }
}

/// Whether the compiler has the standard library of a target.
fn has(triple: &str) -> Result<bool> {
    let rustc = &mut process::without_cargo_env("rustc");
    let folder = process::output(rustc.args(["--print", "target-libdir", "--target", triple]))?;
    Ok(PathBuf::from(folder).exists())
}

/// The name of Debian's architecture, as dpkg tells it.
pub fn debian_architecture() -> Result<String> {
    process::output(Command::new("dpkg").arg("--print-architecture"))
}

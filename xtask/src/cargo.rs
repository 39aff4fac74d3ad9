//! Builds programs for the host with the cargo that runs this command.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{process, workspace};

/// A program that cargo built.
#[derive(Clone, Debug, PartialEq)]
pub struct Executable {
    /// Name of the target: the stem of the file in `tests/`, or the name of the crate for a library's unit tests.
    pub target: String,
    /// Whether it is a test binary.
    pub is_test: bool,
    /// Path of the executable.
    pub path: PathBuf,
    /// The folder of its package, in which cargo would run it.
    pub package: PathBuf,
}

/// A command for the cargo that runs this command, in the workspace's root.
pub fn command() -> Command {
    let mut cargo = process::without_cargo_env(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Keep the toolchain that was chosen for the outer cargo (`cargo +nightly xtask`).
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        cargo.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    // A target folder chosen by the user is used for every command.
    if let Some(folder) = env::var_os("CARGO_TARGET_DIR") {
        cargo.env("CARGO_TARGET_DIR", folder);
    }
    cargo.current_dir(workspace::root());
    cargo
}

/// Runs `cargo` with a build command and returns the programs that it built.
pub fn build(cargo: &mut Command) -> Result<Vec<Executable>> {
    cargo.arg("--message-format=json-render-diagnostics");
    let line = process::line(cargo);
    let output = cargo.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed: see the compiler's messages above");
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(parse_artifact).collect())
}

/// Parses one line of cargo's JSON messages (The Cargo Book, "External tools"); `None` if it is not about an executable.
fn parse_artifact(message: &str) -> Option<Executable> {
    let message: Value = serde_json::from_str(message).ok()?;
    Some(Executable {
        path: message["executable"].as_str()?.into(),
        target: message["target"]["name"].as_str()?.to_owned(),
        is_test: message["profile"]["test"].as_bool()?,
        package: PathBuf::from(message["manifest_path"].as_str()?).parent()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Executable, parse_artifact};

    #[test]
    fn artifacts_with_an_executable_are_listed() {
        let message = r#"{"reason":"compiler-artifact","manifest_path":"/w/xdpdump/Cargo.toml",
            "target":{"kind":["test"],"name":"kernel_veth"},"profile":{"test":true},
            "executable":"/w/target/debug/deps/kernel_veth-1"}"#;
        let expected = Executable {
            target: "kernel_veth".into(),
            is_test: true,
            path: "/w/target/debug/deps/kernel_veth-1".into(),
            package: "/w/xdpdump".into(),
        };
        assert_eq!(parse_artifact(message), Some(expected));
        assert_eq!(parse_artifact(&message.replace("\"/w/target/debug/deps/kernel_veth-1\"", "null")), None);
        assert_eq!(parse_artifact(r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(parse_artifact("not json"), None);
    }
}

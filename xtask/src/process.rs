//! Runs other programs: as which user, with which environment, and with errors that show the command line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{IsTerminal, stdin};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Whether this process is root.
pub fn is_root() -> bool {
    // The owner of /proc/self is the effective user of the process.
    fs::metadata("/proc/self").is_ok_and(|owner| owner.uid() == 0)
}

/// A command that runs `program` as root: directly if this process is root, otherwise through sudo.
pub fn as_root(program: impl AsRef<OsStr>) -> Command {
    if is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("--").arg(program);
        sudo
    }
}

/// Whether commands can be run as root without a password.
pub fn root_without_password() -> bool {
    is_root() || sudo_accepts(&["-n", "true"])
}

/// Whether commands can be run as root, if necessary after asking the user for a password.
pub fn root_available() -> bool {
    root_without_password() || stdin().is_terminal() && sudo_accepts(&["-v"])
}

fn sudo_accepts(arguments: &[&str]) -> bool {
    let sudo = Command::new("sudo").args(arguments).stdout(Stdio::null()).status();
    sudo.is_ok_and(|status| status.success())
}

/// A command for `program` without the variables that the outer `cargo xtask` and rustup added to the environment.
///
/// Cargo's variables would make an inner cargo use the outer toolchain, flags and profile. Variables for cargo's home and
/// for the network are kept.
pub fn without_cargo_env(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(set_by_cargo) {
            command.env_remove(name);
        }
    }
    command
}

fn set_by_cargo(name: &str) -> bool {
    const KEEP: [&str; 5] = ["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_TERM_"];
    match name {
        "RUSTUP_TOOLCHAIN" | "RUST_RECURSION_COUNT" | "LD_LIBRARY_PATH" => true,
        _ if name.starts_with("RUSTC") || name.starts_with("RUSTFLAGS") || name.starts_with("RUSTDOC") => {
            true
        }
        _ => name.starts_with("CARGO") && !KEEP.iter().any(|keep| name.starts_with(keep)),
    }
}

/// Runs `command` on this terminal; if it fails, the error shows the command line.
pub fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command.status().with_context(|| format!("cannot run `{line}`: is it installed?"))?;
    if !status.success() {
        bail!("`{line}` failed ({status}): see its messages above");
    }
    Ok(())
}

/// The standard output of `command`, without the newline at its end.
pub fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run `{line}`: is it installed?"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({})", output.status);
    }
    let text =
        String::from_utf8(output.stdout).with_context(|| format!("the output of `{line}` is not UTF-8"))?;
    Ok(text.trim_end().to_owned())
}

/// PATH, plus the folders that some systems add only for root.
pub fn search_path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

/// The path of the first `program` in [`search_path`].
pub fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&search_path()).map(|folder| folder.join(program)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0)
}

/// The command line approximately as the user would type it, for messages.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::set_by_cargo;

    #[test]
    fn an_inner_cargo_keeps_its_home_and_network_and_nothing_else() {
        for name in
            ["CARGO", "CARGO_PKG_NAME", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN"]
        {
            assert!(set_by_cargo(name), "{name}");
        }
        for name in
            ["CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_REGISTRIES_X_INDEX", "RUSTUP_HOME", "PATH", "RUST_LOG"]
        {
            assert!(!set_by_cargo(name), "{name}");
        }
    }
}

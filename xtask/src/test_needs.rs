//! What the tests need on the host.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{packages, process, workspace};

/// Programs that the tests run, with their packages.
const PROGRAMS: [(&str, &str); 22] = [
    ("tcpdump", "tcpdump"),
    ("tshark", "tshark"),
    ("jq", "jq"),
    ("xdp-loader", "xdp-tools"),
    ("ip", "iproute2"),
    ("ethtool", "ethtool"),
    ("ping", "iputils-ping"),
    // Debian installs another netcat by default, whose options differ.
    ("nc.openbsd", "netcat-openbsd"),
    ("sysctl", "procps"),
    ("unshare", "util-linux"),
    ("bpftool", "bpftool"),
    ("mkfs.ext4", "e2fsprogs"),
    ("script", "bsdutils"),
    // What reads the manual pages and the completions.
    ("groff", "groff-base"),
    ("mandoc", "mandoc"),
    ("zsh", "zsh"),
    ("fish", "fish"),
    ("setpriv", "util-linux"),
    ("wireshark", "wireshark"),
    ("Xvfb", "xvfb"),
    ("setcap", "libcap2-bin"),
    // What makes the root in which the image is built.
    ("mmdebstrap", "mmdebstrap"),
];

/// Programs that only tests in CI run if they are missing: the package of this one starts a service.
const PROGRAMS_IN_CI: [(&str, &str); 1] = [("sshd", "openssh-server")];

/// Provides everything.
pub fn provide() -> Result<()> {
    provide_programs()?;
    provide_others()?;
    if env::var_os("CI").is_some() { packages::provide(&PROGRAMS_IN_CI) } else { Ok(()) }
}

/// Installs the programs that are missing.
pub fn provide_programs() -> Result<()> {
    packages::provide(&PROGRAMS)
}

/// Provides what is not in a package of Debian. Without it, some tests are skipped, which only CI refuses.
pub fn provide_others() -> Result<()> {
    let has_duckdb = Command::new("duckdb").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has_duckdb {
        or_skip(provide_python("duckdb", "duckdb"), "some commands of docs/json.md")?;
    }
    or_skip(provide_python("kubernetes-validate", "kubernetes_validate"), "the tests of docs/fleet")?;
    or_skip(provide_debian(), "building the image of docs/fleet")
}

/// Fails in CI if something could not be provided; elsewhere only says what is skipped.
fn or_skip(provided: Result<()>, what: &str) -> Result<()> {
    match provided {
        Err(error) if env::var_os("CI").is_some() => Err(error),
        Err(error) => {
            println!("{what}: skipped: {error:#}");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Installs a Python module from PyPI into a folder of its own, if Python does not have it.
fn provide_python(package: &str, module: &str) -> Result<()> {
    let folder = workspace::root().join("target/tools").join(package);
    let python = folder.join("bin/python");
    let has_module = |python: &OsStr| {
        let mut import = Command::new(python);
        let status = import.args(["-c", &format!("import {module}")]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if has_module(OsStr::new("python3")) || has_module(python.as_os_str()) {
        return Ok(());
    }
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .and_then(|()| process::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", package])))
        .with_context(|| format!("cannot install {package} from PyPI (apt-get install python3-venv)"))
}

/// Makes an archive of the smallest system of Debian 12, which is what the image `debian:12-slim` begins with.
fn provide_debian() -> Result<()> {
    let archive = workspace::root().join("target/tools/debian-12.tar");
    if archive.exists() {
        return Ok(());
    }
    println!("making the smallest system of Debian 12, once");
    let unfinished = archive.with_extension("tar.part");
    let cannot = || format!("cannot write {}", unfinished.display());
    fs::create_dir_all(workspace::root().join("target/tools")).with_context(cannot)?;
    let mut bootstrap = process::as_root("mmdebstrap");
    bootstrap.args(["--quiet", "--variant=minbase", "--format=tar", "bookworm", "-"]);
    bootstrap.arg("http://deb.debian.org/debian").stdin(Stdio::null());
    let file = fs::File::create(&unfinished).with_context(cannot)?;
    process::run(bootstrap.stdout(file)).context("cannot make a system of Debian 12")?;
    fs::rename(&unfinished, archive).with_context(cannot)
}

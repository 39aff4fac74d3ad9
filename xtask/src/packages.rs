//! Distribution packages, through apt.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// Whether this system installs packages with apt.
pub fn has_apt() -> bool {
    process::find("apt-get").is_some()
}

/// The version of `package` that apt would install, if apt knows the package.
pub fn candidate(package: &str) -> Option<String> {
    let policy = Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C").output().ok()?;
    parse_candidate(&String::from_utf8_lossy(&policy.stdout))
}

fn parse_candidate(policy: &str) -> Option<String> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

/// Updates apt's package lists, so that [`candidate`] knows the versions in the archive.
pub fn update() -> Result<()> {
    process::run(process::as_root("apt-get").args(["update", "--quiet"]))
}

/// Installs `packages` without removing packages and without asking questions.
pub fn install(packages: &[&str]) -> Result<()> {
    let mut command = process::as_root("env");
    // debconf would wait for answers, for example to a question of tshark's package.
    command.arg("DEBIAN_FRONTEND=noninteractive").args(install_words(packages)).stdin(Stdio::null());
    eprintln!("xtask: {}", process::line(&command));
    process::run(&mut command)
}

/// Installs those of `programs` (pairs of a program and its package) that are missing. If that is not possible, the error
/// names them.
pub fn provide(programs: &[(&str, &str)]) -> Result<()> {
    let missing = programs.iter().filter(|(program, _)| process::find(program).is_none());
    let (programs, mut packages): (Vec<&str>, Vec<&str>) = missing.copied().unzip();
    if packages.is_empty() {
        return Ok(());
    }
    if !has_apt() {
        bail!(
            "these programs are missing, and this system has no apt to install them: {}",
            programs.join(", ")
        );
    }
    if !process::root_without_password() {
        bail!("programs are missing, install them with `{}`", install_line(&packages));
    }
    update()?;
    let kernel_tools = format!("linux-tools-{}", process::output(Command::new("uname").arg("-r"))?);
    if packages.contains(&"bpftool") && candidate("bpftool").is_none() {
        // In Ubuntu up to 24.04 bpftool is a wrapper that needs the program built for the running kernel.
        packages.retain(|package| *package != "bpftool");
        packages.extend(["linux-tools-common", &kernel_tools]);
    }
    install(&packages)
}

/// The packages that installing `package` would add to this system, including itself, each as `NAME=VERSION`. Nothing is
/// installed; packages that would be removed are ignored.
pub fn missing_for(package: &str) -> Result<Vec<String>> {
    let mut apt = Command::new("apt-get");
    apt.args(["install", "--simulate", "--quiet", "--no-install-recommends", package]).env("LC_ALL", "C");
    Ok(parse_simulation(&process::output(&mut apt)?))
}

/// Parses lines such as `Inst seabios (1.16.2-1 Debian:12.15/oldstable [all])`.
fn parse_simulation(text: &str) -> Vec<String> {
    let installed = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        // Before the parenthesis, the version that would be replaced may stand in brackets.
        let (_, rest) = rest.split_once('(')?;
        Some(format!("{name}={}", rest.split(' ').next()?))
    });
    installed.collect()
}

/// Downloads `packages` with `apt_get`, and unpacks them into `folder` without installing them.
pub fn extract(mut apt_get: Command, packages: &[String], folder: &Path) -> Result<()> {
    let cannot = || format!("cannot write in {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    let downloads = tempfile::tempdir_in(folder).with_context(cannot)?;
    eprintln!("xtask: downloading {}", packages.join(", "));
    apt_get.args(["download", "--quiet=2"]).args(packages).current_dir(&downloads).stdin(Stdio::null());
    process::run(&mut apt_get)?;
    for file in fs::read_dir(&downloads).with_context(cannot)? {
        let file = file.with_context(cannot)?.path();
        process::run(Command::new("dpkg-deb").arg("--extract").arg(file).arg(folder))?;
    }
    Ok(())
}

/// The command with which the user can install `packages`.
fn install_line(packages: &[&str]) -> String {
    format!("sudo {}", install_words(packages).join(" "))
}

fn install_words<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "--no-remove"];
    words.extend(packages);
    words
}

#[cfg(test)]
mod tests {
    use super::{parse_candidate, parse_simulation};

    #[test]
    fn candidate_is_what_apt_would_install() {
        let policy =
            "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1~deb12u2\n  Version table:\n";
        assert_eq!(parse_candidate(policy).as_deref(), Some("1.96.0+dfsg1-1~deb12u2"));
        assert_eq!(parse_candidate("x:\n  Installed: (none)\n  Candidate: (none)\n"), None);
        assert_eq!(parse_candidate(""), None);
    }

    #[test]
    fn a_simulation_names_what_would_be_installed() {
        let text = "The following packages will be REMOVED:\n  qemu-utils\nRemv qemu-utils [1:10.0]\n\
                    Inst seabios (1.16.2-1 Debian:12.15/oldstable [all])\n\
                    Inst libfdt1 [1.6.0-1] (1.6.1-4+b1 Debian:12.15/oldstable [amd64])\n\
                    Conf seabios (1.16.2-1 Debian:12.15/oldstable [all])\n";
        assert_eq!(parse_simulation(text), ["seabios=1.16.2-1", "libfdt1=1.6.1-4+b1"]);
    }
}

//! Distribution packages, through apt.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::process;

/// Whether this system installs packages with apt.
pub fn has_apt() -> bool {
    process::find("apt-get").is_some()
}

/// The version apt would install of `package`, if it knows one.
pub fn candidate(package: &str) -> Option<String> {
    let policy = Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C").output().ok()?;
    parse_candidate(&String::from_utf8_lossy(&policy.stdout))
}

fn parse_candidate(policy: &str) -> Option<String> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

/// Fetches apt's lists, so that [`candidate`] sees what the archive has.
pub fn update() -> Result<()> {
    process::run(process::as_root("apt-get").args(["update", "--quiet"]))
}

/// Installs `packages`; never removes or asks anything.
pub fn install(packages: &[&str]) -> Result<()> {
    let mut command = process::as_root("env");
    // debconf (tshark's, for one) would wait for an answer.
    command.arg("DEBIAN_FRONTEND=noninteractive").args(install_words(packages)).stdin(Stdio::null());
    eprintln!("xtask: {}", process::line(&command));
    process::run(&mut command)
}

/// Installs what is missing of `programs`, pairs of a program and its package, or names it.
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
        // Ubuntu's up to 24.04 is made for one kernel: a wrapper, and the program it looks for.
        packages.retain(|package| *package != "bpftool");
        packages.extend(["linux-tools-common", &kernel_tools]);
    }
    install(&packages)
}

/// The command a person types to install `packages`.
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
    use super::parse_candidate;

    #[test]
    fn candidate_is_what_apt_would_install() {
        let policy =
            "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1~deb12u2\n  Version table:\n";
        assert_eq!(parse_candidate(policy).as_deref(), Some("1.96.0+dfsg1-1~deb12u2"));
        assert_eq!(parse_candidate("x:\n  Installed: (none)\n  Candidate: (none)\n"), None);
        assert_eq!(parse_candidate(""), None);
    }
}

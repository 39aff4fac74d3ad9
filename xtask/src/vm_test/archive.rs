//! Debian's package archive, through apt with package lists and a configuration of our own: so it can use releases other
//! than the machine's, and does not change the machine's configuration.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::kernels::Suite;
use crate::{packages, process};

/// Debian's keys, from the package `debian-archive-keyring`, which every distribution with apt has.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One release in the archive.
pub struct Archive {
    /// The folder with apt's package lists and configuration.
    folder: PathBuf,
}

impl Archive {
    /// Opens the release `suite` of the archive. The package lists are kept in `cache` and always fetched again, because
    /// old lists name files that no longer exist.
    pub fn update(cache: &Path, suite: Suite) -> Result<Self> {
        if !Path::new(KEYRING).exists() {
            bail!(
                "Debian's keys are missing, install them with `sudo apt-get install debian-archive-keyring`"
            );
        }
        let archive = Self { folder: cache.join("apt").join(suite.name) };
        make_folder(&archive.folder.join("lists/partial"))?;
        make_folder(&archive.folder.join("downloads"))?;
        let write = |name: &str, content: String| {
            let path = archive.folder.join(name);
            fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
        };
        write("sources.list", sources_list(suite))?;
        write("apt.conf", configuration(&archive.folder))?;
        eprintln!("xtask: fetching the package lists of Debian {}", suite.name);
        process::run(archive.apt("apt-get").args(["update", "--quiet=2"]))?;
        Ok(archive)
    }

    /// The newest version of `package` in the archive.
    pub fn version(&self, package: &str) -> Option<String> {
        let text =
            process::output(self.apt("apt-cache").args(["show", "--no-all-versions", package])).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Version: ")).map(str::to_owned)
    }

    /// The packages that `package` depends on and whose names begin with `prefix`.
    pub fn dependencies(&self, package: &str, prefix: &str) -> Result<Vec<String>> {
        let text = process::output(self.apt("apt-cache").args(["depends", "--important", package]))?;
        Ok(parse_dependencies(&text, prefix))
    }

    /// Unpacks `package` into `folder`, without installing it.
    pub fn extract(&self, package: &str, folder: &Path) -> Result<()> {
        packages::extract(self.apt("apt-get"), &[package.to_owned()], folder)
    }

    /// A command for apt with our lists; it still uses the machine's proxies and certificates.
    fn apt(&self, program: &str) -> Command {
        let mut apt = Command::new(program);
        apt.arg("--config-file").arg(self.folder.join("apt.conf")).env("LC_ALL", "C");
        apt
    }
}

fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Apt's options, which are read after the machine's own.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "{folder}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{folder}/downloads";
// Only kernels for the architecture of the machine on which the tests are built.
APT::Architecture "amd64";
APT::Architectures "amd64";
Acquire::Languages "none";
// Descriptions for software centres.
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
// Apt's own user cannot read our folders.
APT::Sandbox::User "root";
"#
    )
}

fn sources_list(suite: Suite) -> String {
    let name = suite.name;
    let mut list = format!("deb [signed-by={KEYRING}] http://deb.debian.org/debian {name} main\n");
    if suite.has_security {
        let _ = writeln!(
            list,
            "deb [signed-by={KEYRING}] http://deb.debian.org/debian-security {name}-security main"
        );
    }
    list
}

/// Parses the output of `apt-cache depends`: lines `  Depends: NAME`, with a `|` in front for one of several alternatives.
fn parse_dependencies(text: &str, prefix: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| line.trim_start_matches([' ', '|']).strip_prefix("Depends: "));
    names.filter(|name| name.starts_with(prefix)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::parse_dependencies;

    #[test]
    fn dependencies_are_picked_by_the_beginning_of_their_names() {
        let text = "linux-headers-6.12.1-amd64\n  Depends: linux-base\n  Depends: linux-headers-6.12.1-common\n \
                    |Depends: linux-image-6.12.1-amd64\n  Depends: linux-image-6.12.1-amd64-unsigned\n  Depends: \
                    linux-kbuild-6.12.1\n  Depends: gcc-12\n  Breaks: linux-headers-1\n";
        assert_eq!(parse_dependencies(text, "linux-headers-"), ["linux-headers-6.12.1-common"]);
        assert_eq!(parse_dependencies(text, "linux-image-").len(), 2);
    }
}

//! Tries the packages out in a root file system that contains nothing but what they say they need.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{process, workspace};

/// The packages that every Debian system has and the tool may depend on.
const ESSENTIAL: [&str; 2] = ["libc6", "libgcc-s1"];
/// What the package installs, as far as the user knows it.
const INSTALLED: [&str; 8] = [
    "usr/bin/xdpdump",
    "usr/share/bash-completion/completions/xdpdump",
    "usr/share/zsh/vendor-completions/_xdpdump",
    "usr/share/fish/vendor_completions.d/xdpdump.fish",
    "usr/share/man/man1/xdpdump.1.gz",
    "usr/lib/systemd/system/xdpdump@.service",
    "usr/share/doc/xdpdump/docs/fleet/daemonset.yaml",
    "usr/share/doc/xdpdump/copyright",
];

/// A root file system in a temporary folder.
struct Root(TempDir);

impl Root {
    fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir().context("cannot make a temporary folder")?))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file below the root, with the folders above it.
    fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path().join(path);
        let cannot = || format!("cannot write {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(&path)).with_context(cannot)?;
        fs::write(&path, contents).with_context(cannot)
    }

    /// Copies a file to the same path below the root.
    fn copy(&self, path: &str) -> Result<()> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {path}"))?;
        let below = path.trim_start_matches('/');
        self.write(below, bytes)?;
        let mode = fs::metadata(path)?.permissions();
        fs::set_permissions(self.path().join(below), mode).with_context(|| format!("cannot copy {path}"))
    }

    /// Everything in it, but for dpkg's own notes.
    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        let mut find = process::as_root("find");
        find.arg(self.path()).args([
            "-path",
            "*/var/lib/dpkg",
            "-prune",
            "-o",
            "-path",
            "*/var/log",
            "-prune",
        ]);
        let list = process::output(find.args(["-o", "-print"]))?;
        Ok(list.lines().map(PathBuf::from).collect())
    }

    fn dpkg(&self, arguments: &[&OsStr]) -> Result<()> {
        let mut root = OsStr::new("--root=").to_owned();
        root.push(self.path());
        let mut dpkg = process::as_root("dpkg");
        // Where there is no shell, dpkg itself looks for programs that it needs for other packages.
        dpkg.arg(root).args(["--force-not-root", "--force-bad-path", "--no-triggers"]).args(arguments);
        process::run(&mut dpkg)
    }

    /// Runs a program inside, and returns what it prints.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut chroot = process::as_root("chroot");
        process::output(chroot.arg(self.path()).arg(program).args(arguments))
    }

    /// Runs the tool inside: it says its version, reads a file, and knows a filter.
    fn try_tool(&self, tool: &str) -> Result<()> {
        let version = self.run(tool, &["--version"])?;
        ensure!(
            version == concat!("xdpdump ", env!("CARGO_PKG_VERSION")),
            "{tool} --version prints {version}"
        );
        let fixture =
            fs::read(workspace::root().join("fixtures/classic.pcap")).context("cannot read a fixture")?;
        self.write("in.pcap", fixture)?;
        let text = self.run(tool, &["-r", "in.pcap", "--text-style", "classic"])?;
        ensure!(text.lines().count() == 4, "{tool} -r prints:\n{text}");
        // Names come from the file alone, so that nothing is asked on the network.
        self.write("etc/hosts", "10.0.0.2 server-1\n")?;
        self.write("etc/nsswitch.conf", "hosts: files\n")?;
        let filter = self.run(tool, &["-d", "host", "server-1"])?;
        ensure!(filter.contains("0xa000002"), "{tool} does not find a host's address, but prints:\n{filter}");
        Ok(())
    }
}

/// Installs the Debian package into a root that has glibc and nothing else, runs the tool there, and removes it.
pub fn try_package(package: &Path) -> Result<()> {
    let root = Root::new()?;
    root.write("var/lib/dpkg/status", essential_packages()?)?;
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "tmp"] {
        fs::create_dir_all(root.path().join(folder))?;
    }
    let before = root.files()?;
    root.dpkg(&[OsStr::new("--install"), package.as_os_str()])?;
    for path in INSTALLED {
        ensure!(root.path().join(path).exists(), "{} does not install /{path}", package.display());
    }
    let installed = root.files()?;

    // The shared libraries of glibc, where the loader looks for them.
    let tool = root.path().join("usr/bin/xdpdump");
    for library in libraries(&tool)? {
        root.copy(&library)?;
    }
    root.try_tool("/usr/bin/xdpdump")?;

    root.dpkg(&[OsStr::new("--purge"), OsStr::new("xdpdump")])?;
    let left: Vec<_> =
        root.files()?.intersection(&installed).filter(|path| !before.contains(*path)).cloned().collect();
    ensure!(left.is_empty(), "{} leaves behind: {left:?}", package.display());
    println!(
        "dist: the package installs, runs and is removed in a root with {} alone",
        ESSENTIAL.join(" and ")
    );
    Ok(())
}

/// Unpacks the archive into an empty root, and runs the tool there.
pub fn try_archive(archive: &Path) -> Result<()> {
    let root = Root::new()?;
    let mut tar = Command::new("tar");
    process::run(
        tar.args(["--extract", "--strip-components=1", "--file"])
            .arg(archive)
            .arg("--directory")
            .arg(root.path()),
    )?;
    for path in [
        "xdpdump",
        "README.md",
        "LICENSE-MIT",
        "docs/man/xdpdump.1",
        "docs/completions/_xdpdump",
        // An image is built in this folder.
        "docs/fleet/Containerfile",
    ] {
        ensure!(root.path().join(path).exists(), "{} has no {path}", archive.display());
    }
    root.try_tool("/xdpdump")?;
    println!("dist: the static binary runs in an empty root");
    Ok(())
}

/// dpkg's list of what is installed: only [`ESSENTIAL`], in this machine's versions.
fn essential_packages() -> Result<String> {
    let architecture = super::target::debian_architecture()?;
    let entry = |name: &&str| {
        let mut query = Command::new("dpkg-query");
        query.args(["--show", "--showformat=${Version}", &format!("{name}:{architecture}")]);
        let version = process::output(&mut query)?;
        Ok(format!(
            "Package: {name}\nStatus: install ok installed\nMaintainer: none\nArchitecture: {architecture}\n\
             Multi-Arch: same\nVersion: {version}\nDescription: stands for the real one\n\n"
        ))
    };
    ESSENTIAL.iter().map(entry).collect()
}

/// The paths of the shared libraries of a program, and of their loader.
fn libraries(program: &Path) -> Result<Vec<String>> {
    let list = process::output(Command::new("ldd").arg(program))?;
    // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, or the loader's path alone.
    let words = list.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    Ok(words.map(str::to_owned).collect())
}

//! `cargo xtask dist`: a Debian package, an archive with a static binary, and their checksums, each tried out before it is
//! called done.

mod archive;
mod clean_root;
mod deb;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use self::target::Static;
use crate::{cargo, manifest, packages, process, test, workspace, xdp_access};

/// Programs that this command needs, with their packages.
const PROGRAMS: [(&str, &str); 5] = [
    ("dpkg", "dpkg"),
    ("dpkg-shlibdeps", "dpkg-dev"),
    ("tar", "tar"),
    ("xz", "xz-utils"),
    ("chroot", "coreutils"),
];

/// Real-kernel tests that the static binary has to pass: whole frames in every mode, both directions, pipes and ends, and the
/// image that is built of it.
const CAPTURE_TESTS: [&str; 5] =
    ["kernel_capture", "kernel_pipes", "kernel_sizes", "kernel_lifecycle", "kernel_fleet"];

/// Options of `dist`.
#[derive(clap::Args)]
#[command(
    after_help = "Everything goes into target/dist. cargo-deb is built into target/tools, once; the static binary uses \
    musl, whose part of Rust rustup downloads, or glibc where rustup cannot."
)]
pub struct Args {
    /// Make everything from builds without optimisation, into target/dist-check, and run capture tests with the static
    /// binary: what CI does
    #[arg(long)]
    check: bool,
}

/// What a build is called by cargo and where it goes.
struct Profile {
    /// Name for `--profile`.
    name: &'static str,
    /// Where the packages go.
    output: PathBuf,
}

/// Makes the packages and tries them out.
pub fn run(args: &Args) -> Result<()> {
    packages::provide(&PROGRAMS)?;
    let profile = if args.check {
        Profile { name: "dev", output: workspace::root().join("target/dist-check") }
    } else {
        Profile { name: "release", output: workspace::root().join("target/dist") }
    };
    if profile.output.exists() {
        fs::remove_dir_all(&profile.output)
            .with_context(|| format!("cannot empty {}", profile.output.display()))?;
    }
    fs::create_dir_all(&profile.output)
        .with_context(|| format!("cannot make the folder {}", profile.output.display()))?;

    let static_target = Static::find_or_add()?;
    println!("dist: the static binary is for {}", static_target.description());
    packages::provide(static_target.c_compiler().as_slice())?;
    let static_tool = build(&profile, Some(&static_target))?;
    ensure_static(&static_tool)?;
    let archive = archive::make(&static_tool, static_target.triple(), &profile)?;

    build(&profile, None)?;
    let package = deb::make(&profile)?;

    clean_root::try_package(&package)?;
    clean_root::try_archive(&archive)?;
    if args.check {
        run_capture_tests(&static_tool)?;
    }
    write_checksums(&profile.output, &[&package, &archive])?;
    for path in [&package, &archive] {
        println!("dist: {} ({} KiB)", path.display(), fs::metadata(path)?.len() >> 10);
    }
    Ok(())
}

/// Builds the tool for this machine, or for a target; returns the program.
fn build(profile: &Profile, target: Option<&Static>) -> Result<PathBuf> {
    let mut command = cargo::command();
    command.args(["build", "--locked", "--package", "xdpdump", "--bin", "xdpdump"]);
    command.args(["--profile", profile.name]);
    let mut flags = Vec::new();
    if let Some(target) = target {
        command.args(["--target", target.triple()]);
        flags.extend(target.flags().iter().map(|&flag| flag.to_owned()));
        if let Some((compiler, _)) = target.c_compiler() {
            // The variable of the cc crate.
            command.env(format!("CC_{}", target.triple().replace('-', "_")), compiler);
        }
    }
    // Flags would compile anew what the tests have built.
    if profile.name == "release" {
        flags.push("-Cstrip=symbols".to_owned());
        flags.extend(without_paths()?);
    }
    if !flags.is_empty() {
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    }
    let built = cargo::build(&mut command)?;
    let tool = built.into_iter().find(|built| built.target == "xdpdump");
    let tool = tool.context("cargo did not build an xdpdump binary")?.path;
    if profile.name == "release" {
        ensure_without_paths(&tool)?;
    }
    Ok(tool)
}

/// Fails if a program tells where it was built.
fn ensure_without_paths(tool: &Path) -> Result<()> {
    let bytes = fs::read(tool).with_context(|| format!("cannot read {}", tool.display()))?;
    for path in [workspace::root().to_owned(), workspace::cargo_home()?] {
        let path = path.as_os_str().as_encoded_bytes();
        let found = bytes.windows(path.len()).any(|bytes| bytes == path);
        ensure!(!found, "{} contains the path {}", tool.display(), String::from_utf8_lossy(path));
    }
    Ok(())
}

/// Flags that keep the paths of this machine out of the program.
fn without_paths() -> Result<Vec<String>> {
    let home = workspace::cargo_home()?;
    let names = [(workspace::root().to_owned(), "xdpdump"), (home, "cargo")];
    let flag = |(path, name): (PathBuf, &str)| {
        let path = path.to_str().with_context(|| format!("the path {} is not UTF-8", path.display()))?;
        Ok(format!("--remap-path-prefix={path}={name}"))
    };
    names.into_iter().map(flag).collect()
}

/// Fails if a program would look for shared libraries.
fn ensure_static(tool: &Path) -> Result<()> {
    let bytes = fs::read(tool).with_context(|| format!("cannot read {}", tool.display()))?;
    ensure!(
        !has_interpreter(&bytes),
        "{} is not static: it names a loader for shared libraries",
        tool.display()
    );
    Ok(())
}

/// Whether an ELF file of 64 bits has a program header of the type `PT_INTERP` (elf(5)).
fn has_interpreter(elf: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    let number = |offset: usize, len: usize| -> Option<u64> {
        let bytes = elf.get(offset..offset + len)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let headers = || {
        // e_phoff, e_phentsize and e_phnum of Elf64_Ehdr.
        let (start, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        Some((0..count).filter_map(move |index| usize::try_from(start + index * size).ok()))
    };
    headers().is_some_and(|mut headers| headers.any(|offset| number(offset, 4) == Some(u64::from(PT_INTERP))))
}

/// Runs real-kernel tests with the static binary in place of the tool that cargo builds for them.
fn run_capture_tests(tool: &Path) -> Result<()> {
    if let Some(reason) = xdp_access::refusal() {
        println!("SKIPPED: the capture tests of the static binary: {reason}");
        ensure!(std::env::var_os("CI").is_none(), "no test may be skipped when CI is set: {reason}");
        return Ok(());
    }
    test::run_with_tool(tool, &CAPTURE_TESTS)
}

/// Writes `SHA256SUMS`, which `sha256sum --check` reads.
fn write_checksums(folder: &Path, files: &[&PathBuf]) -> Result<()> {
    let mut lines = String::new();
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.file_name().unwrap_or_default();
        lines += &format!("{}  {}\n", manifest::sha256(&bytes), name.display());
    }
    let path = folder.join("SHA256SUMS");
    fs::write(&path, lines).with_context(|| format!("cannot write {}", path.display()))?;
    let mut check = Command::new("sha256sum");
    process::run(check.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(folder))
}

#[cfg(test)]
mod tests {
    use super::has_interpreter;

    #[test]
    fn a_program_with_shared_libraries_has_an_interpreter() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(has_interpreter(&own));
        assert!(!has_interpreter(b"\x7fELF"));
        // Without program headers.
        assert!(!has_interpreter(&[&own[..56], &[0; 8]].concat()));
    }
}

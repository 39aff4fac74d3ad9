//! `cargo xtask build-ebpf`: compiles the kernel program to the objects that are committed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::manifest::{self, Manifest};
use crate::toolchain::Toolchain;
use crate::{process, workspace};

/// Options of `build-ebpf`.
#[derive(clap::Args)]
pub struct Args {
    /// Byte order to build for
    #[arg(long, value_enum, default_value = "both")]
    endian: Choice,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Little,
    Big,
    Both,
}

/// Byte order of the machine that loads the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// For machines such as x86-64, arm64 and riscv64.
    Little,
    /// For machines such as s390x.
    Big,
}

impl Endian {
    /// Every byte order for which there is an object.
    pub const ALL: [Self; 2] = [Self::Little, Self::Big];
    /// The byte order of this machine.
    pub const HOST: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    fn target(self) -> &'static str {
        match self {
            Self::Little => "bpfel-unknown-none",
            Self::Big => "bpfeb-unknown-none",
        }
    }

    /// File name of the object, and its key in the MANIFEST.
    pub fn object(self) -> &'static str {
        match self {
            Self::Little => "xdpdump.bpfel.o",
            Self::Big => "xdpdump.bpfeb.o",
        }
    }
}

/// Builds the objects and the MANIFEST.
pub fn run(args: &Args) -> Result<()> {
    let endians: &[Endian] = match args.endian {
        Choice::Little => &[Endian::Little],
        Choice::Big => &[Endian::Big],
        Choice::Both => &Endian::ALL,
    };
    let toolchain = Toolchain::find_or_install()?;
    let folder = workspace::ebpf_dir();
    build(&toolchain, endians, &folder)?;
    eprintln!("xtask: wrote {}", folder.display());
    Ok(())
}

/// Builds the objects for `endians` into `folder`, with a MANIFEST of exactly these objects.
pub fn build(toolchain: &Toolchain, endians: &[Endian], folder: &Path) -> Result<()> {
    // The flags contain the names of the registries' folders, which exist only after something was fetched.
    process::run(cargo(toolchain).args(["fetch", "--locked", "--quiet"]))?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut manifest = Manifest::default();
    manifest.set(manifest::SOURCES, manifest::hash_sources(workspace::root())?);
    manifest.set(manifest::RUSTC, &toolchain.rustc_version);
    manifest.set(manifest::BPF_LINKER, &toolchain.linker_version);
    for &endian in endians {
        let object = folder.join(endian.object());
        compile(toolchain, endian, &object)?;
        let bytes = fs::read(&object).with_context(|| format!("cannot read {}", object.display()))?;
        manifest.set(endian.object(), manifest::sha256(&bytes));
    }
    manifest.write(folder)
}

fn compile(toolchain: &Toolchain, endian: Endian, object: &Path) -> Result<()> {
    // A target folder of its own: these flags would invalidate the fingerprints of the host's artefacts.
    let target_dir = workspace::root().join("target/bpf");
    let mut build = cargo(toolchain);
    build.args(["build", "--release", "--locked", "-Zbuild-std=core"]);
    build.args(["--package", "xdpdump-ebpf", "--bin", "xdpdump-ebpf", "--features", "program"]);
    build.args(["--target", endian.target(), "--target-dir"]).arg(&target_dir);
    build.env("CARGO_ENCODED_RUSTFLAGS", rustflags(toolchain)?.join("\x1f"));
    process::run(&mut build)?;

    // Removes DWARF, which is only for debuggers and makes up most of the file; BTF stays.
    let linked = target_dir.join(endian.target()).join("release/xdpdump-ebpf");
    let mut strip = process::without_cargo_env(&toolchain.strip);
    process::run(strip.args(["--strip-debug", "-o"]).arg(object).arg(linked))
}

fn cargo(toolchain: &Toolchain) -> Command {
    let mut cargo = process::without_cargo_env(&toolchain.cargo);
    cargo.current_dir(workspace::root());
    cargo.env("RUSTC", &toolchain.rustc).env("RUSTC_BOOTSTRAP", "1");
    cargo
}

/// Compiler flags for an object with BTF whose bytes do not depend on where it is built.
fn rustflags(toolchain: &Toolchain) -> Result<Vec<String>> {
    let mut flags = vec![
        format!("-Clinker={}", utf8(&toolchain.linker)?),
        "-Clink-arg=--btf".to_owned(),
        "-Cdebuginfo=2".to_owned(),
        // Otherwise aya-ebpf-bindings would use the architecture of the building machine; nothing here depends on it.
        "--cfg=bpf_target_arch=\"x86_64\"".to_owned(),
    ];
    let mut names = vec![(workspace::root().to_owned(), "xdpdump"), (toolchain.rust_src.clone(), "rust")];
    names.extend(fs::canonicalize(&toolchain.rust_src).map(|real| (real, "rust")));
    // There is one folder for each registry, named after it, and mirrors have other names.
    let registries = workspace::cargo_home()?.join("registry/src");
    names.extend(
        fs::read_dir(registries).into_iter().flatten().flatten().map(|folder| (folder.path(), "cargo")),
    );
    for (path, name) in names {
        flags.push(format!("--remap-path-prefix={}={name}", utf8(&path)?));
    }
    Ok(flags)
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("the path {} is not UTF-8: move the tree elsewhere", path.display()))
}

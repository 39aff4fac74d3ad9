//! The compiler and linker of the kernel program.
//!
//! The BPF targets have no precompiled core library. So the compiler needs the source of core and, because building core is
//! an unstable feature, `RUSTC_BOOTSTRAP` or a nightly release. Two sources provide this: Debian's `rustc-web` packages
//! (the Rust with which browsers are built, kept recent in stable releases) and rustup's nightly.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{packages, process, workspace};

/// The version of bpf-linker with which the committed objects are linked.
const BPF_LINKER: &str = "0.13.0";
/// Minor version of the oldest Rust 1.x that compiles the workspace: its `rust-version`.
const OLDEST_RUST: u32 = 93;
/// LLVM releases with which this bpf-linker can be built.
const LINKER_LLVM: [u32; 3] = [21, 22, 23];
/// The packages of Debian's compiler.
const DEBIAN_RUST: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// The programs that build an object from `xdpdump-ebpf`, all with the same LLVM.
pub struct Toolchain {
    /// Compiler whose sysroot contains the source of core.
    pub rustc: PathBuf,
    /// Cargo of the same release.
    pub cargo: PathBuf,
    /// The linker, of version [`BPF_LINKER`].
    pub linker: PathBuf,
    /// `llvm-strip`.
    pub strip: PathBuf,
    /// The folder `library` with the source of core.
    pub rust_src: PathBuf,
    /// First line of `rustc --version`.
    pub rustc_version: String,
    /// Version of bpf-linker.
    pub linker_version: String,
}

impl Toolchain {
    /// The toolchain, if this machine has all of it.
    pub fn find() -> Option<Self> {
        let compiler = Compiler::debian().or_else(Compiler::nightly)?;
        let linker = find_linker()?;
        compiler.with_linker(linker)
    }

    /// The toolchain; missing parts are installed.
    pub fn find_or_install() -> Result<Self> {
        if let Some(toolchain) = Self::find() {
            return Ok(toolchain);
        }
        let compiler = match Compiler::debian() {
            Some(compiler) => compiler,
            None => install_debian_compiler().or_else(|reason| {
                eprintln!("xtask: cannot use Debian's compiler: {reason:#}");
                install_nightly()
            })?,
        };
        let llvm = compiler.llvm()?;
        let linker = match find_linker() {
            Some(linker) => linker,
            None => install_linker(&compiler, &install_llvm(llvm)?)?,
        };
        compiler.with_linker(linker).with_context(|| {
            format!(
                "there is no llvm-strip for LLVM {llvm}: install the package llvm-{llvm}, \
                 or run `rustup component add llvm-tools --toolchain nightly`"
            )
        })
    }
}

struct Compiler {
    rustc: PathBuf,
    cargo: PathBuf,
    sysroot: PathBuf,
}

impl Compiler {
    /// Debian's compiler, if it is recent enough and has the source of core.
    fn debian() -> Option<Self> {
        let compiler = Self::new("/usr/bin/rustc".into(), "/usr/bin/cargo".into())?;
        let version = process::output(Command::new(&compiler.rustc).arg("--version")).ok()?;
        (minor_version(&version)? >= OLDEST_RUST).then_some(compiler)
    }

    /// Rustup's nightly compiler, if it has the source of core.
    fn nightly() -> Option<Self> {
        let which = |tool| {
            let mut rustup = process::without_cargo_env("rustup");
            let found =
                rustup.args(["which", "--toolchain", "nightly", tool]).stderr(Stdio::null()).output().ok()?;
            let path = String::from_utf8(found.stdout).ok()?;
            found.status.success().then(|| PathBuf::from(path.trim_end()))
        };
        Self::new(which("rustc")?, which("cargo")?)
    }

    fn new(rustc: PathBuf, cargo: PathBuf) -> Option<Self> {
        if !rustc.exists() || !cargo.exists() {
            return None;
        }
        let sysroot =
            process::output(process::without_cargo_env(&rustc).args(["--print", "sysroot"])).ok()?;
        let compiler = Self { rustc, cargo, sysroot: sysroot.into() };
        compiler.rust_src().join("library/core/Cargo.toml").exists().then_some(compiler)
    }

    fn rust_src(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust")
    }

    /// Major version of the LLVM inside the compiler.
    fn llvm(&self) -> Result<u32> {
        let about = process::output(process::without_cargo_env(&self.rustc).arg("-vV"))?;
        let version = about.lines().find_map(|line| line.strip_prefix("LLVM version: "));
        let major = version.and_then(|version| version.split('.').next()?.parse().ok());
        major.with_context(|| format!("`{} -vV` does not tell its LLVM version", self.rustc.display()))
    }

    fn with_linker(self, linker: PathBuf) -> Option<Toolchain> {
        Some(Toolchain {
            strip: self.find_strip()?,
            rust_src: self.rust_src(),
            rustc_version: process::output(process::without_cargo_env(&self.rustc).arg("--version")).ok()?,
            linker_version: BPF_LINKER.to_owned(),
            rustc: self.rustc,
            cargo: self.cargo,
            linker,
        })
    }

    /// The path of `llvm-strip`, from the distribution's LLVM or rustup's llvm-tools.
    fn find_strip(&self) -> Option<PathBuf> {
        let distribution = llvm_prefix(self.llvm().ok()?).join("bin/llvm-strip");
        let targets = fs::read_dir(self.sysroot.join("lib/rustlib")).ok()?;
        let rustup = targets.flatten().map(|target| target.path().join("bin/llvm-strip"));
        std::iter::once(distribution).chain(rustup).find(|strip| strip.exists())
    }
}

fn minor_version(rustc_version: &str) -> Option<u32> {
    let version = rustc_version.strip_prefix("rustc 1.")?;
    version.split('.').next()?.parse().ok()
}

/// The folder of an LLVM installed from Debian, Ubuntu or apt.llvm.org.
fn llvm_prefix(major: u32) -> PathBuf {
    format!("/usr/lib/llvm-{major}").into()
}

/// The folder into which [`install_linker`] installs the linker: inside the tree, so that it does not replace the user's
/// own bpf-linker.
fn tools_dir() -> PathBuf {
    workspace::root().join("target/tools")
}

fn find_linker() -> Option<PathBuf> {
    let candidates = [
        Some(tools_dir().join("bin/bpf-linker")),
        workspace::cargo_home().ok().map(|home| home.join("bin/bpf-linker")),
        process::find("bpf-linker"),
    ];
    candidates.into_iter().flatten().find(|linker| is_wanted_linker(linker))
}

fn is_wanted_linker(linker: &Path) -> bool {
    let version = Command::new(linker).arg("--version").stderr(Stdio::null()).output();
    version.is_ok_and(|version| version.stdout.trim_ascii() == format!("bpf-linker {BPF_LINKER}").as_bytes())
}

fn install_debian_compiler() -> Result<Compiler> {
    if !packages::has_apt() {
        bail!("this system has no apt");
    }
    packages::update()?;
    let version = packages::candidate(DEBIAN_RUST[0]).context("this release has no package rustc-web")?;
    if minor_version(&format!("rustc {version}")).is_none_or(|minor| minor < OLDEST_RUST) {
        bail!("rustc-web {version} is older than Rust 1.{OLDEST_RUST}");
    }
    packages::install(&DEBIAN_RUST)?;
    Compiler::debian().context("/usr/bin/rustc lacks core's source though rust-web-src is installed")
}

fn install_nightly() -> Result<Compiler> {
    let mut rustup = process::without_cargo_env("rustup");
    rustup.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
    rustup.args(["--component", "rust-src", "--component", "llvm-tools"]);
    process::run(&mut rustup).context(
        "the kernel program needs a Rust compiler with core's source: install rustup from https://rustup.rs, \
         then `rustup toolchain install nightly --component rust-src`",
    )?;
    Compiler::nightly()
        .context("rustup's nightly has no rust-src: run `rustup component add rust-src --toolchain nightly`")
}

/// Installs an LLVM that can read the output of a compiler with LLVM `major`; returns its version and prefix.
fn install_llvm(major: u32) -> Result<(u32, PathBuf)> {
    let readers: Vec<u32> = LINKER_LLVM.into_iter().filter(|&llvm| llvm >= major).collect();
    let installed =
        |llvm: u32| llvm_prefix(llvm).join("bin/llvm-config").exists().then(|| (llvm, llvm_prefix(llvm)));
    if let Some(found) = readers.iter().find_map(|&llvm| installed(llvm)) {
        return Ok(found);
    }
    for &llvm in &readers {
        let (dev, polly) = (format!("llvm-{llvm}-dev"), format!("libpolly-{llvm}-dev"));
        if packages::has_apt() && packages::candidate(&dev).is_some() {
            packages::install(&[&dev, &polly])?;
            return installed(llvm).with_context(|| format!("{dev} is installed but has no llvm-config"));
        }
    }
    bail!(
        "bpf-linker {BPF_LINKER} needs LLVM {major} and this system has no package of it: \
         add https://apt.llvm.org, or run `cargo binstall bpf-linker@{BPF_LINKER}`"
    )
}

fn install_linker(compiler: &Compiler, (llvm, prefix): &(u32, PathBuf)) -> Result<PathBuf> {
    let mut install = process::without_cargo_env(&compiler.cargo);
    install
        .arg("install")
        .arg(format!("bpf-linker@{BPF_LINKER}"))
        .args(["--locked", "--no-default-features"]);
    install.args(["--features", &format!("llvm-{llvm}")]).arg("--root").arg(tools_dir());
    install.env("RUSTC", &compiler.rustc).env("LLVM_PREFIX", prefix);
    eprintln!("xtask: building bpf-linker {BPF_LINKER}, which takes a minute or two");
    process::run(&mut install)?;
    find_linker().context("cargo installed bpf-linker but it does not run: look at `bpf-linker --version`")
}

#[cfg(test)]
mod tests {
    use super::minor_version;

    #[test]
    fn minor_version_of_rustc_and_package() {
        assert_eq!(
            minor_version("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)"),
            Some(96)
        );
        assert_eq!(minor_version("rustc 1.97.0-nightly (e50aa6fba 2026-05-19)"), Some(97));
        assert_eq!(minor_version("rustc 1.85.0+dfsg3-1~deb12u3"), Some(85));
        assert_eq!(minor_version("gcc 12"), None);
    }
}

//! A kernel from its packages, and the small file system from which it starts.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::archive::Archive;
use super::cpio::Cpio;
use super::kernels::{BOOKWORM, Kernel};
use crate::process;

/// Modules that are needed to reach the host's files, if they are not built into the kernel.
const MODULES: [&str; 4] = ["virtio_pci", "9pnet_virtio", "9p", "overlay"];

/// A kernel in the cache.
#[derive(Debug)]
pub struct Image {
    /// Its folder, with `vmlinuz` and `lib/modules`.
    pub folder: PathBuf,
    /// Its release, as `uname -r` prints it.
    pub release: String,
}

impl Image {
    /// The kernel, which is downloaded if it is not in the cache.
    pub fn provide(cache: &Path, kernel: Kernel) -> Result<Self> {
        let folder = cache.join("kernels").join(kernel.name);
        if !folder.exists() {
            fetch(cache, kernel, &folder)?;
        }
        let release = only_entry(&folder.join("lib/modules"))?;
        Ok(Self { folder, release })
    }

    /// The kernel's executable.
    pub fn vmlinuz(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    /// The folder with the kernel's modules, which has a subfolder named after the release.
    pub fn modules(&self) -> PathBuf {
        self.folder.join("lib/modules")
    }

    /// The first file system of the kernel: busybox, the modules and our two scripts; `tests` is run by the second of them.
    pub fn initramfs(&self, busybox: &Path, tests: &str) -> Result<Vec<u8>> {
        let mut cpio = Cpio::default();
        for folder in ["dev", "proc", "host", "memory", "tree", "modules"] {
            cpio.folder(folder);
        }
        let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        cpio.program("busybox", &read(busybox)?);
        cpio.program("init", include_bytes!("init.sh"));
        cpio.program("guest.sh", include_bytes!("guest.sh"));
        cpio.program("tests.sh", tests.as_bytes());
        let mut load = String::new();
        for path in self.module_files()? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = name.trim_end_matches(".ko");
            cpio.program(&format!("modules/{name}.ko"), &read_module(&path)?);
            let _ = writeln!(load, "/busybox insmod /modules/{name}.ko || exit");
        }
        cpio.program("modules/load", load.as_bytes());
        Ok(cpio.finish())
    }

    /// The files of [`MODULES`] and their dependencies, in the order in which they have to be loaded.
    fn module_files(&self) -> Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> = Vec::new();
        for module in MODULES {
            let mut modprobe = Command::new(process::find("modprobe").unwrap_or_else(|| "modprobe".into()));
            modprobe.args(["--show-depends", "--set-version", &self.release, "--dirname"]);
            let lines = process::output(modprobe.arg(&self.folder).arg(module))?;
            for line in lines.lines() {
                // Other lines are `builtin NAME`.
                let Some(path) = line.strip_prefix("insmod ") else { continue };
                let path = PathBuf::from(path.trim_end());
                if !files.contains(&path) {
                    files.push(path);
                }
            }
        }
        Ok(files)
    }
}

/// Downloads and unpacks the kernel. The folder is renamed to its final name when it is complete.
fn fetch(cache: &Path, kernel: Kernel, folder: &Path) -> Result<()> {
    let archive = Archive::update(cache, kernel.suite)?;
    let part = folder.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part).with_context(|| format!("cannot make the folder {}", part.display()))?;

    let newest = format!("linux-image-{}", kernel.flavour);
    let package = archive.dependencies(&newest, "linux-image-")?.into_iter().next();
    let package = package.with_context(|| format!("{newest} depends on no kernel"))?;
    let release = package.trim_start_matches("linux-image-").to_owned();
    // Since Debian's Linux 6.17, the modules and the kernel are in separate packages.
    let parts = archive.dependencies(&package, "linux-")?;
    for package in parts.iter().filter(|part| part.ends_with(&release)).chain([&package]) {
        archive.extract(package, &part)?;
    }

    // In newer releases /lib is a part of /usr, and the kernel may be in the folder of its modules.
    let modules = find([part.join("lib/modules"), part.join("usr/lib/modules")])?;
    let vmlinuz =
        find([part.join(format!("boot/vmlinuz-{release}")), modules.join(&release).join("vmlinuz")])?;
    let kept = folder.with_extension("new");
    let _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(kept.join("lib"))?;
    fs::rename(&modules, kept.join("lib/modules"))?;
    let vmlinuz = vmlinuz
        .strip_prefix(&modules)
        .map_or(vmlinuz.clone(), |inside| kept.join("lib/modules").join(inside));
    fs::rename(&vmlinuz, kept.join("vmlinuz"))?;
    // The installation of the package would do this, but the package is only unpacked.
    index_modules(&kept, &release)?;
    fs::rename(&kept, folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    fs::remove_dir_all(&part).with_context(|| format!("cannot remove {}", part.display()))
}

/// Creates the files that modprobe reads.
pub fn index_modules(folder: &Path, release: &str) -> Result<()> {
    let depmod = process::find("depmod").unwrap_or_else(|| "depmod".into());
    process::run(Command::new(depmod).arg("--basedir").arg(folder).arg(release))
}

/// The path of a statically linked busybox, which is downloaded if it is not in the cache.
pub fn busybox(cache: &Path) -> Result<PathBuf> {
    let kept = cache.join("busybox");
    if !kept.exists() {
        let part = cache.join("busybox.part");
        Archive::update(cache, BOOKWORM)?.extract("busybox-static", &part)?;
        let program = find([part.join("bin/busybox"), part.join("usr/bin/busybox")])?;
        fs::rename(program, &kept).with_context(|| format!("cannot make {}", kept.display()))?;
        fs::remove_dir_all(&part)?;
    }
    Ok(kept)
}

/// Reads and decompresses a module, because not every kernel can decompress modules, and busybox cannot.
fn read_module(path: &Path) -> Result<Vec<u8>> {
    if path.extension().is_some_and(|extension| extension == "xz") {
        let xz = Command::new("xz").args(["--decompress", "--stdout"]).arg(path).output();
        let xz = xz.context("cannot run `xz`: is it installed?")?;
        anyhow::ensure!(xz.status.success(), "`xz` cannot decompress {}", path.display());
        return Ok(xz.stdout);
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn find<const N: usize>(candidates: [PathBuf; N]) -> Result<PathBuf> {
    let names = candidates.each_ref().map(|path| path.display().to_string()).join(" nor ");
    let found = candidates.into_iter().find(|path| path.exists());
    found.with_context(|| format!("the package has neither {names}"))
}

fn only_entry(folder: &Path) -> Result<String> {
    let mut entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let first = entries
        .next()
        .with_context(|| format!("{} is empty: remove the kernel's folder", folder.display()))?;
    Ok(first?.file_name().to_string_lossy().into_owned())
}

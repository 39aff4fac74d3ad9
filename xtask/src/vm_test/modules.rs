//! Kernel modules that Debian does not build: the kernel's simulated NIC, from the kernel's own sources, and a simulated adapter
//! with a clock, whose source is in the folder `adapter/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::archive::Archive;
use super::image::{self, Image};
use super::kernels::Suite;
use crate::process;

const ADAPTER: &str = include_str!("adapter/xdpdump_adapter.c");

/// Adds the modules to those of the kernel, unless they are already there. They are built against the kernel's headers;
/// netdevsim from the package `linux-source-VERSION` of the same version as the kernel.
pub fn provide(cache: &Path, suite: Suite, version: &str, has_adapter: bool, image: &Image) -> Result<()> {
    let release = &image.release;
    let kept = image.modules().join(release).join("updates");
    let netdevsim = kept.join("netdevsim.ko");
    let adapter = kept.join("xdpdump_adapter.ko");
    // The source of the module in the cache, which may be that of another version of this tree.
    let adapter_source = kept.join("xdpdump_adapter.c");
    let is_current = fs::read_to_string(&adapter_source).is_ok_and(|source| source == ADAPTER);
    if netdevsim.exists() && (is_current || !has_adapter) {
        return Ok(());
    }
    let archive = Archive::update(cache, suite)?;
    let part = cache.join("modules.part");
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part).with_context(|| format!("cannot make the folder {}", part.display()))?;
    fs::create_dir_all(&kept)?;

    let headers = format!("linux-headers-{release}");
    let build = archive.version(&headers).with_context(|| {
        format!(
            "the archive no longer has {headers}: remove {} to get a newer kernel",
            image.folder.display()
        )
    })?;
    let mut packages = archive.dependencies(&headers, "linux-headers-")?;
    packages.extend(archive.dependencies(&headers, "linux-kbuild-")?);
    packages.push(headers.clone());
    for package in packages {
        archive.extract(&package, &part)?;
    }
    let headers = unpacked_headers(&part, &headers)?;
    if !netdevsim.exists() {
        archive.extract(&format!("linux-source-{version}={build}"), &part)?;
        let folder = format!("linux-source-{version}/drivers/net/netdevsim");
        let mut tar = Command::new("tar");
        tar.arg("--extract").arg("--file").arg(part.join(format!("usr/src/linux-source-{version}.tar.xz")));
        process::run(tar.arg("--directory").arg(&part).arg(&folder))?;
        build_module(&headers, &part.join(folder), &netdevsim)?;
    }
    if has_adapter {
        let folder = part.join("adapter");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("xdpdump_adapter.c"), ADAPTER)?;
        fs::write(folder.join("Makefile"), "obj-m := xdpdump_adapter.o\n")?;
        build_module(&headers, &folder, &adapter)?;
        fs::write(adapter_source, ADAPTER)?;
    }
    image::index_modules(&image.folder, release)?;
    fs::remove_dir_all(&part).with_context(|| format!("cannot remove {}", part.display()))
}

/// The folder of the unpacked headers, which are made to work where they are.
fn unpacked_headers(part: &Path, package: &str) -> Result<PathBuf> {
    let folder = part.join("usr/src").join(package);
    // The Makefile includes that of the common headers by the path where it would be installed.
    let makefile = folder.join("Makefile");
    let text =
        fs::read_to_string(&makefile).with_context(|| format!("cannot read {}", makefile.display()))?;
    let there = part.join("usr/src").display().to_string();
    fs::write(&makefile, text.replace("/usr/src", &there))?;
    Ok(folder)
}

/// Builds the module whose sources are in a folder, and puts it at `kept`.
fn build_module(headers: &Path, sources: &Path, kept: &Path) -> Result<()> {
    let name = kept.file_name().context("a module has a name")?;
    eprintln!("xtask: building {} against {}", name.display(), headers.display());
    let mut make = process::without_cargo_env("make");
    make.arg("--directory").arg(headers).arg(format!("M={}", sources.display()));
    make.args(["modules", "CONFIG_NETDEVSIM=m", "CC=gcc"]);
    // BTF of the module would need pahole, and nothing uses it.
    make.arg("CONFIG_DEBUG_INFO_BTF_MODULES=");
    process::run(make.stdout(Stdio::null()))?;
    // Its debugging information is ten times as large as the module itself, and the guest would have to read it.
    process::run(Command::new("strip").args(["--strip-debug", "-o"]).arg(kept).arg(sources.join(name)))
}

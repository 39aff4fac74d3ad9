//! The kernel's simulated NIC, which Debian does not build: it is built as a module from the kernel's own sources.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::archive::Archive;
use super::image::{self, Image};
use super::kernels::Suite;
use crate::process;

/// Adds the module to the kernel's modules, unless it is already there. It is built from the package `linux-source-VERSION`
/// of the same version as the kernel, against the kernel's headers.
pub fn provide(cache: &Path, suite: Suite, version: &str, image: &Image) -> Result<()> {
    let release = &image.release;
    let kept = image.modules().join(release).join("updates/netdevsim.ko");
    if kept.exists() {
        return Ok(());
    }
    let archive = Archive::update(cache, suite)?;
    let part = cache.join("netdevsim.part");
    let _ = fs::remove_dir_all(&part);
    fs::create_dir_all(&part).with_context(|| format!("cannot make the folder {}", part.display()))?;

    let headers = format!("linux-headers-{release}");
    let build = archive.version(&headers).with_context(|| {
        format!(
            "the archive no longer has {headers}: remove {} to get a newer kernel",
            image.folder.display()
        )
    })?;
    let mut packages = archive.dependencies(&headers, "linux-headers-")?;
    packages.extend(archive.dependencies(&headers, "linux-kbuild-")?);
    packages.extend([headers.clone(), format!("linux-source-{version}={build}")]);
    for package in packages {
        archive.extract(&package, &part)?;
    }
    let mut tar = Command::new("tar");
    tar.arg("--extract").arg("--file").arg(part.join(format!("usr/src/linux-source-{version}.tar.xz")));
    tar.arg("--directory").arg(&part).arg(format!("linux-source-{version}/drivers/net/netdevsim"));
    process::run(&mut tar)?;

    let sources = part.join(format!("linux-source-{version}/drivers/net/netdevsim"));
    build_module(&part, &headers, &sources)?;
    fs::create_dir_all(kept.parent().unwrap_or(&kept))?;
    // Its debugging information is ten times as large as the module itself, and the guest would have to read it.
    process::run(
        Command::new("strip").args(["--strip-debug", "-o"]).arg(&kept).arg(sources.join("netdevsim.ko")),
    )?;
    image::index_modules(&image.folder, release)?;
    fs::remove_dir_all(&part).with_context(|| format!("cannot remove {}", part.display()))
}

fn build_module(part: &Path, headers: &str, sources: &Path) -> Result<()> {
    let folder = part.join("usr/src").join(headers);
    // The Makefile includes that of the common headers by the path where it would be installed.
    let makefile = folder.join("Makefile");
    let text =
        fs::read_to_string(&makefile).with_context(|| format!("cannot read {}", makefile.display()))?;
    let there = part.join("usr/src").display().to_string();
    fs::write(&makefile, text.replace("/usr/src", &there))?;

    eprintln!("xtask: building netdevsim for {headers}");
    let mut make = process::without_cargo_env("make");
    make.arg("--directory").arg(&folder).arg(format!("M={}", sources.display()));
    make.args(["modules", "CONFIG_NETDEVSIM=m", "CC=gcc"]);
    // BTF of the module would need pahole, and nothing uses it.
    make.arg("CONFIG_DEBUG_INFO_BTF_MODULES=");
    process::run(make.stdout(Stdio::null()))
}

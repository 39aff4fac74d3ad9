//! The emulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{packages, process, workspace};

/// The name of the program, and of its Debian package.
const PROGRAM: &str = "qemu-system-x86_64";
const PACKAGE: &str = "qemu-system-x86";

/// Folders of libraries in a package; the second is for distributions in which /lib is still a separate folder.
const LIBRARIES: [&str; 2] = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];

/// A qemu that runs on this machine.
#[derive(Debug)]
pub enum Qemu {
    /// The one installed on this system.
    Installed,
    /// One that is unpacked in this folder, with the libraries that this system does not have.
    Unpacked(PathBuf),
}

impl Qemu {
    /// The system's qemu, or else one in `target/qemu`, which is downloaded if it is not there yet.
    ///
    /// The downloaded one is not installed, because apt might have to remove packages that the user needs, such as a
    /// qemu-utils of another version.
    pub fn provide() -> Result<Self> {
        if process::find(PROGRAM).is_some() {
            return Ok(Self::Installed);
        }
        let folder = workspace::root().join("target/qemu");
        if !folder.exists() {
            unpack(&folder).context("qemu-system-x86_64 is missing and cannot be downloaded: install it")?;
        }
        Ok(Self::Unpacked(folder))
    }

    /// A command for qemu that ends with this process.
    pub fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        match self {
            Self::Installed => command.arg(PROGRAM),
            // qemu looks for modules and firmware relative to its own folder.
            Self::Unpacked(folder) => command.arg(folder.join("usr/bin").join(PROGRAM)).env(
                "LD_LIBRARY_PATH",
                LIBRARIES.map(|library| folder.join(library).display().to_string()).join(":"),
            ),
        };
        command
    }
}

/// Downloads and unpacks qemu. The folder is renamed to its final name when it is complete.
fn unpack(folder: &Path) -> Result<()> {
    if !packages::has_apt() {
        bail!("this system has no apt");
    }
    if process::root_without_password() {
        packages::update()?;
    }
    let part = folder.with_extension("part");
    let _ = fs::remove_dir_all(&part);
    packages::extract(Command::new("apt-get"), &packages::missing_for(PACKAGE)?, &part)?;
    fs::rename(&part, folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}

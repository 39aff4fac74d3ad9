//! The emulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{packages, process, workspace};

/// The program, and Debian's package of it.
const PROGRAM: &str = "qemu-system-x86_64";
const PACKAGE: &str = "qemu-system-x86";

/// Where libraries are in a package: the second is that of distributions where /lib is still a folder of its own.
const LIBRARIES: [&str; 2] = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];

/// A qemu that runs here.
#[derive(Debug)]
pub enum Qemu {
    /// This system's.
    Installed,
    /// Unpacked in this folder, with those of its libraries that this system does not have.
    Unpacked(PathBuf),
}

impl Qemu {
    /// This system's, or else one in `target/qemu`, downloaded when it is not there yet.
    ///
    /// It is not installed: apt may have to remove what people need for it, such as a qemu-utils of another version.
    pub fn provide() -> Result<Self> {
        if process::find(PROGRAM).is_some() {
            return Ok(Self::Installed);
        }
        let folder = workspace::root().join("target/qemu");
        if !folder.exists() {
            unpack(&folder)
                .context("there is no qemu-system-x86_64 and none can be downloaded: install it")?;
        }
        Ok(Self::Unpacked(folder))
    }

    /// The command that runs it for no longer than this process lives.
    pub fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        match self {
            Self::Installed => command.arg(PROGRAM),
            // It looks for its modules and firmware beside the folder it is in.
            Self::Unpacked(folder) => command.arg(folder.join("usr/bin").join(PROGRAM)).env(
                "LD_LIBRARY_PATH",
                LIBRARIES.map(|library| folder.join(library).display().to_string()).join(":"),
            ),
        };
        command
    }
}

/// Unpacks it; the folder appears when it is complete.
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

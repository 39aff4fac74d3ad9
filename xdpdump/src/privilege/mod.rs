//! With whose rights the tool runs, and what they are not enough for.

mod capabilities;
mod file;
mod file_access;
mod obstacle;
mod user;

use std::{io, path::PathBuf};

pub use capabilities::{Capabilities, keep_only, takes_capabilities};
pub use file::{FileCapabilities, names};
pub use obstacle::{Call, NEEDED, Obstacle, State, missing};
use rustix::process::{getegid, geteuid, getgid, getuid};
pub use user::{Error, Reserve, User, with_reserve};

/// The program file is set-user-ID or set-group-ID, so everybody runs it with the rights of its owner or group.
#[derive(Debug, thiserror::Error)]
#[error(
    "refusing to run with the rights of the program file's owner or group, with which files would be read and written too: \
     take the bit off (`chmod ug-s`) and give the file capabilities instead, \
     `setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw=ep`"
)]
pub struct Lent;

/// Refuses to run set-user-ID or set-group-ID (execve(2)): any user could then make the tool open any file. Capabilities of
/// the program file are accepted, because they allow no more than captures need.
///
/// # Errors
/// [`Lent`].
pub fn check() -> Result<(), Lent> {
    if geteuid() == getuid() && getegid() == getgid() { Ok(()) } else { Err(Lent) }
}

/// Folders in which files are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// The folders.
    pub paths: Vec<PathBuf>,
    /// Whether files in them are also renamed and deleted.
    pub are_rotated: bool,
    /// Whether other programs are to be run on the files, with the same access to files.
    pub have_commands: bool,
}

/// Gives up, for good, what is not needed any more: all capabilities but those in `keep`, new ones by programs that are
/// started, and all files but those that a capture reads or that are beneath the `writable` folders. With `names`, what looking up
/// names of hosts and services takes is kept. Returns, for the user, what took effect.
///
/// # Errors
/// When the kernel refuses to take capabilities away.
pub fn give_up(keep: Capabilities, writable: &Folders, names: bool) -> io::Result<String> {
    let kept = keep_only(keep)?;
    if writable.have_commands {
        return Ok(format!(
            "from here on: capabilities {kept}; no new ones; files as before, for commands (-z)"
        ));
    }
    let files = match file_access::restrict(writable, names) {
        Ok(true) => "no files but outputs and what a capture reads (Landlock)".to_owned(),
        Ok(false) => "files as before, because this kernel has no Landlock".to_owned(),
        Err(error) => format!("files as before ({error})"),
    };
    Ok(format!("from here on: capabilities {kept}; no new ones; {files}"))
}

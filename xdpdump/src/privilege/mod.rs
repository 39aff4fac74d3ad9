//! With whose rights the tool runs, and what they are not enough for.

mod file;
mod obstacle;

pub use file::{FileCapabilities, names};
pub use obstacle::{Call, NEEDED, Obstacle, State, missing};
use rustix::process::{getegid, geteuid, getgid, getuid};

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

//! Programs of others, to be named to the user.

use std::os::fd::AsFd;

use super::bpf;

/// The name of the loaded program with this id, as its author gave it (at most 15 bytes).
pub fn name(id: u32) -> Option<String> {
    let program = bpf::program_by_id(id).ok()?;
    let name = bpf::program_info(program.as_fd()).ok()?.name;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}

//! A program for the NIC itself. aya 0.14 cannot say which NIC a program is for, so its ELF layer prepares the
//! instructions and the load is our own.

use std::{
    collections::HashSet,
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
};

use aya_obj::{Object, generated::bpf_insn};

use super::{Error, attach::driver_name, bpf, object::OBJECT};
use crate::interface::Link;

const PROGRAM: &str = "xdpdump_offload";

/// Loads the program for the NIC of `link`, with `events` as its perf event array (which is the host's: offloaded programs
/// may use it, `bpf_map_offload_neutral` in include/linux/bpf.h, v6.18).
pub(super) fn load(events: BorrowedFd<'_>, link: &Link) -> Result<OwnedFd, Error> {
    let instructions = instructions(events).map_err(Error::Load)?;
    bpf::load_offloaded(PROGRAM, &instructions, link.index).map_err(|(source, log)| {
        match source.raw_os_error() {
            Some(libc::EPERM) => Error::Permission,
            Some(libc::ENODEV) => Error::Gone(link.display_name()),
            _ => Error::NoOffload { interface: link.display_name(), driver: driver_name(link), log, source },
        }
    })
}

/// The program's instructions, with its map in place.
fn instructions(events: BorrowedFd<'_>) -> Result<Vec<bpf_insn>, Box<dyn std::error::Error + Send + Sync>> {
    let mut object = Object::parse(OBJECT)?;
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    // The program uses no other map; the other programs, which do, are thrown away.
    let maps: Vec<_> = object.maps.iter().map(|(name, map)| (name.clone(), map.clone())).collect();
    object
        .relocate_maps(maps.iter().map(|(name, map)| (name.as_str(), events.as_raw_fd(), map)), &sections)?;
    object.relocate_calls(&sections)?;
    let function = object
        .programs
        .get(PROGRAM)
        .and_then(|program| object.functions.get(&program.function_key()))
        .ok_or_else(|| io::Error::other(format!("the embedded eBPF object has no {PROGRAM}")))?;
    Ok(function.instructions.clone())
}

//! The guardian process: this program, started under another name.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt as _,
    },
    path::Path,
    process::ExitCode,
};

use super::{NOTHING, message};
use crate::{
    privilege::{self, Capabilities},
    sys::{inherited, signal},
};

/// The name (`argv[0]`) under which this program runs as a guardian.
pub const NAME: &str = "capture-guardian";

/// If this process was started as a guardian: guards files until the writer has ended, and returns the exit code. `None` in
/// any other process.
pub fn run_if_called() -> Option<ExitCode> {
    let name = env::args_os().next()?;
    if Path::new(&name).file_name() != Some(OsStr::new(NAME)) {
        return None;
    }
    prepare();
    let page = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    Some(match page.and_then(|page| guard(io::stdin(), &page)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// Receives files from `writer`, and closes those that the writer no longer wants guarded. When the writer has ended, cuts
/// the files that are left.
pub(super) fn guard(writer: impl AsFd, page: &File) -> io::Result<()> {
    let mut files: BTreeMap<u32, (OwnedFd, Vec<u8>)> = BTreeMap::new();
    while let Some(message) = message::receive(&writer)? {
        match message.file {
            Some(file) => drop(files.insert(message.slot, (file, message.end))),
            None => drop(files.remove(&message.slot)),
        }
    }
    // When one file cannot be cut, the others still are.
    let cut = |(slot, (file, end)): (u32, (OwnedFd, Vec<u8>))| cut_back(slot, &File::from(file), &end, page);
    files.into_iter().map(cut).fold(Ok(()), io::Result::and)
}

/// Cuts off everything after the last whole record, and writes behind it what belongs there.
fn cut_back(slot: u32, file: &File, end: &[u8], page: &File) -> io::Result<()> {
    let mut whole = [0; size_of::<u64>()];
    page.read_exact_at(&mut whole, u64::from(slot) * size_of::<u64>() as u64)?;
    let whole = u64::from_ne_bytes(whole);
    let len = file.metadata()?.len();
    if whole == NOTHING || len < whole {
        return Ok(());
    }
    if len > whole {
        file.set_len(whole)?;
    }
    // A file without a record has nothing that could be ended.
    if whole > 0 { file.write_all_at(end, whole) } else { Ok(()) }
}

/// Ignores the signals that would end this process before the writer, and closes the descriptors that the writer itself
/// inherited.
fn prepare() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        signal::ignore(signal);
    }
    // SAFETY: this process has just begun, and has opened nothing.
    unsafe { inherited::close_all_from(3) };
    // Files that are open need no capabilities, and this process may have been started by root.
    let _ = privilege::keep_only(Capabilities::NONE);
    // For ps(1) and top(1). If it fails, they show the program's name.
    let _ = rustix::thread::set_name(c"capture-guard");
}

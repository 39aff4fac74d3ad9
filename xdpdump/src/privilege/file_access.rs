//! Giving up access to files with Landlock (Linux 5.13): what is open stays open.

use std::{collections::BTreeSet, fs, path::PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError,
    RulesetStatus, path_beneath_rules,
};

use super::Folders;

/// The newest version whose rights are given up; of an older kernel, as many as it knows.
const VERSION: ABI = ABI::V5;

/// What is read while a capture runs: facts about CPUs and interfaces, and the time zone. The last one is for the dynamic
/// linker, when the guardian is started again.
const READ: [&str; 5] = ["/proc", "/sys", "/usr/share/zoneinfo", "/etc/localtime", "/etc/ld.so.cache"];

/// What looking up the name of a host or service reads: configuration, modules of the C library, sockets of its helpers.
const READ_FOR_NAMES: [&str; 5] = ["/etc", "/usr", "/lib", "/lib64", "/run"];

/// Leaves this thread, for good, only the right to read what a capture reads, with `names` also what looking up names takes, and
/// to write beneath `writable`. Returns whether the kernel supports that.
///
/// # Errors
/// When the kernel refuses.
pub fn restrict(writable: &Folders, names: bool) -> Result<bool, RulesetError> {
    let read = AccessFs::from_read(VERSION);
    let mut write = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::Truncate;
    if writable.are_rotated {
        // To find, to rename, also into another folder, and to delete (Documentation/userspace-api/landlock.rst, v6.18).
        write |= AccessFs::ReadDir | AccessFs::RemoveFile | AccessFs::Refer;
    }
    // Paths that do not exist are left out.
    let mut ruleset = Ruleset::default().handle_access(AccessFs::from_all(VERSION))?;
    if !names {
        ruleset = ruleset.handle_access(AccessNet::from_all(VERSION))?;
    }
    let for_names = READ_FOR_NAMES.iter().filter(|_| names);
    let status = ruleset
        .create()?
        .add_rules(path_beneath_rules(for_names, read))?
        .add_rules(path_beneath_rules(READ, read))?
        .add_rules(path_beneath_rules(program_files(), read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(&writable.paths, write))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// The files that this program consists of: itself, its libraries and the dynamic linker.
fn program_files() -> BTreeSet<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let file = |line: &str| line.find('/').and_then(|at| line.get(at..)).map(PathBuf::from);
    let mapped = maps.lines().filter(|line| line.contains("r-x")).filter_map(file);
    mapped.chain([PathBuf::from("/proc/self/exe")]).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io, thread};

    use super::*;

    #[test]
    fn only_outputs_can_be_written_and_only_what_a_capture_reads_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("inside"), folder.path().join("outside"));
        for folder in [&inside, &outside] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("file"), "x").unwrap();
        }
        let mut open = File::options().append(true).open(outside.join("file")).unwrap();
        // Landlock is for the calling thread.
        let tried = thread::spawn(move || {
            let writable = Folders { paths: vec![inside.clone()], ..Folders::default() };
            if !restrict(&writable, false).unwrap() {
                return None;
            }
            io::Write::write_all(&mut open, b"y").expect("what is open stays open");
            Some([
                File::create(inside.join("new")).map(drop),
                fs::read("/proc/self/status").map(drop),
                File::create(outside.join("new")).map(drop),
                fs::read(outside.join("file")).map(drop),
                fs::read("/etc/passwd").map(drop),
                fs::remove_file(inside.join("file")),
                std::net::TcpListener::bind("127.0.0.1:0").map(drop),
            ])
        });
        let Some(tried) = tried.join().unwrap() else {
            println!("SKIPPED: this kernel has no Landlock");
            return;
        };
        let refused = tried.map(|result| {
            result.err().map(|error| assert_eq!(error.kind(), io::ErrorKind::PermissionDenied)).is_some()
        });
        assert_eq!(refused, [false, false, true, true, true, true, true]);
    }
}

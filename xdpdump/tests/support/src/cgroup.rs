//! A limit for the memory of processes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

/// A control group with a memory limit; gone when dropped, after its last process.
#[derive(Debug)]
pub struct MemoryGroup(PathBuf);

impl MemoryGroup {
    /// Makes a group whose processes may use so many bytes, those of their BPF maps included.
    ///
    /// # Panics
    /// When there is no memory controller of either version.
    pub fn with_limit(bytes: u64) -> Self {
        let root = Path::new("/sys/fs/cgroup");
        let (parent, limit) = if root.join("cgroup.controllers").exists() {
            // Children get the controllers that their parent hands on.
            fs::write(root.join("cgroup.subtree_control"), "+memory").unwrap();
            (root.to_owned(), "memory.max")
        } else {
            (root.join("memory"), "memory.limit_in_bytes")
        };
        let group = Self(parent.join(format!("xdpdump-test-{}", process::id())));
        fs::create_dir(&group.0).unwrap_or_else(|error| panic!("cannot limit memory by cgroups: {error}"));
        fs::write(group.0.join(limit), bytes.to_string()).unwrap();
        group
    }

    /// The command, as one that does what `command` does within the limit.
    pub fn limit(&self, command: &Command) -> Command {
        let mut limited = Command::new("sh");
        limited.args(["-c", r#"echo $$ > "$0" && exec "$@""#]).arg(self.0.join("cgroup.procs"));
        limited.arg(command.get_program()).args(command.get_args());
        limited
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // The test's own failure matters more than this one.
        let _ = fs::remove_dir(&self.0);
    }
}

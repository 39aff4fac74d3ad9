//! Processes in a control group of their own: with a limit for their memory, or to be killed together.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

/// A control group; gone when dropped, after its last process.
#[derive(Debug)]
pub struct ControlGroup(PathBuf);

impl ControlGroup {
    /// Makes a group whose processes may use so many bytes, those of their BPF maps included.
    ///
    /// # Panics
    /// When there is no memory controller of either version.
    pub fn with_memory_limit(bytes: u64) -> Self {
        let root = Path::new("/sys/fs/cgroup");
        let (parent, limit) = if root.join("cgroup.controllers").exists() {
            // Children get the controllers that their parent hands on.
            fs::write(root.join("cgroup.subtree_control"), "+memory").unwrap();
            (root.to_owned(), "memory.max")
        } else {
            (root.join("memory"), "memory.limit_in_bytes")
        };
        let group = Self::make(&parent);
        fs::write(group.0.join(limit), bytes.to_string()).unwrap();
        group
    }

    /// Makes a group that can be killed, where the kernel can do that: Linux 5.14, with control groups of version 2.
    pub fn killable() -> Option<Self> {
        let version2 = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
        let parent = version2.into_iter().find(|parent| parent.join("cgroup.controllers").exists())?;
        let group = Self::make(parent);
        group.0.join("cgroup.kill").exists().then_some(group)
    }

    fn make(parent: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let group = Self(parent.join(format!("xdpdump-test-{}-{number}", process::id())));
        fs::create_dir(&group.0).unwrap_or_else(|error| panic!("cannot make a control group: {error}"));
        group
    }

    /// The command, as one that does what `command` does in the group.
    pub fn enter(&self, command: &Command) -> Command {
        let mut inside = Command::new("sh");
        inside.args(["-c", r#"echo $$ > "$0" && exec "$@""#]).arg(self.0.join("cgroup.procs"));
        inside.arg(command.get_program()).args(command.get_args());
        inside
    }

    /// Kills everything in the group at the same moment.
    pub fn kill(&self) {
        fs::write(self.0.join("cgroup.kill"), "1").unwrap();
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // The test's own failure matters more than this one.
        let _ = fs::remove_dir(&self.0);
    }
}

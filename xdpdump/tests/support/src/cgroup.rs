//! Control groups for processes: with a memory limit, or to kill all processes together.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

/// A control group; removed when dropped, by when its last process must have ended.
#[derive(Debug)]
pub struct ControlGroup(PathBuf);

impl ControlGroup {
    /// Creates a group whose processes may use this many bytes, including their BPF maps.
    ///
    /// # Panics
    /// When there is no memory controller of either version.
    pub fn with_memory_limit(bytes: u64) -> Self {
        let root = Path::new("/sys/fs/cgroup");
        let (parent, limit) = if root.join("cgroup.controllers").exists() {
            // A child group has only the controllers that its parent enables.
            fs::write(root.join("cgroup.subtree_control"), "+memory").unwrap();
            (root.to_owned(), "memory.max")
        } else {
            (root.join("memory"), "memory.limit_in_bytes")
        };
        let group = Self::make(&parent);
        fs::write(group.0.join(limit), bytes.to_string()).unwrap();
        group
    }

    /// Creates a group that can be killed; `None` if the kernel cannot do that, which needs Linux 5.14 and control groups
    /// of version 2.
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

    /// A command that runs `command` in the group.
    pub fn enter(&self, command: &Command) -> Command {
        let mut inside = Command::new("sh");
        inside.args(["-c", r#"echo $$ > "$0" && exec "$@""#]).arg(self.0.join("cgroup.procs"));
        inside.arg(command.get_program()).args(command.get_args());
        inside
    }

    /// Kills all processes in the group at once.
    pub fn kill(&self) {
        fs::write(self.0.join("cgroup.kill"), "1").unwrap();
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // A failure of the test itself is more important than a failure here.
        let _ = fs::remove_dir(&self.0);
    }
}

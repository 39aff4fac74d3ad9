//! Small file systems, for tests in which they fail.

use std::{fs::File, path::Path, process::Command};

use tempfile::TempDir;

use crate::netns::run;

/// A mounted file system; unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    mount_point: TempDir,
    /// The folder with the image file; removed when dropped.
    _image: Option<TempDir>,
}

impl Disk {
    /// A file system in memory with a size of `bytes`.
    pub fn in_memory(bytes: u64) -> Self {
        let disk = Self { mount_point: tempfile::tempdir().unwrap(), _image: None };
        disk.mount("tmpfs", &format!("size={bytes}"), Path::new("tmpfs"));
        disk
    }

    /// A file system of 64 MiB in a file.
    pub fn ext4() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("image");
        File::create(&image).unwrap().set_len(64 << 20).unwrap();
        run("mkfs.ext4", ["-q", image.to_str().unwrap()]);
        let disk = Self { mount_point: tempfile::tempdir().unwrap(), _image: Some(directory) };
        disk.mount("ext4", "loop,errors=remount-ro", &image);
        disk
    }

    fn mount(&self, kind: &str, options: &str, source: &Path) {
        let arguments = ["-t", kind, "-o", options, source.to_str().unwrap(), self.path().to_str().unwrap()];
        run("mount", arguments);
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.mount_point.path()
    }

    /// Aborts an ext4 file system: from now on it is read-only, even for files that are already open.
    pub fn abort(&self) {
        // The result of the command depends on the kernel; the capture must notice the effect.
        let _ = Command::new("mount").args(["-o", "remount,abort"]).arg(self.path()).output().unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A failure of the test itself is more important than a failure here.
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

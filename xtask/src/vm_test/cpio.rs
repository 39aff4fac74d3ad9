//! Writes the archive that a kernel uses as its first file system (initramfs).

/// A cpio archive in the "newc" format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
#[derive(Debug, Default)]
pub struct Cpio {
    bytes: Vec<u8>,
    entries: u32,
}

/// File types of `st_mode`.
const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;

impl Cpio {
    /// Adds a folder. A folder must be added before its contents.
    pub fn folder(&mut self, path: &str) {
        self.entry(path, FOLDER | 0o755, &[]);
    }

    /// Adds an executable file.
    pub fn program(&mut self, path: &str, content: &[u8]) {
        self.entry(path, FILE | 0o755, content);
    }

    /// The finished archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        // inode, mode, user, group, links, time, size, device and special device (major, minor), name with its NUL, check.
        let header =
            [self.entries, mode, 0, 0, 1, 0, content.len() as u32, 0, 0, 0, 0, path.len() as u32 + 1, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in header {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    /// Pads to a multiple of four bytes, as names and contents require.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::Cpio;

    #[test]
    fn entries_are_aligned_and_end_with_the_trailer() {
        let mut cpio = Cpio::default();
        cpio.folder("dev");
        cpio.program("init", b"#!/bin/sh\n");
        let bytes = cpio.finish();
        assert_eq!(bytes.len() % 4, 0);
        let starts: Vec<_> = bytes.windows(6).enumerate().filter(|(_, six)| *six == b"070701").collect();
        assert_eq!(starts.iter().map(|(start, _)| start % 4).collect::<Vec<_>>(), [0, 0, 0]);
        assert_eq!(&bytes[starts[1].0 + 14..][..8], b"000081ed", "a program's mode");
        assert_eq!(&bytes[starts[1].0 + 54..][..8], b"0000000a", "its size");
        assert!(bytes.windows(11).any(|name| name == b"TRAILER!!!\0"));
    }
}

//! The usual scene of a test: a pair of interfaces, one to send and one to capture from, and a place for the file.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{
    capture::Capture,
    load::{self, under_load},
    netns::{NetNs, Traces},
    wait,
    wire::{self, Wire},
};

/// Frames a second of [`Scene::load`]: more than a paused reader leaves room for, less than a busy machine fails to send.
const FAST: u32 = 300_000;

/// Two namespaces joined by a pair of interfaces on which every frame is the test's, and room for a capture file.
#[derive(Debug)]
pub struct Scene {
    /// Where frames are sent, out of the interface `left`.
    pub left: NetNs,
    /// Where they arrive, at the interface `right`.
    pub right: NetNs,
    /// For files of the test.
    pub directory: TempDir,
}

impl Scene {
    /// Makes the namespaces, with both interfaces up.
    pub fn new() -> Self {
        let (left, right) = NetNs::quiet_pair("left", "right");
        // So that redirected frames arrive also while nobody captures.
        right.execute("ethtool", &["-K", "right", "gro", "on"]);
        Self { left, right, directory: tempfile::tempdir().unwrap() }
    }

    /// The usual capture file.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("capture.pcapng")
    }

    /// Starts a capture of `right` into [`Scene::file`], and waits until it listens.
    pub fn capture(&self, options: &[&str]) -> Capture {
        self.capture_to(&self.file(), options)
    }

    /// Starts a capture of `right` into `path`, and waits until it listens.
    pub fn capture_to(&self, path: &Path, options: &[&str]) -> Capture {
        let arguments = ["-i", "right", "-w", path.to_str().unwrap()];
        Capture::start(&self.right, arguments.iter().chain(options))
    }

    /// Sends one frame of `len` bytes.
    pub fn send(&self, len: usize) {
        Wire::open(&self.left, "left").send(&wire::frame(len, b""));
    }

    /// Sends so many frames of 60 bytes: [`wire::numbered`] from 0.
    pub fn send_numbered(&self, count: u8) {
        let wire = Wire::open(&self.left, "left");
        (0..count).for_each(|number| wire.send(&wire::numbered(number)));
    }

    /// Does `action` under a load of 200-byte frames.
    pub fn load<T>(&self, action: impl FnOnce() -> T) -> T {
        self.load_of(200, action)
    }

    /// Does `action` under a load of frames of `frame_len` bytes.
    pub fn load_of<T>(&self, frame_len: usize, action: impl FnOnce() -> T) -> T {
        under_load(&self.left, "left", frame_len, FAST / wait::slowness(), action)
    }

    /// Frames that arrived since the scene was made, once no more come.
    pub fn arrived(&self) -> u64 {
        load::settled(|| load::received(&self.right, "right"))
    }

    /// Asserts that no capture has left anything on the interface.
    pub fn assert_clean(&self) {
        wait::until_equal(&Traces::default(), || self.right.traces("right"));
    }
}

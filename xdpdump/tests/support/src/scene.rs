//! The usual scene of a test: a pair of interfaces, one to send from and one to capture from, and a folder for the file.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{
    capture::Capture,
    load::{self, under_load},
    netns::{NetNs, Traces},
    wait,
    wire::{self, Wire},
};

/// Frames per second of [`Scene::load`]: enough to fill the rings while the reader is paused, few enough for a busy machine
/// to send.
const FAST: u32 = 300_000;

/// Two namespaces joined by a pair of interfaces on which every frame comes from the test, and a folder for a capture file.
#[derive(Debug)]
pub struct Scene {
    /// Frames are sent from its interface `left`.
    pub left: NetNs,
    /// Frames arrive at its interface `right`.
    pub right: NetNs,
    /// A folder for files of the test.
    pub directory: TempDir,
}

impl Scene {
    /// Creates the namespaces, with both interfaces up.
    pub fn new() -> Self {
        let (left, right) = NetNs::quiet_pair("left", "right");
        // So that redirected frames also arrive while no capture runs.
        right.execute("ethtool", &["-K", "right", "gro", "on"]);
        Self { left, right, directory: tempfile::tempdir().unwrap() }
    }

    /// The path of the usual capture file.
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

    /// Sends `count` frames of 60 bytes: [`wire::numbered`] from 0 on.
    pub fn send_numbered(&self, count: u8) {
        let wire = Wire::open(&self.left, "left");
        (0..count).for_each(|number| wire.send(&wire::numbered(number)));
    }

    /// Sends a UDP datagram from this port.
    pub fn send_udp(&self, port: u16) {
        Wire::open(&self.left, "left").send(&wire::udp(port));
    }

    /// Runs `action` under a load of 200-byte frames.
    pub fn load<T>(&self, action: impl FnOnce() -> T) -> T {
        self.load_of(200, action)
    }

    /// Runs `action` under a load of frames of `frame_len` bytes.
    pub fn load_of<T>(&self, frame_len: usize, action: impl FnOnce() -> T) -> T {
        under_load(&self.left, "left", frame_len, FAST / wait::slowness(), action)
    }

    /// Waits until no more frames arrive, and returns the number that arrived since the scene was created.
    pub fn arrived(&self) -> u64 {
        load::settled(|| load::received(&self.right, "right"))
    }

    /// Asserts that captures have left nothing on the interface.
    pub fn assert_clean(&self) {
        wait::until_equal(&Traces::default(), || self.right.traces("right"));
    }
}

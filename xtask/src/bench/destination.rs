//! The outputs to which tools capture.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// A kind of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Destination {
    /// /dev/null: what capturing costs
    Null,
    /// A pipe to another process, as to Wireshark
    Pipe,
    /// A file in memory: a disk that is never the bottleneck
    File,
    /// The same, compressed with zstd
    Zstd,
}

impl Destination {
    /// All outputs.
    pub const ALL: [Self; 4] = [Self::Null, Self::Pipe, Self::File, Self::Zstd];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "/dev/null",
            Self::Pipe => "pipe",
            Self::File => "file",
            Self::Zstd => "file.zst",
        }
    }

    /// Whether it is a file, which has to be removed.
    pub fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Zstd)
    }

    /// The argument of `-w`; a file is created in `folder`.
    pub fn path(self, folder: &Path) -> PathBuf {
        match self {
            Self::Null => "/dev/null".into(),
            Self::Pipe => "-".into(),
            Self::File => folder.join("capture"),
            Self::Zstd => folder.join("capture.zst"),
        }
    }
}

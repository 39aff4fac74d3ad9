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
}

impl Destination {
    /// All outputs.
    pub const ALL: [Self; 3] = [Self::Null, Self::Pipe, Self::File];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "/dev/null",
            Self::Pipe => "pipe",
            Self::File => "file",
        }
    }

    /// The argument of `-w`; a file is created in `folder`.
    pub fn path(self, folder: &Path) -> PathBuf {
        match self {
            Self::Null => "/dev/null".into(),
            Self::Pipe => "-".into(),
            Self::File => folder.join("capture"),
        }
    }
}

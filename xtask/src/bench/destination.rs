//! Where the captured frames go.

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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Null, Self::Pipe, Self::File];

    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "/dev/null",
            Self::Pipe => "pipe",
            Self::File => "file",
        }
    }

    /// The argument of `-w`; a file is made in `folder`.
    pub fn path(self, folder: &Path) -> PathBuf {
        match self {
            Self::Null => "/dev/null".into(),
            Self::Pipe => "-".into(),
            Self::File => folder.join("capture"),
        }
    }
}

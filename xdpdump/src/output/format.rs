//! The formats of capture files, and how to open one for writing.

use std::path::Path;

use crate::{
    output::{
        Error, Sink, Target,
        guardian::Guardian,
        medium::{self, Readers},
        pcap::PcapSink,
        pcapng::PcapngSink,
        record::Framing,
        records::Output,
    },
    packet::Detail,
};

/// The ending of names of files that are compressed with zstd (RFC 8878, section 6).
pub const COMPRESSED: &str = "zst";

/// A format of capture files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// pcapng, which keeps everything that is known about packets and interfaces.
    #[default]
    Pcapng,
    /// Classic pcap, for old readers.
    Pcap,
}

/// How a file is copied of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// All of one file.
    Whole,
    /// A part of one file, or what is written into several files.
    Part,
    /// Several files as one.
    Merged,
}

/// Precision of the time stamps in a capture file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Microseconds.
    Micro,
    /// Nanoseconds.
    #[default]
    Nano,
    /// That of the file from which packets were read; nanoseconds, if there is none.
    AsRead,
}

/// How to write a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// The format.
    pub format: Format,
    /// The precision of time stamps.
    pub precision: Precision,
    /// How much of the packets' metadata is written.
    pub detail: Detail,
    /// Who may read the file, if it is created.
    pub readers: Readers,
    /// The level of zstd with which it is compressed; `None` if it is not.
    pub compression: Option<i32>,
    /// What is written was read from files; `None` if it is captured.
    pub copying: Option<Copying>,
}

impl Format {
    /// Classic pcap for names that end in `.pcap` or `.pcap.zst`, pcapng for all others.
    pub fn from_path(path: &Path) -> Self {
        let path = if is_compressed(path) { &path.with_extension("") } else { path };
        if path.extension().is_some_and(|extension| extension == "pcap") { Self::Pcap } else { Self::Pcapng }
    }
}

/// Whether the name of a file says that it is compressed with zstd.
pub fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == COMPRESSED)
}

/// Opens `path` for writing like [`open_with`], but without a guardian and without messages. `path` can name a descriptor,
/// see [`Target::of`].
///
/// # Errors
/// When the file cannot be opened, or its header cannot be written.
pub fn open(path: &Path, format: Format, precision: Precision) -> Result<Box<dyn Sink>, Error> {
    let options = FileOptions {
        format,
        precision,
        detail: Detail::Full,
        readers: Readers::Owner,
        compression: None,
        copying: None,
    };
    open_with(path, options, None, &mut |_| {})
}

/// Opens `path` for writing. When `guardian` is given, it guards a regular file. `say` gets messages for the user: that
/// xdpdump waits for the reader of a named pipe, or that there is no guardian.
///
/// # Errors
/// When the file cannot be opened, or its header cannot be written.
pub fn open_with(
    path: &Path,
    options: FileOptions,
    guardian: Option<&Guardian>,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Sink>, Error> {
    Ok(open_file(path, options, guardian, say)?)
}

/// A sink that is one capture file.
pub trait FileSink: Sink {
    /// Its records.
    fn output(&mut self) -> &mut Output;

    /// The next interface has this number: those before it belong to sections that this file does not have.
    fn skip_interfaces(&mut self, _count: u32) {}
}

/// As [`open_with`].
pub(super) fn open_file(
    path: &Path,
    options: FileOptions,
    guardian: Option<&Guardian>,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn FileSink>, Error> {
    let FileOptions { format, readers, compression, .. } = options;
    let target = Target::of(path);
    let name = target.name();
    let medium = medium::open(target, &name, readers, compression, guardian, say)?;
    Ok(match format {
        Format::Pcapng => Box::new(PcapngSink::new(Output::new(name, medium, Framing::Pcapng), options)?),
        Format::Pcap => Box::new(PcapSink::new(Output::new(name, medium, Framing::Pcap), options)),
    })
}

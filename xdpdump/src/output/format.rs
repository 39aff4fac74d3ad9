//! Which capture file to write.

use std::path::Path;

use crate::output::{
    Error, Sink, Target, guardian::Guardian, medium, pcap::PcapSink, pcapng::PcapngSink, record::Framing,
    records::Output,
};

/// A format of capture files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Keeps everything that is known of packets and interfaces.
    #[default]
    Pcapng,
    /// Classic pcap, for old readers.
    Pcap,
}

/// Digits of the times in a capture file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Microseconds.
    Micro,
    /// Nanoseconds.
    #[default]
    Nano,
}

impl Format {
    /// Classic pcap for names that end in `.pcap`, pcapng for all others.
    pub fn from_path(path: &Path) -> Self {
        if path.extension().is_some_and(|extension| extension == "pcap") { Self::Pcap } else { Self::Pcapng }
    }
}

/// Opens `path` for writing: a file or a descriptor, as [`Target::of`] takes it. As [`open_with`], without guardian and silent.
///
/// # Errors
/// When it cannot be opened, or not even the header can be written.
pub fn open(path: &Path, format: Format, precision: Precision) -> Result<Box<dyn Sink>, Error> {
    open_with(path, format, precision, None, &mut |_| {})
}

/// Opens `path` for writing; a regular file gets a guardian if there is one to ask. `say` is told what a person should know: that a
/// named pipe is waited for, that there is no guardian.
///
/// # Errors
/// When it cannot be opened, or not even the header can be written.
pub fn open_with(
    path: &Path,
    format: Format,
    precision: Precision,
    guardian: Option<&Guardian>,
    say: &mut dyn FnMut(&str),
) -> Result<Box<dyn Sink>, Error> {
    let target = Target::of(path);
    let name = target.name();
    let medium = medium::open(target, &name, guardian, say)?;
    Ok(match format {
        Format::Pcapng => Box::new(PcapngSink::new(Output::new(name, medium, Framing::Pcapng), precision)?),
        Format::Pcap => Box::new(PcapSink::new(Output::new(name, medium, Framing::Pcap), precision)),
    })
}

//! Which capture file to write.

use std::path::Path;

use crate::output::{Error, Sink, file::Output, pcap::PcapSink, pcapng::PcapngSink, record::Framing};

/// A format of capture files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Keeps everything that is known of packets and interfaces.
    #[default]
    Pcapng,
    /// Classic pcap, for old readers.
    Pcap,
}

/// Digits of the times in a classic pcap file; pcapng files always have nanoseconds.
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

/// Opens `path` for writing, or standard output if it is `-`.
///
/// # Errors
/// When it cannot be opened, or not even the header can be written.
pub fn open(path: &Path, format: Format, precision: Precision) -> Result<Box<dyn Sink>, Error> {
    sink(output(path, format)?, format, precision)
}

/// As [`open`], with a [`Guardian`](super::guardian::Guardian) for a regular file; `warn` is told when there is none.
///
/// # Errors
/// When it cannot be opened, or not even the header can be written.
pub fn open_guarded(
    path: &Path,
    format: Format,
    precision: Precision,
    warn: impl FnOnce(&str),
) -> Result<Box<dyn Sink>, Error> {
    let mut output = output(path, format)?;
    if let Err(error) = output.guard() {
        warn(&format!(
            "{}: no guardian process ({error}): should xdpdump be killed by SIGKILL, the file may end within a packet",
            output.name()
        ));
    }
    sink(output, format, precision)
}

fn output(path: &Path, format: Format) -> Result<Output, Error> {
    let framing = match format {
        Format::Pcapng => Framing::Pcapng,
        Format::Pcap => Framing::Pcap,
    };
    if path == Path::new("-") { Output::stdout(framing) } else { Output::create(path, framing) }
}

fn sink(output: Output, format: Format, precision: Precision) -> Result<Box<dyn Sink>, Error> {
    Ok(match format {
        Format::Pcapng => Box::new(PcapngSink::new(output)?),
        Format::Pcap => Box::new(PcapSink::new(output, precision)),
    })
}

//! Classic pcap files (draft-ietf-opsawg-pcap): one link type, no metadata.

use std::{
    io,
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use pcap_file::{
    DataLink, Endianness,
    pcap::{PcapHeader, PcapTsResolution},
};

use crate::{
    output::{
        Error, FileSink, Precision, Sink,
        record::{MAX_CAPTURED, PCAP_RECORD_HEADER, kept},
        records::Output,
    },
    packet::{Interface, InterfaceStatistics, LinkType, Packet, Timestamp},
};

/// Writes in the byte order of this machine.
pub struct PcapSink {
    output: Output,
    precision: Precision,
    /// Link type of the file; `None` until its header is written.
    link_type: Option<LinkType>,
}

impl PcapSink {
    /// Writes nothing yet: the file's header needs an interface.
    pub fn new(output: Output, precision: Precision) -> Self {
        Self { output, precision, link_type: None }
    }

    fn header(&mut self, interface: &Interface) -> Result<(), Error> {
        let header = PcapHeader {
            // libpcap regards a snap length of 0 as a broken file, other readers as "nothing captured".
            snaplen: if interface.snap_len == 0 { MAX_CAPTURED as u32 } else { interface.snap_len },
            datalink: DataLink::from(u32::from(interface.link_type.0)),
            ts_resolution: match self.precision {
                Precision::Micro => PcapTsResolution::MicroSecond,
                Precision::Nano => PcapTsResolution::NanoSecond,
            },
            endianness: Endianness::native(),
            ..PcapHeader::default()
        };
        header
            .write_to(&mut self.output)
            .map_err(|error| Error::Write(self.output.name().to_owned(), io::Error::other(error)))?;
        self.link_type = Some(interface.link_type);
        self.output.flush()
    }
}

impl FileSink for PcapSink {
    fn output(&mut self) -> &mut Output {
        &mut self.output
    }
}

impl Sink for PcapSink {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        match self.link_type {
            None => self.header(interface),
            Some(first) if first == interface.link_type => Ok(()),
            Some(first) => Err(Error::LinkTypes(self.output.name().to_owned(), first, interface.link_type)),
        }
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let precision = self.precision;
        self.output.record(|buffer| record(buffer, packet, precision))
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.output.flush()
    }

    fn patience(&self) -> Duration {
        self.output.patience()
    }

    fn accepted(&self) -> u64 {
        self.output.accepted()
    }

    fn unwritten(&self) -> u64 {
        self.output.unwritten()
    }

    fn finish(&mut self, _: &[InterfaceStatistics]) -> Result<(), Error> {
        if self.link_type.is_none() {
            // Readers reject an empty file, so a capture without packets still needs a header.
            self.header(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() })?;
        }
        self.output.finish()
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.output.watch(each);
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.output.look_after(say)
    }

    fn is_interrupted(&self) -> bool {
        self.output.is_interrupted()
    }

    fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> Result<(), Error> {
        self.output.interrupted_by(interrupt)
    }

    fn end_by(&mut self, deadline: Instant) {
        self.output.end_by(deadline);
    }
}

/// Appends `packet` as one record. Times before 1970 or after 2106 become the nearest time that the format can hold.
pub fn record(buffer: &mut Vec<u8>, packet: &Packet<'_>, precision: Precision) {
    let frame = kept(packet.frame);
    let captured = frame.len() as u32;
    let (seconds, nanoseconds) = split(packet.timestamp);
    let fraction = match precision {
        Precision::Micro => nanoseconds / 1000,
        Precision::Nano => nanoseconds,
    };
    buffer.reserve(PCAP_RECORD_HEADER + frame.len());
    for word in [seconds, fraction, captured, packet.frame_len.max(captured)] {
        buffer.extend_from_slice(&word.to_ne_bytes());
    }
    buffer.extend_from_slice(frame);
}

/// Seconds and the nanoseconds within the second.
fn split(time: Timestamp) -> (u32, u32) {
    const SECOND: u64 = 1_000_000_000;
    let time = u64::try_from(time.0).unwrap_or(0);
    match u32::try_from(time / SECOND) {
        Ok(seconds) => (seconds, (time % SECOND) as u32),
        Err(_) => (u32::MAX, SECOND as u32 - 1),
    }
}

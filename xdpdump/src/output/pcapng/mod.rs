//! pcapng files (draft-ietf-opsawg-pcapng).
//!
//! The pcap-file crate encodes headers and statistics. [`encode`] encodes packets, because there are millions of them.

mod blocks;
pub mod encode;

use std::{
    io,
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use pcap_file::pcapng::{Block, PcapNgWriter};

use crate::{
    output::{BlockSink, Error, FileSink, Precision, Sink, records::Output},
    packet::{Detail, Interface, InterfaceStatistics, Packet, Timestamp},
};

/// Writes a pcapng file of one section in the byte order of this machine.
pub struct PcapngSink {
    blocks: PcapNgWriter<Output>,
    precision: Precision,
    detail: Detail,
}

impl PcapngSink {
    /// Creates the sink and writes the section header at once, because the reader of a pipe waits for it.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn new(output: Output, precision: Precision, detail: Detail) -> Result<Self, Error> {
        let name = output.name().to_owned();
        let blocks = PcapNgWriter::with_section_header(output, blocks::section_header(detail))
            .map_err(|error| Error::Write(name, io::Error::other(error)))?;
        let mut sink = Self { blocks, precision, detail };
        sink.flush()?;
        Ok(sink)
    }

    /// Appends a block that pcap-file encodes.
    fn block(&mut self, block: &Block<'_>) -> Result<(), Error> {
        match self.blocks.write_block(block) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Write(self.blocks.get_ref().name().to_owned(), io::Error::other(error))),
        }
    }
}

impl FileSink for PcapngSink {
    fn output(&mut self) -> &mut Output {
        self.blocks.get_mut()
    }
}

impl BlockSink for PcapngSink {
    fn blocks(&mut self, blocks: &[u8]) -> Result<(), Error> {
        self.blocks.get_mut().records(blocks)
    }
}

impl Sink for PcapngSink {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.block(&blocks::interface_description(interface, self.precision))?;
        self.flush()
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let timestamp = match self.precision {
            Precision::Micro => Timestamp(packet.timestamp.0.div_euclid(1000)),
            Precision::Nano => packet.timestamp,
        };
        let packet = Packet { timestamp, meta: self.detail.of(packet.meta), ..*packet };
        self.blocks.get_mut().record(|buffer| encode::enhanced_packet(buffer, &packet))
    }

    /// Encoded blocks have time stamps in nanoseconds.
    fn is_block_sink(&self) -> bool {
        self.precision == Precision::Nano
    }

    fn as_block_sink(&mut self) -> Option<&mut dyn BlockSink> {
        if self.is_block_sink() { Some(self) } else { None }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.blocks.get_mut().flush()
    }

    fn patience(&self) -> Duration {
        self.blocks.get_ref().patience()
    }

    fn accepted(&self) -> u64 {
        self.blocks.get_ref().accepted()
    }

    fn unwritten(&self) -> u64 {
        self.blocks.get_ref().unwritten()
    }

    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        for statistics in statistics {
            self.block(&blocks::interface_statistics(statistics))?;
        }
        self.blocks.get_mut().finish()
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.blocks.get_ref().watch(each);
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.blocks.get_mut().look_after(say)
    }

    fn is_interrupted(&self) -> bool {
        self.blocks.get_ref().is_interrupted()
    }

    fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> Result<(), Error> {
        self.blocks.get_mut().interrupted_by(interrupt)
    }

    fn end_by(&mut self, deadline: Instant) {
        self.blocks.get_mut().end_by(deadline);
    }
}

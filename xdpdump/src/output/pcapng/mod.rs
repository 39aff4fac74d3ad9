//! pcapng files (draft-ietf-opsawg-pcapng).
//!
//! Headers and statistics are made by the pcap-file crate; packets, of which there are millions, by [`encode`].

mod blocks;
pub mod encode;

use std::io;

use pcap_file::pcapng::{Block, PcapNgWriter};

use crate::{
    output::{BlockSink, Error, Sink, file::Output},
    packet::{Interface, InterfaceStatistics, Packet},
};

/// Writes one section in the byte order of this machine.
pub struct PcapngSink {
    blocks: PcapNgWriter<Output>,
}

impl PcapngSink {
    /// Writes the section header at once: the reader of a pipe waits for it.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn new(output: Output) -> Result<Self, Error> {
        let name = output.name().to_owned();
        let blocks = PcapNgWriter::with_section_header(output, blocks::section_header())
            .map_err(|error| Error::Write(name, io::Error::other(error)))?;
        let mut sink = Self { blocks };
        sink.flush()?;
        Ok(sink)
    }

    /// Appends a block that pcap-file makes.
    fn block(&mut self, block: &Block<'_>) -> Result<(), Error> {
        match self.blocks.write_block(block) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Write(self.blocks.get_ref().name().to_owned(), io::Error::other(error))),
        }
    }
}

impl BlockSink for PcapngSink {
    fn blocks(&mut self, blocks: &[u8]) -> Result<(), Error> {
        self.blocks.get_mut().records(blocks)
    }
}

impl Sink for PcapngSink {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.block(&blocks::interface_description(interface))?;
        self.flush()
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        self.blocks.get_mut().record(|buffer| encode::enhanced_packet(buffer, packet))
    }

    fn is_block_sink(&self) -> bool {
        true
    }

    fn as_block_sink(&mut self) -> Option<&mut dyn BlockSink> {
        Some(self)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.blocks.get_mut().flush()
    }

    fn unwritten(&self) -> u64 {
        self.blocks.get_ref().unwritten()
    }

    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        for statistics in statistics {
            self.block(&blocks::interface_statistics(statistics))?;
        }
        self.flush()
    }
}

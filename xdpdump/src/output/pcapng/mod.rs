//! pcapng files (draft-ietf-opsawg-pcapng).

mod blocks;
mod copy;
pub mod encode;
mod own;

use std::{
    io,
    os::fd::BorrowedFd,
    time::{Duration, Instant},
};

use xdpdump_ebpf::pcapng::block::INTERFACE_STATISTICS;

use self::encode::{Encoder, Head};
use crate::{
    output::{
        BlockSink, Copying, Error, FileOptions, FileSink, Precision, Sink, losses::Losses, records::Output,
    },
    packet::{
        Block, ByteOrder, Detail, Interface, InterfaceStatistics, Original, Packet, Time, Units,
        block::{Fields, kind::CUSTOM_NOT_COPIED},
    },
};

pub use copy::name as name_of_block;

/// Writes a pcapng file.
///
/// What is captured is one section in the byte order of this machine. What is copied from one file has the sections of that file;
/// what is copied from several is one section.
pub struct PcapngSink {
    output: Output,
    precision: Precision,
    detail: Detail,
    copying: Option<Copying>,
    /// The section that is written; `None` before its header is.
    section: Option<Section>,
    /// Number of interfaces so far, in all sections.
    interfaces: u32,
    /// Blocks that could not be copied.
    losses: Losses,
    /// Packets without a time that were written with one.
    timeless: u64,
}

/// A section.
struct Section {
    order: ByteOrder,
    /// Whether its header was copied.
    is_copied: bool,
    /// Number of interfaces in earlier sections.
    earlier: u32,
    interfaces: Vec<Described>,
}

/// What is needed of an interface to write its packets.
#[derive(Clone, Copy)]
struct Described {
    /// In what time is counted.
    units: Units,
    /// Whether that is how the file counts it that the interface was read from.
    is_as_read: bool,
    snap_len: u32,
    /// Whether its totals were copied.
    has_totals: bool,
}

impl PcapngSink {
    /// Creates the sink. The section header of a capture is written at once, because the reader of a pipe waits for it.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn new(output: Output, options: FileOptions) -> Result<Self, Error> {
        let FileOptions { precision, detail, copying, .. } = options;
        let mut sink = Self {
            output,
            precision,
            detail,
            copying,
            section: None,
            interfaces: 0,
            losses: Losses::default(),
            timeless: 0,
        };
        if copying.is_none() {
            sink.flush()?;
        }
        Ok(sink)
    }

    /// The section, which begins now if none has.
    fn section(&mut self) -> Result<&mut Section, Error> {
        if self.section.is_none() {
            let (detail, is_captured) = (self.detail, self.copying.is_none());
            let header = own::section_header(is_captured, detail).map_err(|error| self.refused(error))?;
            self.output.record(|buffer| buffer.extend_from_slice(&header))?;
        }
        let earlier = self.interfaces;
        let new = || Section { order: ByteOrder::NATIVE, is_copied: false, earlier, interfaces: Vec::new() };
        Ok(self.section.get_or_insert_with(new))
    }

    /// Begins a section with a header that was read.
    fn begin_section(&mut self, header: Block<'_>) -> Result<(), Error> {
        let Block { bytes, order } = header;
        self.output.begin_section(order);
        self.output.record(|buffer| match self.copying {
            Some(Copying::Part) => blocks::section_of_part(&mut Encoder { buffer, order }, header),
            _ => buffer.extend_from_slice(bytes),
        })?;
        let earlier = self.interfaces;
        self.section = Some(Section { order, is_copied: true, earlier, interfaces: Vec::new() });
        Ok(())
    }

    /// A value that pcap-file does not write.
    fn refused(&self, error: io::Error) -> Error {
        Error::Write(self.output.name().to_owned(), error)
    }

    /// A time that cannot be counted in the units of the file.
    fn time_error(&self, time: Time) -> Error {
        Error::Time(
            self.output.name().to_owned(),
            time,
            "pcapng counts from 1970 on: leave the precision as it is",
        )
    }
}

impl FileSink for PcapngSink {
    fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    fn skip_interfaces(&mut self, count: u32) {
        self.interfaces = count;
    }
}

impl BlockSink for PcapngSink {
    fn blocks(&mut self, blocks: &[u8]) -> Result<(), Error> {
        self.output.records(blocks)
    }
}

impl Sink for PcapngSink {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        let precision = self.precision;
        let order = self.section()?.order;
        let units = blocks::units(interface, precision);
        if let Original::Pcapng(block, _) = &interface.original {
            let units = (precision != Precision::AsRead).then_some(units);
            self.output.record(|buffer| {
                blocks::copied_description(&mut Encoder { buffer, order }, interface, block.borrow(), units);
            })?;
        } else {
            let block = own::interface_description(order, interface, units);
            let block = block.map_err(|error| self.refused(error))?;
            self.output.record(|buffer| buffer.extend_from_slice(&block))?;
        }
        let is_as_read = precision == Precision::AsRead && matches!(interface.original, Original::Pcapng(..));
        let snap_len = interface.snap_len;
        self.section()?.interfaces.push(Described { units, is_as_read, snap_len, has_totals: false });
        self.interfaces += 1;
        self.flush()
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let section = self.section()?;
        let (order, is_new_section) = (section.order, !section.is_copied);
        let interface = packet.interface.wrapping_sub(section.earlier);
        let described = section.interfaces.get(interface as usize);
        let (units, is_as_read, snap_len) =
            described.map_or((Units::NANO, false, 0), |it| (it.units, it.is_as_read, it.snap_len));
        let time = if is_as_read && packet.record.block().is_some() {
            None
        } else {
            match units.of(packet.timestamp) {
                Some(time) => Some(time),
                // The clock of the machine is wrong, and a capture goes on.
                None if self.copying.is_none() => Some(0),
                None => return Err(self.time_error(packet.timestamp.into())),
            }
        };
        if let (Some(block), Detail::Full) = (packet.record.block(), self.detail) {
            let place = copy::Place { interface, snap_len, time, is_new_section };
            let mut has_time = true;
            self.output.record(|buffer| {
                has_time = copy::packet(&mut Encoder { buffer, order }, packet, block, place);
            })?;
            self.timeless += u64::from(!has_time);
            return Ok(());
        }
        let meta = self.detail.of(packet.meta);
        // A copy of a hostile file is as hostile.
        let least = if self.copying.is_some() { 0 } else { packet.frame.len() as u32 };
        let frame_len = packet.frame_len.max(least);
        let time = time.or(packet.record.block().and_then(Block::units)).unwrap_or(0);
        let head = Head { interface, time, frame_len };
        self.output.record(|buffer| {
            Encoder { buffer, order }.packet(head, packet.frame, |encoder| encoder.meta(&meta));
        })
    }

    fn block(&mut self, block: &Block<'_>) -> Result<(), Error> {
        let Some(copying) = self.copying else { return Ok(()) };
        let kind = block.kind();
        if block.is_section() {
            return if copying == Copying::Merged { Ok(()) } else { self.begin_section(*block) };
        }
        if kind == CUSTOM_NOT_COPIED && copying != Copying::Whole {
            self.losses.block(kind);
            return Ok(());
        }
        let section = self.section()?;
        let order = section.order;
        if kind == INTERFACE_STATISTICS {
            let id = Fields::new(block.body(), block.order).u32().unwrap_or(u32::MAX);
            match section.interfaces.get_mut(id as usize) {
                Some(described) if described.is_as_read && section.is_copied => described.has_totals = true,
                // They count time in other units, and the totals are written at the end.
                Some(_) => return Ok(()),
                None => {}
            }
        }
        let mut is_copied = true;
        self.output.record(|buffer| is_copied = copy::other(&mut Encoder { buffer, order }, *block))?;
        if !is_copied {
            self.losses.block(kind);
        }
        Ok(())
    }

    /// Encoded blocks have time stamps in nanoseconds.
    fn is_block_sink(&self) -> bool {
        self.copying.is_none() && self.precision == Precision::Nano
    }

    fn as_block_sink(&mut self) -> Option<&mut dyn BlockSink> {
        if self.is_block_sink() { Some(self) } else { None }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.section()?;
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

    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        let section = self.section()?;
        let (order, earlier, interfaces) = (section.order, section.earlier, section.interfaces.clone());
        for totals in statistics {
            // Those of an earlier section cannot be written any more.
            let Some(interface) = totals.interface.checked_sub(earlier) else { continue };
            let units = match interfaces.get(interface as usize) {
                Some(described) if described.has_totals => continue,
                Some(described) => described.units,
                None => continue,
            };
            self.output.record(|buffer| {
                blocks::interface_statistics(&mut Encoder { buffer, order }, interface, units, totals);
            })?;
        }
        self.output.finish()
    }

    fn tell(&mut self, say: &mut dyn FnMut(&str)) {
        if let Some(losses) = self.losses.take() {
            say(&format!(
                "{}: left out, because it does not fit into this file: {losses}",
                self.output.name()
            ));
        }
        let timeless = std::mem::take(&mut self.timeless);
        if timeless > 0 {
            let name = self.output.name();
            say(&format!(
                "{name}: packets without a time (Simple Packet Blocks), which are written as of 1970: {timeless}"
            ));
        }
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

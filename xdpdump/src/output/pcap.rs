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
use xdpdump_ebpf::pcapng::{COMMENT, block::INTERFACE_STATISTICS};

use crate::{
    output::{
        Error, FileOptions, FileSink, Precision, Sink,
        losses::Losses,
        record::{MAX_CAPTURED, PCAP_RECORD_HEADER},
        records::Output,
    },
    packet::{
        Block, ByteOrder, Interface, InterfaceStatistics, LinkType, Original, Packet, Record, Time,
        block::{INTERFACE_OPTIONS, PCAP_MICRO, SECTION_OPTIONS, options},
    },
};

/// The most bytes of a packet that other tools read for all link types (`MAXIMUM_SNAPLEN` of libpcap, pcap-int.h;
/// `WTAP_MAX_PACKET_SIZE_STANDARD` of Wireshark, wiretap/wtap.h).
const MOST_READ: u32 = 262_144;

/// Writes in the byte order of this machine, or of the pcap file that is copied.
pub struct PcapSink {
    output: Output,
    precision: Precision,
    is_copy: bool,
    order: ByteOrder,
    /// Link type of the file; `None` until its header is written.
    link_type: Option<LinkType>,
    interfaces: Vec<Interface>,
    /// Number of interfaces that another file has.
    earlier: u32,
    /// What the file cannot hold.
    losses: Losses,
    /// Packets that other tools do not read.
    too_long: u64,
}

impl PcapSink {
    /// Writes nothing yet: the file's header needs an interface.
    pub fn new(output: Output, options: FileOptions) -> Self {
        let FileOptions { precision, copying, .. } = options;
        let is_copy = copying.is_some();
        let (order, losses) = (ByteOrder::NATIVE, Losses::default());
        Self {
            output,
            precision,
            is_copy,
            order,
            link_type: None,
            interfaces: Vec::new(),
            earlier: 0,
            losses,
            too_long: 0,
        }
    }

    fn header(&mut self, interface: &Interface) -> Result<(), Error> {
        let header = match (self.precision, &interface.original) {
            (Precision::AsRead, Original::Pcap(header)) => *header,
            _ => self.new_header(interface)?,
        };
        self.order = ByteOrder::of_pcap(&header).unwrap_or(ByteOrder::NATIVE);
        self.precision = match header.first_chunk().map(|magic| self.order.u32(*magic)) {
            Some(PCAP_MICRO) => Precision::Micro,
            _ => Precision::Nano,
        };
        self.output.begin_section(self.order);
        self.output.record(|buffer| buffer.extend_from_slice(&header))?;
        self.link_type = Some(interface.link_type);
        self.output.flush()
    }

    fn new_header(&self, interface: &Interface) -> Result<[u8; 24], Error> {
        // What the file that was read says of the frame check sequence stays.
        let link_type = match &interface.original {
            Original::Pcap(header) => header
                .last_chunk()
                .zip(ByteOrder::of_pcap(header))
                .map_or(interface.link_type.0.into(), |(field, order)| order.u32(*field)),
            _ => interface.link_type.0.into(),
        };
        let header = PcapHeader {
            // libpcap regards a snap length of 0 as a broken file, other readers as "nothing captured".
            snaplen: if interface.snap_len == 0 { longest(interface.link_type) } else { interface.snap_len },
            datalink: DataLink::from(link_type),
            ts_resolution: match self.precision {
                Precision::Micro => PcapTsResolution::MicroSecond,
                Precision::Nano | Precision::AsRead => PcapTsResolution::NanoSecond,
            },
            endianness: Endianness::native(),
            ..PcapHeader::default()
        };
        let mut bytes = [0; 24];
        header
            .write_to(&mut &mut bytes[..])
            .map_err(|error| Error::Write(self.output.name().to_owned(), io::Error::other(error)))?;
        Ok(bytes)
    }

    /// Counts what a packet's block has that this file cannot hold.
    fn count_losses(&mut self, block: Block<'_>) {
        if block.units().is_none() {
            self.losses.count("packets without a time, which are written as of 1970");
        }
        let (mut has_comment, mut has_more) = (false, false);
        for (code, _) in options(block.packet_options()) {
            has_comment |= code == COMMENT;
            has_more |= code != COMMENT;
        }
        if has_comment {
            self.losses.count(COMMENTS);
        }
        if has_more {
            self.losses.count("metadata of packets");
        }
    }

    /// The time of a packet, if the file can hold it.
    fn time(&self, packet: &Packet<'_>) -> Result<(u32, u32), Error> {
        let interface = packet.interface.wrapping_sub(self.earlier) as usize;
        let interface = self.interfaces.get(interface);
        let time = interface.map_or_else(|| packet.timestamp.into(), |interface| interface.time(packet));
        let Time { seconds, nanos, is_cut } = time;
        let error = |reason| Error::Time(self.output.name().to_owned(), time, reason);
        match u32::try_from(seconds) {
            Ok(_) if is_cut && self.is_copy && self.precision == Precision::Nano => Err(error(
                "a pcap file has no fractions of nanoseconds: write pcapng, or microseconds with --micro",
            )),
            Ok(seconds) => Ok((seconds, nanos)),
            // The clock of the machine is wrong, and a capture goes on.
            Err(_) if !self.is_copy && seconds < 0 => Ok((0, 0)),
            Err(_) if !self.is_copy => Ok((u32::MAX, 999_999_999)),
            Err(_) => Err(error("a pcap file has times from 1970 to 2106: write pcapng")),
        }
    }
}

/// What a pcap file has no place for.
const COMMENTS: &str = "comments";

/// The longest frames of a link type that readers accept: those of some USB captures and of D-Bus are longer than all others.
fn longest(link_type: LinkType) -> u32 {
    match link_type {
        LinkType::USB_LINUX_MMAPPED | LinkType::USBPCAP | LinkType::DBUS => 128 << 20,
        _ => MAX_CAPTURED as u32,
    }
}

impl FileSink for PcapSink {
    fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    fn skip_interfaces(&mut self, count: u32) {
        self.earlier = count;
    }
}

impl Sink for PcapSink {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.interfaces.push(interface.clone());
        if let Original::Pcapng(block, _) = &interface.original {
            let has_comment = |(code, _)| code == COMMENT;
            if options(block.borrow().options_at(INTERFACE_OPTIONS)).any(has_comment) {
                self.losses.count(COMMENTS);
            }
        }
        match self.link_type {
            None => self.header(interface),
            Some(first) if first == interface.link_type => Ok(()),
            Some(first) => Err(Error::LinkTypes(self.output.name().to_owned(), first, interface.link_type)),
        }
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let (order, is_copy) = (self.order, self.is_copy);
        let is_micro = self.precision == Precision::Micro;
        let time = match packet.record {
            // A copy is as wrong as the file.
            Record::Pcap { seconds, fraction, is_micro: as_is } if as_is == is_micro => [seconds, fraction],
            _ => self
                .time(packet)
                .map(|(seconds, nanos)| [seconds, if is_micro { nanos / 1000 } else { nanos }])?,
        };
        if let Record::Pcapng(block) = packet.record {
            self.count_losses(block);
        }
        let captured = packet.frame.len() as u32;
        self.too_long += u64::from(captured > MOST_READ);
        // A copy of a hostile file is as hostile.
        let frame_len = if is_copy { packet.frame_len } else { packet.frame_len.max(captured) };
        self.output.record(|buffer| record(buffer, order, time, packet.frame, frame_len))
    }

    fn block(&mut self, block: &Block<'_>) -> Result<(), Error> {
        match block.kind() {
            // Of a file that is read, nobody misses them.
            INTERFACE_STATISTICS => {}
            _ if block.is_section() => options(block.options_at(SECTION_OPTIONS))
                .filter(|(code, _)| *code == COMMENT)
                .for_each(|_| self.losses.count(COMMENTS)),
            kind => self.losses.block(kind),
        }
        Ok(())
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

    fn tell(&mut self, say: &mut dyn FnMut(&str)) {
        if let Some(losses) = self.losses.take() {
            let name = self.output.name();
            say(&format!("{name}: a pcap file has no place for: {losses}; write pcapng to keep them"));
        }
        let too_long = std::mem::take(&mut self.too_long);
        if too_long > 0 {
            let name = self.output.name();
            say(&format!(
                "{name}: packets of more than {MOST_READ} bytes, which tcpdump and Wireshark read for some link types only: {too_long}"
            ));
        }
    }
}

/// Appends a packet as one record, with its seconds and the fraction in the unit of the file.
pub fn record(
    buffer: &mut Vec<u8>,
    order: ByteOrder,
    [seconds, fraction]: [u32; 2],
    frame: &[u8],
    frame_len: u32,
) {
    buffer.reserve(PCAP_RECORD_HEADER + frame.len());
    for word in [seconds, fraction, frame.len() as u32, frame_len] {
        buffer.extend_from_slice(&order.of_u32(word));
    }
    buffer.extend_from_slice(frame);
}

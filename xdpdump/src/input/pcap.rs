//! Classic pcap files (draft-ietf-opsawg-pcap).

use std::io::Read;

use super::{MAX_RECORD, body::Stop, error::Fault, window::Window};
use crate::packet::{
    ByteOrder, Interface, LinkType, Meta, Original, Packet, Record, Timestamp,
    block::{Fields, PCAP_MICRO, PCAP_NANO},
};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
/// Nanoseconds.
const SECOND: i64 = 1_000_000_000;
/// Bytes of a record header in Alexey Kuznetzov's format, which adds interface index, protocol and packet type to the usual
/// one.
const MODIFIED_RECORD_HEADER: usize = 24;

const MODIFIED: u32 = 0xa1b2_cd34;

/// The format of all records, from the file header.
#[derive(Clone, Copy, Debug)]
pub struct Pcap {
    order: ByteOrder,
    record_header: usize,
    /// Nanoseconds in one unit of a time stamp's fraction.
    unit: i64,
    minor_version: u16,
}

impl Pcap {
    /// The kind of pcap file with these first bytes, or `None` if it is not pcap.
    pub fn detect(magic: [u8; 4]) -> Option<Self> {
        let kind = |order: ByteOrder| match order.u32(magic) {
            PCAP_MICRO => Some((order, RECORD_HEADER, 1000)),
            PCAP_NANO => Some((order, RECORD_HEADER, 1)),
            MODIFIED => Some((order, MODIFIED_RECORD_HEADER, 1000)),
            _ => None,
        };
        let (order, record_header, unit) = kind(ByteOrder::Little).or_else(|| kind(ByteOrder::Big))?;
        Some(Self { order, record_header, unit, minor_version: 0 })
    }

    /// Reads the file header.
    pub fn header<R: Read>(&mut self, window: &mut Window<R>) -> Result<Interface, Stop> {
        let bytes = window.peek(FILE_HEADER)?;
        let short = Stop::Truncated { what: "file header", wanted: FILE_HEADER, got: bytes.len() };
        let mut fields = Fields::new(bytes, self.order);
        let (interface, version) = (|| {
            let _magic = fields.u32()?;
            let version = (fields.u16()?, fields.u16()?);
            let _time_zone_and_accuracy = fields.u64()?;
            let snap_len = fields.u32()?;
            // Bits 16 to 31 describe the frame check sequence or are reserved.
            let link_type = LinkType(fields.u32()? as u16);
            Some((Interface { link_type, snap_len, ..Interface::default() }, version))
        })()
        .ok_or(short)?;
        if version.0 != 2 {
            return Err(Stop::Damaged(0, Fault::PcapVersion(version.0, version.1)));
        }
        self.minor_version = version.1;
        let header = window.advance(FILE_HEADER).first_chunk().copied();
        // The records of other versions cannot be copied as they are.
        let is_usual = version.1 == 4 && self.record_header == RECORD_HEADER;
        let original = header.filter(|_| is_usual).map_or(Original::None, Original::Pcap);
        Ok(Interface { original, ..interface })
    }

    /// Reads the next record; `None` at the end of the file.
    pub fn next<'a, R: Read>(&self, window: &'a mut Window<R>) -> Result<Option<Packet<'a>>, Stop> {
        let offset = window.offset();
        let header = window.peek(self.record_header)?;
        match header.len() {
            0 => return Ok(None),
            got if got < self.record_header => {
                return Err(Stop::Truncated { what: "header", wanted: self.record_header, got });
            }
            _ => {}
        }
        let mut fields = Fields::new(header, self.order);
        let mut field = || fields.u32().unwrap_or(0);
        let (seconds, fraction) = (field(), field());
        // The largest values of both fields still fit into an i64.
        let timestamp = Timestamp(i64::from(seconds) * SECOND + i64::from(fraction) * self.unit);
        let is_usual = i64::from(fraction) * self.unit < SECOND;
        let record =
            if is_usual { Record::None } else { Record::Pcap { seconds, fraction, is_micro: self.unit > 1 } };
        let (captured, frame_len) = self.lengths(field(), field());
        if captured > MAX_RECORD {
            return Err(Stop::Damaged(offset, Fault::PacketLength(captured)));
        }

        let wanted = captured as usize;
        let got = window.peek(self.record_header + wanted)?.len() - self.record_header;
        if got < wanted {
            return Err(Stop::Truncated { what: "captured", wanted, got });
        }
        window.advance(self.record_header);
        let frame = window.advance(wanted);
        let meta = Meta::default();
        Ok(Some(Packet { timestamp, uptime: None, interface: 0, frame, frame_len, meta, record }))
    }

    /// Returns captured length and original length in this order: old versions of the format stored them in the opposite
    /// order.
    fn lengths(&self, first: u32, second: u32) -> (u32, u32) {
        let swapped = match self.minor_version {
            0..3 => true,
            3 => first > second,
            _ => false,
        };
        if swapped { (second, first) } else { (first, second) }
    }
}

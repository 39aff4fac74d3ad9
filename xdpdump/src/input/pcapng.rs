//! pcapng files (draft-ietf-opsawg-pcapng).

use std::io::Read;

use xdpdump_ebpf::pcapng::block::{
    BYTE_ORDER_MAGIC, ENHANCED_PACKET, HEADER_LEN, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, PACKET,
    SECTION_HEADER, SIMPLE_PACKET, TRAILER_LEN,
};

use super::{Item, MAX_RECORD, body::Stop, error::Fault, options, window::Window};
use crate::packet::{
    BRIEF, Block, ByteOrder, Detail, Interface, InterfaceStatistics, LinkType, Meta, Original, Packet,
    Record, Units, block::Fields,
};

/// The block type of a section header, the same in both byte orders.
pub const MAGIC: [u8; 4] = SECTION_HEADER.to_be_bytes();
/// Largest number of interfaces in one file; reading a file needs memory for each.
pub const MAX_INTERFACES: usize = 1 << 16;
/// Largest number of bytes of all interface descriptions: a sink may keep all of them in memory.
pub const MAX_DESCRIPTIONS: usize = 16 << 20;

/// What the blocks read so far define for the next one.
#[derive(Debug)]
pub struct Pcapng {
    /// Byte order of the current section.
    order: ByteOrder,
    /// Interfaces of the current section.
    interfaces: Vec<Known>,
    /// Number of interfaces in earlier sections.
    earlier: usize,
    /// Bytes of all descriptions of interfaces so far.
    descriptions: usize,
    /// Whether the usual metadata is left out of packets of the current section, see [`Detail::Brief`].
    is_brief: bool,
}

/// What is needed of an interface to read its packets.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// Its index in the whole file.
    index: u32,
    units: Units,
    snap_len: u32,
}

/// Where a block is that is completely in the window.
#[derive(Clone, Copy, Debug)]
struct Place {
    length: usize,
    /// Of its first byte in the file.
    offset: u64,
}

impl Default for Pcapng {
    fn default() -> Self {
        Self {
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            earlier: 0,
            descriptions: 0,
            is_brief: false,
        }
    }
}

impl Pcapng {
    /// Finds the first interface, and reads nothing; `None` if there is none, or not within [`MAX_DESCRIPTIONS`] bytes.
    pub fn first_interface<R: Read>(window: &mut Window<R>) -> Result<Option<Interface>, Stop> {
        let mut ahead = Self::default();
        let mut at = 0;
        while at < MAX_DESCRIPTIONS {
            let place = match ahead.find(window, at) {
                Ok(Some(place)) => place,
                // The header of the section is whole: it is a file without packets, to its end.
                Err(Stop::Truncated { .. }) if at > 0 => return Ok(None),
                Ok(None) => return Ok(None),
                Err(stop) => return Err(stop),
            };
            let end = at + place.length;
            let bytes = window.ahead(end).get(at..).unwrap_or_default();
            let block = Block { bytes, order: ahead.order };
            match block.kind() {
                SECTION_HEADER => ahead.section(block, place)?,
                INTERFACE_DESCRIPTION => return ahead.interface(block, place).map(Some),
                PACKET | SIMPLE_PACKET | ENHANCED_PACKET => {
                    // There is no interface that it could be of.
                    let fault = ahead.any_packet(block).and_then(Result::err);
                    let fault = fault.unwrap_or(Fault::Contents(block.kind()));
                    return Err(Stop::Damaged(place.offset, fault));
                }
                _ => {}
            }
            at = end;
        }
        Ok(None)
    }

    /// Reads the next item; `None` at the end of the file. An interface is stored in `interface`.
    pub fn next<'a, R: Read>(
        &mut self,
        window: &'a mut Window<R>,
        interface: &'a mut Option<Interface>,
    ) -> Result<Option<Item<'a>>, Stop> {
        let Some(place) = self.find(window, 0)? else { return Ok(None) };
        let block = Block { bytes: window.advance(place.length), order: self.order };
        Ok(Some(match block.kind() {
            ENHANCED_PACKET | PACKET | SIMPLE_PACKET => match self.any_packet(block) {
                Some(Ok(packet)) => Item::Packet(Packet { record: Record::Pcapng(block), ..packet }),
                Some(Err(fault)) => return Err(Stop::Damaged(place.offset, fault)),
                None => return Err(Stop::Damaged(place.offset, Fault::Contents(block.kind()))),
            },
            SECTION_HEADER => {
                self.section(block, place)?;
                Item::Block(block)
            }
            INTERFACE_DESCRIPTION => Item::Interface(interface.insert(self.interface(block, place)?)),
            INTERFACE_STATISTICS => match self.statistics(Fields::new(block.body(), self.order)) {
                Some(statistics) => Item::Statistics(statistics, Some(block)),
                None => Item::Block(block),
            },
            _ => Item::Block(block),
        }))
    }

    /// Reads until the block `at` bytes after the beginning of the window is completely in it.
    fn find<R: Read>(&mut self, window: &mut Window<R>, at: usize) -> Result<Option<Place>, Stop> {
        let offset = window.offset() + at as u64;
        let fault = |fault| Stop::Damaged(offset, fault);
        let header = window.peek(at + HEADER_LEN)?.get(at..).unwrap_or_default();
        let got = header.len();
        if got == 0 {
            return Ok(None);
        }
        let Some((&kind, length)) = header.split_first_chunk::<4>() else {
            return Err(Stop::Truncated { what: "block header", wanted: HEADER_LEN, got });
        };
        let Some(&length) = length.first_chunk::<4>() else {
            return Err(Stop::Truncated { what: "block header", wanted: HEADER_LEN, got });
        };
        if kind == MAGIC {
            let wanted = HEADER_LEN + 4;
            let header = window.peek(at + wanted)?.get(at..).unwrap_or_default();
            let got = header.len();
            let Some(&magic) = header.last_chunk().filter(|_| got == wanted) else {
                return Err(Stop::Truncated { what: "section header", wanted, got });
            };
            self.order = byte_order(magic).map_err(fault)?;
        }

        let length = self.order.u32(length);
        let wanted = length as usize;
        if wanted < HEADER_LEN + TRAILER_LEN || !length.is_multiple_of(4) || length > MAX_RECORD {
            return Err(fault(Fault::BlockLength(length)));
        }
        let bytes = window.peek(at + wanted)?.get(at..).unwrap_or_default();
        let trailer = match bytes.last_chunk() {
            Some(&trailer) if bytes.len() == wanted => self.order.u32(trailer),
            _ => return Err(Stop::Truncated { what: "block", wanted, got: bytes.len() }),
        };
        if trailer == length {
            Ok(Some(Place { length: wanted, offset }))
        } else {
            Err(fault(Fault::BlockEnd(length, trailer)))
        }
    }

    /// Begins a section: interface ids start from 0 again.
    fn section(&mut self, block: Block<'_>, place: Place) -> Result<(), Stop> {
        let mut fields = Fields::new(block.body(), self.order);
        let version = (|| {
            let _byte_order = fields.u32()?;
            let version = (fields.u16()?, fields.u16()?);
            let _section_length = fields.bytes(8)?;
            Some(version)
        })();
        self.is_brief = options::has_comment(fields, BRIEF);
        self.earlier += self.interfaces.len();
        self.interfaces.clear();
        match version {
            Some((1, _)) => Ok(()),
            Some((major, minor)) => Err(Stop::Damaged(place.offset, Fault::PcapngVersion(major, minor))),
            None => Err(Stop::Damaged(place.offset, Fault::Contents(SECTION_HEADER))),
        }
    }

    fn interface(&mut self, block: Block<'_>, place: Place) -> Result<Interface, Stop> {
        let index = self.earlier + self.interfaces.len();
        if index >= MAX_INTERFACES {
            return Err(Stop::Damaged(place.offset, Fault::Interfaces));
        }
        self.descriptions += place.length;
        if self.descriptions > MAX_DESCRIPTIONS {
            return Err(Stop::Damaged(place.offset, Fault::Descriptions));
        }
        let mut fields = Fields::new(block.body(), self.order);
        let (link_type, snap_len) = (|| {
            let link_type = LinkType(fields.u16()?);
            let _reserved = fields.u16()?;
            Some((link_type, fields.u32()?))
        })()
        .ok_or(Stop::Damaged(place.offset, Fault::Contents(INTERFACE_DESCRIPTION)))?;
        let mut interface = Interface { link_type, snap_len, ..Interface::default() };
        let units = options::interface(fields, &mut interface);
        interface.original = Original::Pcapng(block.owned(), units);
        self.interfaces.push(Known { index: index as u32, units, snap_len });
        Ok(interface)
    }

    /// Returns `None` if the block makes no sense: packets should not be lost because of wrong statistics.
    fn statistics(&self, mut fields: Fields<'_>) -> Option<InterfaceStatistics> {
        let Known { index, units, .. } = self.known(fields.u32()?).ok()?;
        let end = units.timestamp(fields.time()?);
        let mut statistics = InterfaceStatistics { interface: index, end, ..InterfaceStatistics::default() };
        options::statistics(fields, units, &mut statistics);
        Some(statistics)
    }

    /// A packet of any kind of block; `None` if the block is too short for it.
    fn any_packet<'a>(&self, block: Block<'a>) -> Option<Result<Packet<'a>, Fault>> {
        let fields = Fields::new(block.body(), self.order);
        match block.kind() {
            ENHANCED_PACKET => self.enhanced_packet(fields),
            SIMPLE_PACKET => self.simple_packet(fields),
            _ => self.packet(fields),
        }
    }

    fn enhanced_packet<'a>(&self, mut fields: Fields<'a>) -> Option<Result<Packet<'a>, Fault>> {
        let interface = fields.u32()?;
        Some(self.timed_packet(interface, &mut fields)?.map(|packet| {
            let meta = options::packet(fields);
            Packet { meta: if self.is_brief { Detail::usual(meta) } else { meta }, ..packet }
        }))
    }

    /// The obsolete Packet Block.
    fn packet<'a>(&self, mut fields: Fields<'a>) -> Option<Result<Packet<'a>, Fault>> {
        let interface = fields.u16()?;
        // 65535 means that the writer does not know the number.
        let lost = fields.u16().filter(|&lost| lost != u16::MAX);
        Some(self.timed_packet(interface.into(), &mut fields)?.map(|packet| {
            let meta = Meta { lost: lost.unwrap_or(0).into(), ..options::packet(fields) };
            Packet { meta, ..packet }
        }))
    }

    /// Reads what both kinds of packet block have in common: time stamp, lengths and bytes.
    fn timed_packet<'a>(&self, interface: u32, fields: &mut Fields<'a>) -> Option<Result<Packet<'a>, Fault>> {
        let time = fields.time()?;
        let captured = fields.u32()?;
        let frame_len = fields.u32()?;
        let frame = fields.padded(captured as usize)?;
        Some(self.known(interface).map(|Known { index, units, .. }| Packet {
            timestamp: units.timestamp(time),
            uptime: None,
            interface: index,
            frame,
            frame_len,
            meta: Meta::default(),
            record: Record::None,
        }))
    }

    /// Reads a Simple Packet Block: a packet of the section's first interface, without a time or a captured length.
    fn simple_packet<'a>(&self, mut fields: Fields<'a>) -> Option<Result<Packet<'a>, Fault>> {
        let frame_len = fields.u32()?;
        let Known { index, snap_len, .. } = match self.known(0) {
            Ok(known) => known,
            Err(fault) => return Some(Err(fault)),
        };
        let limit = if snap_len == 0 { u32::MAX } else { snap_len };
        let frame = fields.bytes(frame_len.min(limit) as usize)?;
        let (timestamp, meta) = Default::default();
        Some(Ok(Packet {
            timestamp,
            uptime: None,
            interface: index,
            frame,
            frame_len,
            meta,
            record: Record::None,
        }))
    }

    fn known(&self, interface: u32) -> Result<Known, Fault> {
        self.interfaces.get(interface as usize).copied().ok_or(Fault::Interface(interface))
    }
}

/// The byte order of a section, from the byte-order magic in its header.
fn byte_order(magic: [u8; 4]) -> Result<ByteOrder, Fault> {
    if u32::from_be_bytes(magic) == BYTE_ORDER_MAGIC {
        Ok(ByteOrder::Big)
    } else if u32::from_le_bytes(magic) == BYTE_ORDER_MAGIC {
        Ok(ByteOrder::Little)
    } else {
        Err(Fault::ByteOrder(u32::from_be_bytes(magic)))
    }
}

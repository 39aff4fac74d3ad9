//! pcapng files (draft-ietf-opsawg-pcapng).

use std::io::Read;

use xdpdump_ebpf::pcapng::block::{
    BYTE_ORDER_MAGIC, ENHANCED_PACKET, HEADER_LEN, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, PACKET,
    SECTION_HEADER, SIMPLE_PACKET, TRAILER_LEN,
};

use super::{
    Item, MAX_RECORD,
    body::Stop,
    bytes::{ByteOrder, Fields},
    error::Fault,
    options,
    time::Clock,
    window::Window,
};
use crate::packet::{BRIEF, Detail, Interface, InterfaceStatistics, LinkType, Meta, Packet};

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
    clock: Clock,
    snap_len: u32,
}

/// A block that is completely in the window.
#[derive(Clone, Copy, Debug)]
struct Block {
    kind: u32,
    length: usize,
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
    /// Reads up to the first interface; `None` if there is none.
    pub fn first_interface<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Interface>, Stop> {
        let mut interface = None;
        // Before the first interface, a packet is an error and statistics are skipped.
        self.next(window, &mut interface)?;
        Ok(interface)
    }

    /// Reads the next item; `None` at the end of the file. An interface is stored in `interface`.
    pub fn next<'a, R: Read>(
        &mut self,
        window: &'a mut Window<R>,
        interface: &'a mut Option<Interface>,
    ) -> Result<Option<Item<'a>>, Stop> {
        let block = loop {
            let Some(block) = self.block(window)? else { return Ok(None) };
            match block.kind {
                SECTION_HEADER => self.section(body(window.advance(block.length)), block)?,
                INTERFACE_STATISTICS => {
                    let fields = Fields::new(body(window.advance(block.length)), self.order);
                    if let Some(statistics) = self.statistics(fields) {
                        return Ok(Some(Item::Statistics(statistics)));
                    }
                }
                INTERFACE_DESCRIPTION | PACKET | SIMPLE_PACKET | ENHANCED_PACKET => break block,
                _ => drop(window.advance(block.length)),
            }
        };

        let fields = Fields::new(body(window.advance(block.length)), self.order);
        if block.kind == INTERFACE_DESCRIPTION {
            *interface = Some(self.interface(fields, block)?);
            return Ok(interface.as_ref().map(Item::Interface));
        }
        let packet = match block.kind {
            ENHANCED_PACKET => self.enhanced_packet(fields),
            SIMPLE_PACKET => self.simple_packet(fields),
            _ => self.packet(fields),
        };
        match packet {
            Some(Ok(packet)) => Ok(Some(Item::Packet(packet))),
            Some(Err(fault)) => Err(Stop::Damaged(block.offset, fault)),
            None => Err(Stop::Damaged(block.offset, Fault::Contents(block.kind))),
        }
    }

    /// Reads until the next block is completely in the window.
    fn block<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Block>, Stop> {
        let offset = window.offset();
        let fault = |fault| Stop::Damaged(offset, fault);
        let header = window.peek(HEADER_LEN)?;
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
            let header = window.peek(wanted)?;
            let got = header.len();
            let Some(&magic) = header.last_chunk().filter(|_| got == wanted) else {
                return Err(Stop::Truncated { what: "section header", wanted, got });
            };
            self.order = byte_order(magic).map_err(fault)?;
        }

        let (kind, length) = (self.order.u32(kind), self.order.u32(length));
        let wanted = length as usize;
        if wanted < HEADER_LEN + TRAILER_LEN || !length.is_multiple_of(4) || length > MAX_RECORD {
            return Err(fault(Fault::BlockLength(length)));
        }
        let bytes = window.peek(wanted)?;
        let trailer = match bytes.last_chunk() {
            Some(&trailer) if bytes.len() == wanted => self.order.u32(trailer),
            _ => return Err(Stop::Truncated { what: "block", wanted, got: bytes.len() }),
        };
        if trailer == length {
            Ok(Some(Block { kind, length: wanted, offset }))
        } else {
            Err(fault(Fault::BlockEnd(length, trailer)))
        }
    }

    /// Begins a section: interface ids start from 0 again.
    fn section(&mut self, body: &[u8], block: Block) -> Result<(), Stop> {
        let mut fields = Fields::new(body, self.order);
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
            Some((major, minor)) => Err(Stop::Damaged(block.offset, Fault::PcapngVersion(major, minor))),
            None => Err(Stop::Damaged(block.offset, Fault::Contents(block.kind))),
        }
    }

    fn interface(&mut self, mut fields: Fields<'_>, block: Block) -> Result<Interface, Stop> {
        let index = self.earlier + self.interfaces.len();
        if index >= MAX_INTERFACES {
            return Err(Stop::Damaged(block.offset, Fault::Interfaces));
        }
        self.descriptions += block.length;
        if self.descriptions > MAX_DESCRIPTIONS {
            return Err(Stop::Damaged(block.offset, Fault::Descriptions));
        }
        let (link_type, snap_len) = (|| {
            let link_type = LinkType(fields.u16()?);
            let _reserved = fields.u16()?;
            Some((link_type, fields.u32()?))
        })()
        .ok_or(Stop::Damaged(block.offset, Fault::Contents(block.kind)))?;
        let mut interface = Interface { link_type, snap_len, ..Interface::default() };
        let clock = options::interface(fields, &mut interface);
        self.interfaces.push(Known { index: index as u32, clock, snap_len });
        Ok(interface)
    }

    /// Returns `None` if the block makes no sense: packets should not be lost because of wrong statistics.
    fn statistics(&self, mut fields: Fields<'_>) -> Option<InterfaceStatistics> {
        let Known { index, clock, .. } = self.known(fields.u32()?).ok()?;
        let end = clock.timestamp(fields.time()?);
        let mut statistics = InterfaceStatistics { interface: index, end, ..InterfaceStatistics::default() };
        options::statistics(fields, clock, &mut statistics);
        Some(statistics)
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
        Some(self.known(interface).map(|Known { index, clock, .. }| Packet {
            timestamp: clock.timestamp(time),
            uptime: None,
            interface: index,
            frame,
            frame_len,
            meta: Meta::default(),
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
        Some(Ok(Packet { timestamp, uptime: None, interface: index, frame, frame_len, meta }))
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

/// The body of a block: the bytes between block type and length in front and the length at its end.
fn body(block: &[u8]) -> &[u8] {
    block.get(HEADER_LEN..block.len().saturating_sub(TRAILER_LEN)).unwrap_or_default()
}

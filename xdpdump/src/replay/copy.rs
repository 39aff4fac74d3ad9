//! Hands what is requested of files to the sinks.

use std::collections::{BTreeMap, btree_map::Entry};

use super::Error;
use crate::{
    input::Item,
    output::Sink,
    packet::{Interface, InterfaceStatistics, LinkType, Packet},
    selection::{self, Choice, Request, Selector},
};

/// Hands items on.
pub struct Copy<'a> {
    pub request: &'a Request,
    chooser: Chooser<'a>,
    /// Number of packets after which to stop.
    limit: Option<u64>,
    packet_buffered: bool,
    pub sink: &'a mut dyn Sink,
    /// Number of packets that were handed on.
    pub count: u64,
    pub totals: Totals,
}

/// The newest totals of each interface: a file may contain several, each newer than the one before.
pub type Totals = BTreeMap<u32, InterfaceStatistics>;

impl<'a> Copy<'a> {
    /// Of the packets that are requested, at most `limit`.
    pub fn new(
        request: &'a Request,
        limit: Option<u64>,
        packet_buffered: bool,
        sink: &'a mut dyn Sink,
    ) -> Self {
        let (chooser, totals) = (Chooser::new(request), Totals::new());
        Self { request, chooser, limit, packet_buffered, sink, count: 0, totals }
    }

    /// Takes the next item; false when no more is wanted.
    ///
    /// # Errors
    /// When the output cannot be written, or the filter makes no sense for the packet.
    pub fn item(&mut self, item: &Item<'_>) -> Result<bool, Error> {
        match item {
            Item::Interface(interface) => {
                self.chooser.interface(interface);
                match self.request.filter_behind(interface) {
                    Some(filter) => {
                        self.sink.interface(&Interface { filter: Some(filter), ..(*interface).clone() })?;
                    }
                    None => self.sink.interface(interface)?,
                }
            }
            Item::Packet(packet) => {
                let mut packet = *packet;
                if self.chooser.takes(&mut packet)? {
                    if self.sink.clock(packet.timestamp)?.is_break() {
                        return Ok(false);
                    }
                    self.sink.packet(&packet)?;
                    self.count += 1;
                    if self.sink.wants_totals() {
                        self.sink.totals(&[])?;
                    }
                    if self.packet_buffered {
                        self.sink.flush()?;
                    }
                }
            }
            Item::Statistics(newer, block) => {
                if let Some(block) = block {
                    self.sink.block(block)?;
                }
                self.totals.insert(newer.interface, *newer);
            }
            Item::Block(block) => self.sink.block(block)?,
        }
        Ok(self.limit != Some(self.count))
    }
}

/// Chooses packets of interfaces with different link types.
struct Chooser<'a> {
    request: &'a Request,
    /// Of each interface.
    link_types: Vec<LinkType>,
    /// Made for the first packet of each link type: a filter may make sense for one and not for another.
    selectors: BTreeMap<LinkType, Selector>,
}

impl<'a> Chooser<'a> {
    fn new(request: &'a Request) -> Self {
        Self { request, link_types: Vec::new(), selectors: BTreeMap::new() }
    }

    fn interface(&mut self, interface: &Interface) {
        self.link_types.push(interface.link_type);
    }

    /// Whether the packet is wanted; as much of it as is wanted is left.
    fn takes(&mut self, packet: &mut Packet<'_>) -> Result<bool, selection::Error> {
        if self.request.is_everything() {
            return Ok(true);
        }
        let link_type = self.link_types.get(packet.interface as usize).copied().unwrap_or_default();
        let selector = match self.selectors.entry(link_type) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Selector::new(self.request.compile_in_file(link_type)?)),
        };
        Ok(selector.choose(packet, None) == Choice::Taken)
    }
}

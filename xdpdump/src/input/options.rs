//! The options at the end of pcapng blocks (draft-ietf-opsawg-pcapng, section 3.5).

use super::{bytes::Fields, time::Clock};
use crate::packet::{Direction, Interface, InterfaceStatistics, Meta};

/// Code and value of each option, up to the end mark or to where an option does not fit into the block.
fn options(mut fields: Fields<'_>) -> impl Iterator<Item = (u16, Fields<'_>)> {
    std::iter::from_fn(move || {
        let code = fields.u16().filter(|&code| code != 0)?;
        let length = fields.u16()?;
        Some((code, Fields::new(fields.padded(length.into())?, fields.order)))
    })
}

/// Adds the options of an Interface Description Block to `interface`, and gives its clock.
pub fn interface(fields: Fields<'_>, interface: &mut Interface) -> Clock {
    let mut clock = Clock::default();
    for (code, mut value) in options(fields) {
        match code {
            2 => interface.name = Some(text(value.rest)),
            3 => interface.description = Some(text(value.rest)),
            6 => interface.mac = value.rest.try_into().ok(),
            8 => interface.speed = value.u64(),
            9 => clock.resolution = value.rest.first().copied().unwrap_or(clock.resolution),
            // The first octet 0 says that a pcap-filter expression follows.
            11 => interface.filter = value.rest.strip_prefix(&[0]).map(text),
            12 => interface.os = Some(text(value.rest)),
            14 => clock.offset = value.u64().map_or(clock.offset, u64::cast_signed),
            15 => interface.hardware = Some(text(value.rest)),
            _ => {}
        }
    }
    clock
}

/// The options of an Enhanced Packet Block, and those of a Packet Block, whose numbers mean the same.
pub fn packet(fields: Fields<'_>) -> Meta {
    let mut meta = Meta::default();
    for (code, mut value) in options(fields) {
        match code {
            2 => meta.direction = direction(value.u32().unwrap_or(0)),
            4 => meta.lost = value.u64().unwrap_or(0),
            5 => meta.packet_id = value.u64(),
            6 => meta.queue = value.u32(),
            // Type 2 is the verdict of an XDP program.
            7 if value.bytes(1) == Some(&[2]) => meta.verdict = value.u64(),
            _ => {}
        }
    }
    meta
}

/// Adds the options of an Interface Statistics Block to `statistics`.
pub fn statistics(fields: Fields<'_>, clock: Clock, statistics: &mut InterfaceStatistics) {
    for (code, mut value) in options(fields) {
        match code {
            2 => statistics.start = value.time().map_or(statistics.start, |time| clock.timestamp(time)),
            3 => statistics.end = value.time().map_or(statistics.end, |time| clock.timestamp(time)),
            4 => statistics.received = value.u64().unwrap_or(0),
            6 => statistics.accepted = value.u64().unwrap_or(0),
            7 => statistics.dropped = value.u64().unwrap_or(0),
            8 => statistics.delivered = value.u64().unwrap_or(0),
            _ => {}
        }
    }
}

/// Bits 0 and 1 of the flags.
fn direction(flags: u32) -> Direction {
    match flags & 3 {
        1 => Direction::Inbound,
        2 => Direction::Outbound,
        _ => Direction::Unknown,
    }
}

/// UTF-8 as good as it is, without the zeros some writers put at its end.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

//! The options at the end of pcapng blocks (draft-ietf-opsawg-pcapng, section 3.5).

use xdpdump_ebpf::pcapng;

use crate::packet::{
    Direction, HOST_TIME, Interface, InterfaceStatistics, Meta, Units,
    block::{Fields, options, text},
};

/// Adds the options of an Interface Description Block to `interface`, and returns how it counts time.
pub fn interface(fields: Fields<'_>, interface: &mut Interface) -> Units {
    let mut units = Units::default();
    for (code, mut value) in options(fields) {
        match code {
            pcapng::interface::NAME => interface.name = Some(text(value.rest)),
            pcapng::interface::DESCRIPTION => interface.description = Some(text(value.rest)),
            pcapng::interface::MAC => interface.mac = value.rest.try_into().ok(),
            pcapng::interface::SPEED => interface.speed = value.u64(),
            pcapng::interface::TIME_RESOLUTION => {
                units.resolution = value.rest.first().copied().unwrap_or(units.resolution);
            }
            pcapng::interface::FILTER => {
                interface.filter = value.rest.strip_prefix(&[pcapng::interface::FILTER_EXPRESSION]).map(text);
            }
            pcapng::interface::OS => interface.os = Some(text(value.rest)),
            pcapng::interface::TIME_OFFSET => {
                units.offset = value.u64().map_or(units.offset, u64::cast_signed);
            }
            pcapng::interface::HARDWARE => interface.hardware = Some(text(value.rest)),
            _ => {}
        }
    }
    units
}

/// Whether one of the options is this comment.
pub fn has_comment(fields: Fields<'_>, comment: &str) -> bool {
    options(fields).any(|(code, value)| code == pcapng::COMMENT && value.rest == comment.as_bytes())
}

/// Reads the options of an Enhanced Packet Block, or of a Packet Block, whose option codes mean the same.
pub fn packet(fields: Fields<'_>) -> Meta {
    let mut meta = Meta::default();
    for (code, mut value) in options(fields) {
        match code {
            pcapng::packet::FLAGS => meta.direction = direction(value.u32().unwrap_or(0)),
            pcapng::packet::DROP_COUNT => meta.lost = value.u64().unwrap_or(0),
            pcapng::packet::PACKET_ID => meta.packet_id = value.u64(),
            pcapng::COMMENT if value.rest == HOST_TIME.as_bytes() => meta.has_host_time = true,
            pcapng::packet::HASH if value.bytes(1) == Some(&[pcapng::packet::HASH_TOEPLITZ]) => {
                meta.hash = value.rest.try_into().ok().map(u32::from_be_bytes);
            }
            pcapng::packet::QUEUE => meta.queue = value.u32(),
            pcapng::packet::VERDICT if value.bytes(1) == Some(&[pcapng::packet::VERDICT_XDP]) => {
                meta.verdict = value.u64();
            }
            _ => {}
        }
    }
    meta
}

/// Adds the options of an Interface Statistics Block to `statistics`.
pub fn statistics(fields: Fields<'_>, units: Units, statistics: &mut InterfaceStatistics) {
    for (code, mut value) in options(fields) {
        match code {
            pcapng::statistics::START_TIME => {
                statistics.start = value.time().map_or(statistics.start, |time| units.timestamp(time));
            }
            pcapng::statistics::END_TIME => {
                statistics.end = value.time().map_or(statistics.end, |time| units.timestamp(time));
            }
            pcapng::statistics::RECEIVED => statistics.received = value.u64().unwrap_or(0),
            pcapng::statistics::FILTER_ACCEPT => statistics.accepted = value.u64().unwrap_or(0),
            pcapng::statistics::OS_DROP => statistics.dropped = value.u64().unwrap_or(0),
            pcapng::statistics::DELIVERED => statistics.delivered = value.u64().unwrap_or(0),
            _ => {}
        }
    }
}

/// The direction in bits 0 and 1 of the flags.
fn direction(flags: u32) -> Direction {
    match flags & pcapng::packet::DIRECTION_MASK {
        pcapng::packet::INBOUND => Direction::Inbound,
        pcapng::packet::OUTBOUND => Direction::Outbound,
        _ => Direction::Unknown,
    }
}

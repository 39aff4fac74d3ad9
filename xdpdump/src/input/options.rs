//! The options at the end of pcapng blocks (draft-ietf-opsawg-pcapng, section 3.5).

use xdpdump_ebpf::pcapng::{self, END_OF_OPTIONS};

use super::{bytes::Fields, time::Clock};
use crate::packet::{Direction, HOST_TIME, Interface, InterfaceStatistics, Meta};

/// Code and value of each option, up to the end-of-options mark or to the first option that does not fit into the block.
fn options(mut fields: Fields<'_>) -> impl Iterator<Item = (u16, Fields<'_>)> {
    std::iter::from_fn(move || {
        let code = fields.u16().filter(|&code| code != END_OF_OPTIONS)?;
        let length = fields.u16()?;
        Some((code, Fields::new(fields.padded(length.into())?, fields.order)))
    })
}

/// Adds the options of an Interface Description Block to `interface`, and returns its clock.
pub fn interface(fields: Fields<'_>, interface: &mut Interface) -> Clock {
    let mut clock = Clock::default();
    for (code, mut value) in options(fields) {
        match code {
            pcapng::interface::NAME => interface.name = Some(text(value.rest)),
            pcapng::interface::DESCRIPTION => interface.description = Some(text(value.rest)),
            pcapng::interface::MAC => interface.mac = value.rest.try_into().ok(),
            pcapng::interface::SPEED => interface.speed = value.u64(),
            pcapng::interface::TIME_RESOLUTION => {
                clock.resolution = value.rest.first().copied().unwrap_or(clock.resolution);
            }
            pcapng::interface::FILTER => {
                interface.filter = value.rest.strip_prefix(&[pcapng::interface::FILTER_EXPRESSION]).map(text);
            }
            pcapng::interface::OS => interface.os = Some(text(value.rest)),
            pcapng::interface::TIME_OFFSET => {
                clock.offset = value.u64().map_or(clock.offset, u64::cast_signed);
            }
            pcapng::interface::HARDWARE => interface.hardware = Some(text(value.rest)),
            _ => {}
        }
    }
    clock
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
pub fn statistics(fields: Fields<'_>, clock: Clock, statistics: &mut InterfaceStatistics) {
    for (code, mut value) in options(fields) {
        match code {
            pcapng::statistics::START_TIME => {
                statistics.start = value.time().map_or(statistics.start, |time| clock.timestamp(time));
            }
            pcapng::statistics::END_TIME => {
                statistics.end = value.time().map_or(statistics.end, |time| clock.timestamp(time));
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

/// The value as UTF-8, with invalid bytes replaced, and without the NUL bytes that some writers append.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

//! Blocks that were read from a pcapng file.
//!
//! A block is copied byte for byte if it stays in a section of its byte order and nothing about it changes. Otherwise its options
//! are copied one by one.

use xdpdump_ebpf::pcapng::{
    block::{
        ENHANCED_PACKET, HEADER_LEN, INTERFACE_DESCRIPTION, INTERFACE_STATISTICS, PACKET, SECTION_HEADER,
        SIMPLE_PACKET,
    },
    interface::{SPEED, TIME_OFFSET},
    packet::{DROP_COUNT, FLAGS, PACKET_ID, QUEUE, VERDICT, VERDICT_XDP},
};

use super::encode::{Encoder, Head};
use crate::packet::{
    Block, Direction, Packet,
    block::{
        CUSTOM_OPTIONS, Fields,
        interface::{RECEIVE_SPEED, SEND_SPEED},
        kind::{CUSTOM, CUSTOM_NOT_COPIED, DECRYPTION_SECRETS, NAME_RESOLUTION},
        options,
    },
};

/// `if_tzone`, 4 bytes, of old drafts.
const TIME_ZONE: u16 = 10;
/// systemd Journal Export Block (4.7), whose body is text without numbers.
const JOURNAL: u32 = 9;

/// How a packet gets into a section.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The number of its interface in the section.
    pub interface: u32,
    /// Most bytes captured of a frame of that interface; 0 means no limit.
    pub snap_len: u32,
    /// The packet's time, if that is counted anew.
    pub time: Option<u64>,
    /// Whether the header of the section it comes from says more about it than its own options.
    pub is_new_section: bool,
}

/// Appends a packet that was read from `block`. Returns whether its time is known: that of a Simple Packet Block is not, unless the
/// block is written as it is.
#[inline]
pub fn packet(encoder: &mut Encoder<'_>, packet: &Packet<'_>, block: Block<'_>, place: Place) -> bool {
    let is_complete = !place.is_new_section || Missing::of(packet, block).is_nothing();
    if is_complete
        && place.time.is_none()
        && encoder.order == block.order
        && is_whole(packet, block, place)
        && verbatim(encoder, block, place.interface)
    {
        return true;
    }
    let Place { interface, time, .. } = place;
    let head = Head { interface, time: time.or(block.units()).unwrap_or(0), frame_len: packet.frame_len };
    encoder.packet(head, packet.frame, |encoder| {
        let start = encoder.buffer.len();
        for (code, value) in options(block.packet_options()) {
            option(encoder, ENHANCED_PACKET, code, value);
        }
        let missing = Missing::of(packet, block);
        if place.is_new_section {
            encoder.direction(missing.direction);
            missing.queue.iter().for_each(|queue| encoder.option_u32(QUEUE, *queue));
        }
        if missing.lost > 0 {
            encoder.option_u64(DROP_COUNT, missing.lost);
        }
        if encoder.buffer.len() != start {
            encoder.end_of_options();
        }
    });
    block.units().is_some()
}

/// What is known of a packet and is not among the options of its block.
struct Missing {
    direction: Direction,
    queue: Option<u32>,
    lost: u64,
}

impl Missing {
    fn of(packet: &Packet<'_>, block: Block<'_>) -> Self {
        let meta = packet.meta;
        let mut missing = Self { direction: meta.direction, queue: meta.queue, lost: meta.lost };
        for (code, _) in options(block.packet_options()) {
            match code {
                FLAGS => missing.direction = Direction::Unknown,
                QUEUE => missing.queue = None,
                DROP_COUNT => missing.lost = 0,
                _ => {}
            }
        }
        missing
    }

    /// The obsolete Packet Block has a field for losses.
    fn is_nothing(&self) -> bool {
        self.direction == Direction::Unknown && self.queue.is_none()
    }
}

/// Whether the whole frame of the block is wanted.
fn is_whole(packet: &Packet<'_>, block: Block<'_>, place: Place) -> bool {
    let limit = if place.snap_len == 0 { u32::MAX } else { place.snap_len };
    let captured = block.captured().unwrap_or(packet.frame_len.min(limit));
    captured as usize == packet.frame.len()
}

/// Appends a packet's block with another number of its interface; false if it cannot have that.
fn verbatim(encoder: &mut Encoder<'_>, block: Block<'_>, interface: u32) -> bool {
    let number = encoder.order.of_u32(interface);
    let half = u16::try_from(interface).map(|interface| encoder.order.of_u16(interface));
    let (number, is_short) = match (block.kind(), &half) {
        (ENHANCED_PACKET, _) => (&number[..], false),
        (PACKET, Ok(half)) => (&half[..], false),
        (SIMPLE_PACKET, _) if interface == 0 => (&[][..], true),
        _ => return false,
    };
    let start = encoder.buffer.len();
    encoder.bytes(block.bytes);
    if !is_short && let Some(place) = encoder.buffer.get_mut(start + HEADER_LEN..) {
        place.iter_mut().zip(number).for_each(|(place, byte)| *place = *byte);
    }
    true
}

/// Appends a block that is about no interface, and that may come from a section with the other byte order; false if it cannot be
/// written in this one.
pub fn other(encoder: &mut Encoder<'_>, block: Block<'_>) -> bool {
    if block.order == encoder.order {
        encoder.bytes(block.bytes);
        return true;
    }
    let body = Fields::new(block.body(), block.order);
    match block.kind() {
        JOURNAL => encoder.block(JOURNAL, |encoder| encoder.bytes(body.rest)),
        DECRYPTION_SECRETS => encoder.block(DECRYPTION_SECRETS, |encoder| secrets(encoder, body)),
        NAME_RESOLUTION => encoder.block(NAME_RESOLUTION, |encoder| names(encoder, body)),
        _ => return false,
    }
    true
}

fn secrets(encoder: &mut Encoder<'_>, mut body: Fields<'_>) {
    let (Some(what), Some(length)) = (body.u32(), body.u32()) else { return };
    encoder.words([what, length]);
    encoder.padded(body.padded(length as usize).unwrap_or_default());
    all_options(encoder, DECRYPTION_SECRETS, body);
}

fn names(encoder: &mut Encoder<'_>, mut body: Fields<'_>) {
    while let (Some(what), Some(length)) = (body.u16(), body.u16()) {
        encoder.halves([what, length]);
        encoder.padded(body.padded(length.into()).unwrap_or_default());
        // The end of the names.
        if what == 0 {
            break;
        }
    }
    all_options(encoder, NAME_RESOLUTION, body);
}

fn all_options(encoder: &mut Encoder<'_>, kind: u32, rest: Fields<'_>) {
    let start = encoder.buffer.len();
    options(rest).for_each(|(code, value)| option(encoder, kind, code, value));
    if encoder.buffer.len() != start {
        encoder.end_of_options();
    }
}

/// Appends an option of a block of this type.
pub fn option(encoder: &mut Encoder<'_>, kind: u32, code: u16, value: Fields<'_>) {
    encoder.option(code, value.rest);
    if value.order == encoder.order {
        return;
    }
    // Its number in the other byte order.
    if let Some((at, width)) = number(kind, code, value.rest) {
        let end = encoder.buffer.len() - value.rest.len().next_multiple_of(4) + at;
        if let Some(number) = encoder.buffer.get_mut(end..end + width) {
            number.reverse();
        }
    }
}

/// Where the value of an option has a number, and how many bytes that has.
fn number(kind: u32, code: u16, value: &[u8]) -> Option<(usize, usize)> {
    let (at, width) = match (kind, code) {
        _ if CUSTOM_OPTIONS.contains(&code) => (0, 4),
        (ENHANCED_PACKET, FLAGS | QUEUE) | (INTERFACE_DESCRIPTION, TIME_ZONE) => (0, 4),
        (ENHANCED_PACKET, DROP_COUNT | PACKET_ID)
        | (INTERFACE_DESCRIPTION, SPEED | TIME_OFFSET | SEND_SPEED | RECEIVE_SPEED) => (0, 8),
        (ENHANCED_PACKET, VERDICT) if value.first() == Some(&VERDICT_XDP) => (1, 8),
        _ => return None,
    };
    (at + width <= value.len()).then_some((at, width))
}

/// What a block is, for a person.
pub fn name(kind: u32) -> &'static str {
    match kind {
        SECTION_HEADER => "sections",
        INTERFACE_STATISTICS => "statistics",
        NAME_RESOLUTION => "names of addresses",
        DECRYPTION_SECRETS => "decryption secrets",
        JOURNAL => "journal entries",
        CUSTOM | CUSTOM_NOT_COPIED => "custom blocks",
        _ => "unknown blocks",
    }
}

//! The Enhanced Packet Block, byte for byte (draft-ietf-opsawg-pcapng, section 4.3).
//!
//! Everything is in the byte order of this machine, as the section header says.

use xdpdump_ebpf::pcapng::{
    COMMENT, END_OF_OPTIONS,
    block::{self, ENHANCED_PACKET},
    option_header,
    packet::{
        DROP_COUNT, FLAGS, HASH, HASH_TOEPLITZ, INBOUND, OUTBOUND, PACKET_ID, QUEUE, VERDICT, VERDICT_XDP,
        VERDICT_XDP_LEN,
    },
};

use crate::{
    output::record::kept,
    packet::{Direction, HOST_TIME, Meta, Packet},
};

/// Appends `packet` as one block. Its time stamp is written in the unit it has; a time before 1970 becomes 0.
pub fn enhanced_packet(buffer: &mut Vec<u8>, packet: &Packet<'_>) {
    let start = buffer.len();
    let frame = kept(packet.frame);
    let timestamp = u64::try_from(packet.timestamp.0).unwrap_or(0);
    let captured = frame.len() as u32;

    words(
        buffer,
        [
            ENHANCED_PACKET,
            0, // total length, set below
            packet.interface,
            (timestamp >> 32) as u32,
            timestamp as u32,
            captured,
            packet.frame_len.max(captured),
        ],
    );
    buffer.extend_from_slice(frame);
    pad(buffer, frame.len());
    options(buffer, &packet.meta);

    let total = (buffer.len() - start + size_of::<u32>()) as u32;
    buffer[start + block::TOTAL_LEN..][..size_of::<u32>()].copy_from_slice(&total.to_ne_bytes());
    words(buffer, [total]);
}

/// Appends the options for everything known about the packet besides its bytes; no options at all if nothing is known.
fn options(buffer: &mut Vec<u8>, meta: &Meta) {
    let start = buffer.len();
    if meta.has_host_time {
        option(buffer, COMMENT, HOST_TIME.as_bytes());
    }
    let direction = match meta.direction {
        Direction::Unknown => 0,
        Direction::Inbound => INBOUND,
        Direction::Outbound => OUTBOUND,
    };
    if direction != 0 {
        option_u32(buffer, FLAGS, direction);
    }
    if let Some(hash) = meta.hash {
        let [a, b, c, d] = hash.to_be_bytes();
        option(buffer, HASH, &[HASH_TOEPLITZ, a, b, c, d]);
    }
    if meta.lost != 0 {
        option_u64(buffer, DROP_COUNT, meta.lost);
    }
    if let Some(id) = meta.packet_id {
        option_u64(buffer, PACKET_ID, id);
    }
    if let Some(queue) = meta.queue {
        option_u32(buffer, QUEUE, queue);
    }
    if let Some(action) = meta.verdict {
        verdict(buffer, action);
    }
    if buffer.len() != start {
        words(buffer, [option_header(END_OF_OPTIONS, 0)]);
    }
}

/// Appends an option of at most 65535 bytes.
fn option(buffer: &mut Vec<u8>, code: u16, value: &[u8]) {
    words(buffer, [option_header(code, value.len() as u16)]);
    buffer.extend_from_slice(value);
    pad(buffer, value.len());
}

fn option_u32(buffer: &mut Vec<u8>, code: u16, value: u32) {
    words(buffer, [option_header(code, 4), value]);
}

fn option_u64(buffer: &mut Vec<u8>, code: u16, value: u64) {
    words(buffer, [option_header(code, 8)]);
    buffer.extend_from_slice(&value.to_ne_bytes());
}

/// Appends the epb_verdict option. Wireshark reads the action in the section's byte order.
fn verdict(buffer: &mut Vec<u8>, action: u64) {
    words(buffer, [option_header(VERDICT, VERDICT_XDP_LEN)]);
    buffer.push(VERDICT_XDP);
    buffer.extend_from_slice(&action.to_ne_bytes());
    pad(buffer, VERDICT_XDP_LEN.into());
}

fn words<const N: usize>(buffer: &mut Vec<u8>, words: [u32; N]) {
    for word in words {
        buffer.extend_from_slice(&word.to_ne_bytes());
    }
}

/// Appends the zeros that bring `length` bytes to a multiple of four.
fn pad(buffer: &mut Vec<u8>, length: usize) {
    let padding = length.next_multiple_of(4) - length;
    buffer.extend_from_slice(&[0; 3][..padding]);
}

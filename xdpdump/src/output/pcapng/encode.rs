//! The Enhanced Packet Block, byte for byte (draft-ietf-opsawg-pcapng, section 4.3).
//!
//! Everything is in the byte order of this machine, as the section header says.

use crate::{
    output::record::{ENHANCED_PACKET, kept},
    packet::{Direction, Meta, Packet},
};

// Option codes of the Enhanced Packet Block.
const FLAGS: u16 = 2;
const DROP_COUNT: u16 = 4;
const PACKET_ID: u16 = 5;
const QUEUE: u16 = 6;
const VERDICT: u16 = 7;

/// First octet of a verdict option: what follows is an `enum xdp_action`.
const VERDICT_LINUX_EBPF_XDP: u8 = 2;

/// Appends `packet` as one block. Times are nanoseconds (`if_tsresol` 9); those before 1970 become 0.
pub fn enhanced_packet(buffer: &mut Vec<u8>, packet: &Packet<'_>) {
    let start = buffer.len();
    let frame = kept(packet.frame);
    let timestamp = u64::try_from(packet.timestamp.0).unwrap_or(0);
    let captured = frame.len() as u32;

    words(
        buffer,
        [
            ENHANCED_PACKET,
            0, // the total length, below
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
    buffer[start + 4..start + 8].copy_from_slice(&total.to_ne_bytes());
    words(buffer, [total]);
}

/// Appends what is known of the packet besides its bytes; nothing at all if nothing is.
fn options(buffer: &mut Vec<u8>, meta: &Meta) {
    let start = buffer.len();
    // Bits 0 and 1 of the flags.
    let direction = match meta.direction {
        Direction::Unknown => 0,
        Direction::Inbound => 1,
        Direction::Outbound => 2,
    };
    if direction != 0 {
        option_u32(buffer, FLAGS, direction);
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
        words(buffer, [0]); // opt_endofopt
    }
}

fn option_u32(buffer: &mut Vec<u8>, code: u16, value: u32) {
    words(buffer, [option_header(code, 4), value]);
}

fn option_u64(buffer: &mut Vec<u8>, code: u16, value: u64) {
    words(buffer, [option_header(code, 8)]);
    buffer.extend_from_slice(&value.to_ne_bytes());
}

/// Wireshark refuses the whole file unless the length is 9, and reads the action in the section's byte order.
fn verdict(buffer: &mut Vec<u8>, action: u64) {
    let mut value = [0; 12]; // 9 bytes and their padding
    value[0] = VERDICT_LINUX_EBPF_XDP;
    value[1..9].copy_from_slice(&action.to_ne_bytes());
    words(buffer, [option_header(VERDICT, 9)]);
    buffer.extend_from_slice(&value);
}

/// An option's code and length, 16 bits each, as they lie in memory.
fn option_header(code: u16, length: u16) -> u32 {
    let ([c0, c1], [l0, l1]) = (code.to_ne_bytes(), length.to_ne_bytes());
    u32::from_ne_bytes([c0, c1, l0, l1])
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

//! Blocks, byte for byte (draft-ietf-opsawg-pcapng).
//!
//! What this program captures is in the byte order of this machine; what it copies stays in the byte order of its section.

use xdpdump_ebpf::pcapng::{
    COMMENT, END_OF_OPTIONS,
    block::{self, ENHANCED_PACKET},
    packet::{
        DROP_COUNT, FLAGS, HASH, HASH_TOEPLITZ, INBOUND, OUTBOUND, PACKET_ID, QUEUE, VERDICT, VERDICT_XDP,
        VERDICT_XDP_LEN,
    },
};

use crate::packet::{ByteOrder, Direction, HOST_TIME, Meta, Packet};

/// Appends `packet` as one block. Its time stamp is written in the unit it has; a time before 1970 becomes 0.
pub fn enhanced_packet(buffer: &mut Vec<u8>, packet: &Packet<'_>) {
    let &Packet { interface, frame, frame_len, .. } = packet;
    let time = u64::try_from(packet.timestamp.0).unwrap_or(0);
    let head = Head { interface, time, frame_len: frame_len.max(frame.len() as u32) };
    Encoder { buffer, order: ByteOrder::NATIVE }.packet(head, frame, |encoder| encoder.meta(&packet.meta));
}

/// The fields of an Enhanced Packet Block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Number of the interface in its section.
    pub interface: u32,
    /// The time in the interface's units.
    pub time: u64,
    /// Bytes of the frame on the wire.
    pub frame_len: u32,
}

/// Appends blocks in a byte order.
pub(super) struct Encoder<'a> {
    pub buffer: &'a mut Vec<u8>,
    pub order: ByteOrder,
}

impl Encoder<'_> {
    /// A block of this type, whose body `body` appends.
    #[inline]
    pub fn block(&mut self, kind: u32, body: impl FnOnce(&mut Self)) {
        let start = self.buffer.len();
        // The total length is set below.
        self.words([kind, 0]);
        body(self);
        let total = self.order.of_u32((self.buffer.len() - start + size_of::<u32>()) as u32);
        self.buffer[start + block::TOTAL_LEN..][..size_of::<u32>()].copy_from_slice(&total);
        self.bytes(&total);
    }

    /// An Enhanced Packet Block, whose options `options` appends.
    #[inline]
    pub fn packet(&mut self, head: Head, frame: &[u8], options: impl FnOnce(&mut Self)) {
        self.block(ENHANCED_PACKET, |encoder| {
            let (high, low) = ((head.time >> 32) as u32, head.time as u32);
            encoder.words([head.interface, high, low, frame.len() as u32, head.frame_len]);
            encoder.padded(frame);
            options(encoder);
        });
    }

    /// Appends the options for everything known about the packet besides its bytes; no options at all if nothing is known.
    #[inline]
    pub fn meta(&mut self, meta: &Meta) {
        let start = self.buffer.len();
        if meta.has_host_time {
            self.option(COMMENT, HOST_TIME.as_bytes());
        }
        self.direction(meta.direction);
        if let Some(hash) = meta.hash {
            let [a, b, c, d] = hash.to_be_bytes();
            self.option(HASH, &[HASH_TOEPLITZ, a, b, c, d]);
        }
        if meta.lost != 0 {
            self.option_u64(DROP_COUNT, meta.lost);
        }
        if let Some(id) = meta.packet_id {
            self.option_u64(PACKET_ID, id);
        }
        if let Some(queue) = meta.queue {
            self.option_u32(QUEUE, queue);
        }
        if let Some(action) = meta.verdict {
            // Wireshark reads the action in the section's byte order.
            self.option_header(VERDICT, VERDICT_XDP_LEN);
            self.buffer.push(VERDICT_XDP);
            let action = self.order.of_u64(action);
            self.bytes(&action);
            self.pad(VERDICT_XDP_LEN.into());
        }
        if self.buffer.len() != start {
            self.end_of_options();
        }
    }

    /// The flags of a packet of which only the direction is known.
    #[inline]
    pub fn direction(&mut self, direction: Direction) {
        match direction {
            Direction::Unknown => {}
            Direction::Inbound => self.option_u32(FLAGS, INBOUND),
            Direction::Outbound => self.option_u32(FLAGS, OUTBOUND),
        }
    }

    /// Appends an option of at most 65535 bytes.
    #[inline]
    pub fn option(&mut self, code: u16, value: &[u8]) {
        self.option_header(code, value.len() as u16);
        self.padded(value);
    }

    /// Appends an option that is a text, as far as that fits: an option's length has 16 bits.
    pub fn text(&mut self, code: u16, text: &str) {
        self.option(code, fitting(text).as_bytes());
    }

    pub fn option_u32(&mut self, code: u16, value: u32) {
        self.option_header(code, 4);
        self.words([value]);
    }

    pub fn option_u64(&mut self, code: u16, value: u64) {
        self.option_header(code, 8);
        let value = self.order.of_u64(value);
        self.bytes(&value);
    }

    /// A time as some options have it: the upper half first.
    pub fn option_time(&mut self, code: u16, time: u64) {
        self.option_header(code, 8);
        self.words([(time >> 32) as u32, time as u32]);
    }

    pub fn end_of_options(&mut self) {
        self.option_header(END_OF_OPTIONS, 0);
    }

    /// Appends bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends numbers of 16 bits.
    #[inline]
    pub fn halves<const N: usize>(&mut self, halves: [u16; N]) {
        for half in halves {
            let half = self.order.of_u16(half);
            self.bytes(&half);
        }
    }

    /// Appends numbers of 32 bits.
    #[inline]
    pub fn words<const N: usize>(&mut self, words: [u32; N]) {
        for word in words {
            let word = self.order.of_u32(word);
            self.bytes(&word);
        }
    }

    /// Appends bytes, and the zeros that bring their number to a multiple of four.
    #[inline]
    pub fn padded(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
        self.pad(bytes.len());
    }

    #[inline]
    fn pad(&mut self, length: usize) {
        let padding = length.next_multiple_of(4) - length;
        self.buffer.extend_from_slice(&[0; 3][..padding]);
    }

    #[inline]
    pub fn option_header(&mut self, code: u16, length: u16) {
        self.halves([code, length]);
    }
}

/// The longest beginning of `text` that fits into an option, with one octet more: a filter needs that.
pub(super) fn fitting(text: &str) -> &str {
    let limit = usize::from(u16::MAX) - 1;
    &text[..text.floor_char_boundary(limit)]
}

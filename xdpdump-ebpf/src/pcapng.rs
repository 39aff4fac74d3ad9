//! The constants of the pcapng format, each defined once: for the kernel program, which writes blocks in place, and for
//! the code in user space that writes, counts or reads them.
//!
//! Source: draft-ietf-opsawg-pcapng-03, by section. A block is its type (4 bytes), its total length (4), a body and the
//! total length again (4); everything in it begins at a multiple of 4 bytes and is in the byte order of its section.

/// Block types.
pub mod block {
    /// Section Header Block (4.1); its bytes are the same in both byte orders.
    pub const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    /// Interface Description Block (4.2).
    pub const INTERFACE_DESCRIPTION: u32 = 1;
    /// Packet Block (appendix A), obsolete.
    pub const PACKET: u32 = 2;
    /// Simple Packet Block (4.4).
    pub const SIMPLE_PACKET: u32 = 3;
    /// Interface Statistics Block (4.6).
    pub const INTERFACE_STATISTICS: u32 = 5;
    /// Enhanced Packet Block (4.3).
    pub const ENHANCED_PACKET: u32 = 6;

    /// Bytes of type and total length before a body.
    pub const HEADER_LEN: usize = 8;
    /// Bytes of the total length after a body.
    pub const TRAILER_LEN: usize = 4;
    /// Offset of the total length in a block in bytes.
    pub const TOTAL_LEN: usize = 4;

    /// The byte-order magic of a Section Header Block (4.1), at offset 8.
    pub const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
}

/// `opt_endofopt` (3.5): ends the options of a block.
pub const END_OF_OPTIONS: u16 = 0;

/// An option's code and length in bytes (3.5), 16 bits each, combined in one word as it lies in memory.
pub const fn option_header(code: u16, len: u16) -> u32 {
    let ([a, b], [c, d]) = (code.to_ne_bytes(), len.to_ne_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

/// `opt_comment` (3.5), UTF-8.
pub const COMMENT: u16 = 1;

/// Options of an Interface Description Block (4.2).
pub mod interface {
    /// `if_name`, UTF-8.
    pub const NAME: u16 = 2;
    /// `if_description`, UTF-8.
    pub const DESCRIPTION: u16 = 3;
    /// `if_MACaddr`, 6 bytes.
    pub const MAC: u16 = 6;
    /// `if_speed`, 8 bytes: bits per second.
    pub const SPEED: u16 = 8;
    /// `if_tsresol`, 1 byte: the unit of time stamps.
    pub const TIME_RESOLUTION: u16 = 9;
    /// `if_filter`: a byte that says what kind of filter follows, and the filter.
    pub const FILTER: u16 = 11;
    /// First byte of `if_filter`: a pcap-filter expression follows.
    pub const FILTER_EXPRESSION: u8 = 0;
    /// `if_os`, UTF-8.
    pub const OS: u16 = 12;
    /// `if_tsoffset`, 8 bytes: seconds to add to time stamps.
    pub const TIME_OFFSET: u16 = 14;
    /// `if_hardware`, UTF-8.
    pub const HARDWARE: u16 = 15;
}

/// Options of an Enhanced Packet Block (4.3); the options of a Packet Block have the same codes.
pub mod packet {
    /// `epb_flags`, 4 bytes.
    pub const FLAGS: u16 = 2;
    /// `epb_hash`: a byte that says which algorithm was used, and the hash.
    pub const HASH: u16 = 3;
    /// `epb_dropcount`, 8 bytes: packets lost since the previous packet of the same interface.
    pub const DROP_COUNT: u16 = 4;
    /// `epb_packetid`, 8 bytes.
    pub const PACKET_ID: u16 = 5;
    /// `epb_queue`, 4 bytes.
    pub const QUEUE: u16 = 6;
    /// `epb_verdict`: a byte that says which program's verdict follows, and the verdict.
    pub const VERDICT: u16 = 7;

    /// Bits 0 and 1 of `epb_flags` (4.3.1): the direction.
    pub const DIRECTION_MASK: u32 = 3;
    /// Direction: received.
    pub const INBOUND: u32 = 1;
    /// Direction: sent.
    pub const OUTBOUND: u32 = 2;

    /// First byte of `epb_hash`: a Toeplitz hash of 4 bytes follows.
    pub const HASH_TOEPLITZ: u8 = 5;

    /// First byte of `epb_verdict`: an `enum xdp_action` of 8 bytes follows (`Linux_eBPF_XDP`).
    pub const VERDICT_XDP: u8 = 2;
    /// Bytes of `epb_verdict` with an XDP action, without padding. Wireshark refuses a file with any other length here.
    pub const VERDICT_XDP_LEN: u16 = 9;
}

/// Options of an Interface Statistics Block (4.6).
pub mod statistics {
    /// `isb_starttime`, 8 bytes, in the interface's unit of time.
    pub const START_TIME: u16 = 2;
    /// `isb_endtime`, 8 bytes, in the interface's unit of time.
    pub const END_TIME: u16 = 3;
    /// `isb_ifrecv`, 8 bytes: packets received.
    pub const RECEIVED: u16 = 4;
    /// `isb_filteraccept`, 8 bytes: packets that passed the filter.
    pub const FILTER_ACCEPT: u16 = 6;
    /// `isb_osdrop`, 8 bytes: packets that the operating system lost.
    pub const OS_DROP: u16 = 7;
    /// `isb_usrdeliv`, 8 bytes: packets delivered to the user.
    pub const DELIVERED: u16 = 8;
}

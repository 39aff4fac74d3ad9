//! Where records of capture files begin and end.

use xdpdump_ebpf::{
    pcapng::block::{ENHANCED_PACKET, TOTAL_LEN},
    ring::block,
};

use crate::packet::Timestamp;

/// Largest number of bytes of a frame that are written to a file: libpcap's largest snapshot length, and the most that
/// Wireshark's pcap and pcapng readers accept.
pub const MAX_CAPTURED: usize = 262_144;

/// Bytes of the header of a classic pcap file.
pub const PCAP_FILE_HEADER: usize = 24;
/// Bytes of the header of a classic pcap record.
pub const PCAP_RECORD_HEADER: usize = 16;

/// The part of a frame that goes into a file.
pub fn kept(frame: &[u8]) -> &[u8] {
    frame.get(..MAX_CAPTURED).unwrap_or(frame)
}

/// How the records of a file are delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Blocks, each of which contains its total length.
    Pcapng,
    /// A file header, then packets with their captured length in bytes 8 to 12.
    Pcap,
}

impl Framing {
    /// How many of the first `written` bytes of `records` belong to whole records.
    ///
    /// `records` begins with a record; `file_start` says that it is the first of the file.
    pub fn whole(self, records: &[u8], written: usize, file_start: bool) -> usize {
        let mut end = 0;
        while let Some(length) = self.length(records.get(end..).unwrap_or_default(), file_start && end == 0) {
            let next = end.saturating_add(length);
            if next > written || length == 0 {
                break;
            }
            end = next;
        }
        end
    }

    /// How many of `records` are packets; the others are headers. `records` begins with a record; `file_start` says that it
    /// is the first of the file.
    pub fn packets(self, records: &[u8], file_start: bool) -> u64 {
        let mut rest = records;
        let mut first = file_start;
        let mut packets = 0;
        while let Some((record, behind)) = self
            .length(rest, first)
            .filter(|length| *length > 0)
            .and_then(|length| rest.split_at_checked(length))
        {
            packets += u64::from(match self {
                Self::Pcapng => word(record, 0) == Some(ENHANCED_PACKET),
                Self::Pcap => !first,
            });
            (rest, first) = (behind, false);
        }
        packets
    }

    /// Length in bytes of the record at the beginning of `bytes`; `None` if it cannot be known.
    fn length(self, bytes: &[u8], file_start: bool) -> Option<usize> {
        match self {
            Self::Pcapng => Some(word(bytes, TOTAL_LEN)? as usize),
            Self::Pcap if file_start => Some(PCAP_FILE_HEADER),
            Self::Pcap => Some(PCAP_RECORD_HEADER + word(bytes, 8)? as usize),
        }
    }
}

/// An Enhanced Packet Block whose time stamp is in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketBlock {
    /// Its length in bytes.
    pub len: usize,
    /// The packet's time.
    pub time: Timestamp,
    /// The packet's interface.
    pub interface: u32,
}

/// The Enhanced Packet Block at the beginning of `bytes`, in this machine's byte order; `None` if there is none.
pub fn packet_block(bytes: &[u8]) -> Option<PacketBlock> {
    let len = word(bytes, TOTAL_LEN)? as usize;
    let (high, low) = (word(bytes, block::TIME)?, word(bytes, block::TIME + 4)?);
    let time = Timestamp((u64::from(high) << 32 | u64::from(low)).cast_signed());
    (word(bytes, 0)? == ENHANCED_PACKET && len > block::FRAME).then_some(PacketBlock {
        len,
        time,
        interface: word(bytes, block::SOURCE)?,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_pcapng_blocks() {
        // Each block: type, total length, then the other words.
        let records: Vec<u8> = [6, 12, 12, 6, 16, 0, 16].into_iter().flat_map(u32::to_ne_bytes).collect();
        for (written, whole) in [(0, 0), (7, 0), (11, 0), (12, 12), (27, 12), (28, 28)] {
            assert_eq!(Framing::Pcapng.whole(&records, written, true), whole, "{written}");
        }
    }

    #[test]
    fn whole_pcap_records() {
        let record: Vec<u8> = [0, 0, 3, 9].into_iter().flat_map(u32::to_ne_bytes).chain([1, 2, 3]).collect();
        let records = record.repeat(2);
        for (written, whole) in [(18, 0), (19, 19), (37, 19), (38, 38)] {
            assert_eq!(Framing::Pcap.whole(&records, written, false), whole, "{written}");
        }
        let records = [&[0xff; PCAP_FILE_HEADER], &records[..]].concat();
        for (written, whole) in [(23, 0), (24, 24), (42, 24), (43, 43)] {
            assert_eq!(Framing::Pcap.whole(&records, written, true), whole, "{written}");
        }
    }

    #[test]
    fn packets_are_counted_and_headers_are_not() {
        let blocks: Vec<u8> =
            [1, 12, 12, 6, 16, 0, 16, 5, 12, 12, 6, 12, 12].into_iter().flat_map(u32::to_ne_bytes).collect();
        assert_eq!(Framing::Pcapng.packets(&blocks, true), 2);
        let record: Vec<u8> = [0, 0, 3, 9].into_iter().flat_map(u32::to_ne_bytes).chain([1, 2, 3]).collect();
        assert_eq!(Framing::Pcap.packets(&record.repeat(3), false), 3);
        assert_eq!(
            Framing::Pcap.packets(&[&[0xff; PCAP_FILE_HEADER], &record.repeat(3)[..]].concat(), true),
            3
        );
        assert_eq!(Framing::Pcapng.packets(&[0; 64], false), 0);
    }

    #[test]
    fn impossible_lengths_end_the_walk() {
        assert_eq!(Framing::Pcapng.whole(&[0; 64], 64, false), 0);
        assert_eq!(Framing::Pcapng.whole(&[0xff; 64], 64, false), 0);
    }
}

//! Where records of capture files begin and end.

use xdpdump_ebpf::{
    pcapng::block::{
        BYTE_ORDER_MAGIC, ENHANCED_PACKET, HEADER_LEN, PACKET, SECTION_HEADER, SIMPLE_PACKET, TOTAL_LEN,
    },
    ring::block,
};

use crate::packet::{ByteOrder, Timestamp};

/// Largest number of bytes of a frame that are printed: libpcap's largest snapshot length, except for some kinds of USB
/// captures.
pub const MAX_CAPTURED: usize = 262_144;

/// Bytes of the header of a classic pcap file.
pub const PCAP_FILE_HEADER: usize = 24;
/// Bytes of the header of a classic pcap record.
pub const PCAP_RECORD_HEADER: usize = 16;

/// The part of a frame that is printed, so that the cost of text is bounded.
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
    /// `records` begins with a record, in which numbers have the byte order `order`; `file_start` says that it is the first of the
    /// file.
    pub fn whole(self, records: &[u8], written: usize, file_start: bool, mut order: ByteOrder) -> usize {
        let mut end = 0;
        while let Some(length) =
            self.length(records.get(end..).unwrap_or_default(), file_start && end == 0, &mut order)
        {
            let next = end.saturating_add(length);
            if next > written || length == 0 {
                break;
            }
            end = next;
        }
        end
    }

    /// How many of `records` are packets; the others are headers. For the other arguments, see [`whole`](Self::whole).
    pub fn packets(self, records: &[u8], file_start: bool, mut order: ByteOrder) -> u64 {
        let mut rest = records;
        let mut first = file_start;
        let mut packets = 0;
        while let Some((record, behind)) = self
            .length(rest, first, &mut order)
            .filter(|length| *length > 0)
            .and_then(|length| rest.split_at_checked(length))
        {
            packets += u64::from(match self {
                Self::Pcapng => {
                    matches!(word(record, 0, order), Some(ENHANCED_PACKET | PACKET | SIMPLE_PACKET))
                }
                Self::Pcap => !first,
            });
            (rest, first) = (behind, false);
        }
        packets
    }

    /// Length in bytes of the record at the beginning of `bytes`; `None` if it cannot be known. The header of a section tells the
    /// byte order of what follows.
    fn length(self, bytes: &[u8], file_start: bool, order: &mut ByteOrder) -> Option<usize> {
        match self {
            Self::Pcapng => {
                if word(bytes, 0, *order)? == SECTION_HEADER
                    && let Some(magic) = word(bytes, HEADER_LEN, ByteOrder::Big)
                {
                    *order = if magic == BYTE_ORDER_MAGIC { ByteOrder::Big } else { ByteOrder::Little };
                }
                Some(word(bytes, TOTAL_LEN, *order)? as usize)
            }
            Self::Pcap if file_start => Some(PCAP_FILE_HEADER),
            Self::Pcap => Some(PCAP_RECORD_HEADER + word(bytes, 8, *order)? as usize),
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
    let word = |at| word(bytes, at, ByteOrder::NATIVE);
    let len = word(TOTAL_LEN)? as usize;
    let (high, low) = (word(block::TIME)?, word(block::TIME + 4)?);
    let time = Timestamp((u64::from(high) << 32 | u64::from(low)).cast_signed());
    (word(0)? == ENHANCED_PACKET && len > block::FRAME).then_some(PacketBlock {
        len,
        time,
        interface: word(block::SOURCE)?,
    })
}

fn word(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| order.u32(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: ByteOrder = ByteOrder::NATIVE;

    #[test]
    fn whole_pcapng_blocks() {
        // Each block: type, total length, then the other words.
        let records: Vec<u8> = [6, 12, 12, 6, 16, 0, 16].into_iter().flat_map(u32::to_ne_bytes).collect();
        for (written, whole) in [(0, 0), (7, 0), (11, 0), (12, 12), (27, 12), (28, 28)] {
            assert_eq!(Framing::Pcapng.whole(&records, written, true, N), whole, "{written}");
        }
    }

    #[test]
    fn whole_pcap_records() {
        let record: Vec<u8> = [0, 0, 3, 9].into_iter().flat_map(u32::to_ne_bytes).chain([1, 2, 3]).collect();
        let records = record.repeat(2);
        for (written, whole) in [(18, 0), (19, 19), (37, 19), (38, 38)] {
            assert_eq!(Framing::Pcap.whole(&records, written, false, N), whole, "{written}");
        }
        let records = [&[0xff; PCAP_FILE_HEADER], &records[..]].concat();
        for (written, whole) in [(23, 0), (24, 24), (42, 24), (43, 43)] {
            assert_eq!(Framing::Pcap.whole(&records, written, true, N), whole, "{written}");
        }
    }

    #[test]
    fn packets_are_counted_and_headers_are_not() {
        let blocks: Vec<u8> =
            [1, 12, 12, 6, 16, 0, 16, 5, 12, 12, 6, 12, 12].into_iter().flat_map(u32::to_ne_bytes).collect();
        assert_eq!(Framing::Pcapng.packets(&blocks, true, N), 2);
        let record: Vec<u8> = [0, 0, 3, 9].into_iter().flat_map(u32::to_ne_bytes).chain([1, 2, 3]).collect();
        assert_eq!(Framing::Pcap.packets(&record.repeat(3), false, N), 3);
        assert_eq!(
            Framing::Pcap.packets(&[&[0xff; PCAP_FILE_HEADER], &record.repeat(3)[..]].concat(), true, N),
            3
        );
        assert_eq!(Framing::Pcapng.packets(&[0; 64], false, N), 0);
    }

    #[test]
    fn sections_have_their_byte_orders() {
        let section = |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
            let words = [SECTION_HEADER, 16, BYTE_ORDER_MAGIC, 16, ENHANCED_PACKET, 12, 12];
            words.into_iter().flat_map(bytes).collect()
        };
        let (big, little) = (section(u32::to_be_bytes), section(u32::to_le_bytes));
        let records = [&big[..], &little, &big].concat();
        for order in [ByteOrder::Big, ByteOrder::Little] {
            assert_eq!(Framing::Pcapng.whole(&records, 83, true, order), 72);
            assert_eq!(Framing::Pcapng.packets(&records, true, order), 3);
        }
        assert_eq!(Framing::Pcapng.whole(&big[16..], 12, false, ByteOrder::Big), 12);
    }

    #[test]
    fn impossible_lengths_end_the_walk() {
        assert_eq!(Framing::Pcapng.whole(&[0; 64], 64, false, N), 0);
        assert_eq!(Framing::Pcapng.whole(&[0xff; 64], 64, false, N), 0);
    }
}

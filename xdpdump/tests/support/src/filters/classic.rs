//! Reads and writes classic pcap files, as far as the comparison needs them.

use super::frames::Bytes;
use xdpdump::packet::LinkType;

/// A packet of a capture file.
pub struct Record {
    /// The whole seconds of its time stamp.
    pub seconds: u32,
    /// Its frame.
    pub frame: Bytes,
}

/// A capture file in which the time stamp of each frame is the frame's number.
pub fn file(link_type: LinkType, frames: &[Bytes]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 1 << 18, u32::from(link_type.0)] {
        file.extend(word.to_le_bytes());
    }
    for (number, frame) in frames.iter().enumerate() {
        for word in [number as u32, 0, frame.bytes.len() as u32, frame.len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&frame.bytes);
    }
    file
}

fn word(file: &[u8], at: usize) -> Option<u32> {
    file.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The link type that the file header gives, if this is a classic pcap file.
pub fn link_type(file: &[u8]) -> Option<LinkType> {
    word(file, 20).map(|number| LinkType(number as u16))
}

/// The packets of a file.
pub fn records(file: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut at = 24;
    while let (Some(seconds), Some(captured), Some(len)) =
        (word(file, at), word(file, at + 8), word(file, at + 12))
    {
        let bytes = file[at + 16..at + 16 + captured as usize].to_vec();
        records.push(Record { seconds, frame: Bytes { bytes, len } });
        at += 16 + captured as usize;
    }
    records
}

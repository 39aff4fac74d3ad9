//! Classic pcap files in memory: little-endian, microseconds.

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Nanoseconds since 1970; the file keeps microseconds.
    pub time: i64,
    /// Captured bytes.
    pub frame: Vec<u8>,
    /// Bytes on the wire.
    pub frame_len: u32,
}

/// The file's bytes.
pub fn encode(link_type: u32, records: &[Record]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend_from_slice(&0xa1b2_c3d4_u32.to_le_bytes());
    file.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend_from_slice(&262_144_u32.to_le_bytes());
    file.extend_from_slice(&link_type.to_le_bytes());
    for record in records {
        let micros = record.time.unsigned_abs() / 1000;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        for field in [seconds as u32, micros as u32, record.frame.len() as u32, record.frame_len] {
            file.extend_from_slice(&field.to_le_bytes());
        }
        file.extend_from_slice(&record.frame);
    }
    file
}

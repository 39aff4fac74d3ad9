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

/// Link type and records of a file made by [`encode`].
pub fn decode(file: &[u8]) -> (u16, Vec<Record>) {
    let u32_at = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut records = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let captured = u32_at(at + 8) as usize;
        let micros = i64::from(u32_at(at)) * 1_000_000 + i64::from(u32_at(at + 4));
        records.push(Record {
            time: micros * 1000,
            frame: file[at + 16..at + 16 + captured].to_vec(),
            frame_len: u32_at(at + 12),
        });
        at += 16 + captured;
    }
    (u32_at(20) as u16, records)
}

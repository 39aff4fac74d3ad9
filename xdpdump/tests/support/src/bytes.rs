//! Bytes as readers and rings give them: for tests, benches and fuzz targets.

use std::io::{self, Read};

/// `PERF_RECORD_SAMPLE` (include/uapi/linux/perf_event.h).
const SAMPLE: u32 = 9;

/// A reader that returns at most `length` bytes at a time, as a pipe may do.
#[derive(Debug)]
pub struct Pieces<'a> {
    /// The bytes that are not read yet.
    pub rest: &'a [u8],
    /// Largest number of bytes of a read, at least 1.
    pub length: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.rest.by_ref().take(self.length as u64).read(buffer)
    }
}

/// Appends a sample record with `data` to the bytes of a perf ring, as the kernel writes it (`PERF_SAMPLE_TIME | PERF_SAMPLE_RAW`):
/// padded so that its length is a multiple of 8.
pub fn push_sample(ring: &mut Vec<u8>, time: u64, data: &[u8]) {
    let len = (8 + 8 + 4 + data.len()).next_multiple_of(8);
    let end = ring.len() + len;
    ring.extend(SAMPLE.to_ne_bytes());
    ring.extend([0, 0]);
    ring.extend((len as u16).to_ne_bytes());
    ring.extend(time.to_ne_bytes());
    ring.extend(((len - 8 - 8 - 4) as u32).to_ne_bytes());
    ring.extend(data);
    ring.resize(end, 0);
}

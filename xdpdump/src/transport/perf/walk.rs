//! Parses the records of a perf ring: pure functions over bytes.
//!
//! Layout: `struct perf_event_header` and the comment on `PERF_RECORD_SAMPLE` in include/uapi/linux/perf_event.h.

use crate::transport::event::Split;

const HEADER_LEN: usize = 8;
const PERF_RECORD_LOST: u32 = 2;
const PERF_RECORD_SAMPLE: u32 = 9;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// What a program handed over, and when (`PERF_SAMPLE_TIME | PERF_SAMPLE_RAW`).
    Sample {
        /// Nanoseconds of the clock the event was opened with.
        time: u64,
        /// The program's bytes and up to 7 bytes of padding.
        body: Split<'a>,
    },
    /// This many samples found no room since the previous record.
    Lost(u64),
    /// A record of a kind that was not requested, or a sample that is shorter than the lengths in it claim.
    Unknown,
}

/// The bytes are not a record: the ring is damaged from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

/// Removes the first record from `bytes` and returns it; `None` when no bytes are left.
pub fn next<'a>(bytes: &mut Split<'a>) -> Option<Result<Record<'a>, Damaged>> {
    if bytes.is_empty() {
        return None;
    }
    Some(take(bytes).ok_or(Damaged))
}

fn take<'a>(bytes: &mut Split<'a>) -> Option<Record<'a>> {
    let (header, _) = bytes.split_at(HEADER_LEN)?;
    let header: [u8; HEADER_LEN] = header.array()?;
    let kind = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]);
    let size = usize::from(u16::from_ne_bytes([header[6], header[7]]));
    // With a size below the header's the walk would not advance; with one beyond the head it would read what the kernel is
    // still writing.
    if size < HEADER_LEN {
        return None;
    }
    let (record, rest) = bytes.split_at(size)?;
    let (_, body) = record.split_at(HEADER_LEN)?;
    *bytes = rest;
    Some(match kind {
        PERF_RECORD_SAMPLE => sample(body).unwrap_or(Record::Unknown),
        PERF_RECORD_LOST => lost(body).unwrap_or(Record::Unknown),
        _ => Record::Unknown,
    })
}

/// `u64 time; u32 size; char data[size];`
fn sample(body: Split<'_>) -> Option<Record<'_>> {
    let (time, rest) = body.split_at(8)?;
    let (size, data) = rest.split_at(4)?;
    let (body, _) = data.split_at(u32::from_ne_bytes(size.array()?) as usize)?;
    let time = u64::from_ne_bytes(time.array()?);
    // No real time is `u64::MAX`; the merge uses this value for "no event".
    (time != u64::MAX).then_some(Record::Sample { time, body })
}

/// `u64 id; u64 lost;`
fn lost(body: Split<'_>) -> Option<Record<'_>> {
    let (_id, rest) = body.split_at(8)?;
    let (lost, _) = rest.split_at(8)?;
    Some(Record::Lost(u64::from_ne_bytes(lost.array()?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xdpdump_testing::bytes::push_sample;

    use super::*;

    fn sample_bytes(time: u64, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_sample(&mut bytes, time, data);
        bytes
    }

    fn lost_bytes(lost: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(PERF_RECORD_LOST.to_ne_bytes());
        bytes.extend([0, 0, 24, 0]);
        bytes.extend(7u64.to_ne_bytes());
        bytes.extend(lost.to_ne_bytes());
        bytes
    }

    fn walk(first: &[u8], second: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut bytes = Split::new(first, second);
        let mut seen = Vec::new();
        while let Some(Ok(record)) = next(&mut bytes) {
            match record {
                Record::Sample { time, body } => {
                    let mut scratch = Vec::new();
                    seen.push((time, body.contiguous(&mut scratch).to_vec()));
                }
                Record::Lost(lost) => seen.push((lost, b"lost".to_vec())),
                Record::Unknown => seen.push((0, b"unknown".to_vec())),
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn every_record_is_found_wherever_the_ring_ends(
            samples in proptest::collection::vec((0..u64::MAX, proptest::collection::vec(any::<u8>(), 0..100)), 1..20),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            for (time, data) in &samples {
                bytes.extend(sample_bytes(*time, data));
            }
            bytes.extend(lost_bytes(5));
            let (first, second) = bytes.split_at(cut.index(bytes.len()));
            let seen = walk(first, second);
            prop_assert_eq!(seen.len(), samples.len() + 1);
            for ((time, data), (seen_time, seen_data)) in samples.iter().zip(&seen) {
                prop_assert_eq!(time, seen_time);
                prop_assert!(seen_data.starts_with(data) && seen_data.len() < data.len() + 8);
            }
            prop_assert_eq!(&seen[samples.len()], &(5, b"lost".to_vec()));
        }

        #[test]
        fn random_bytes_end_the_walk(bytes in proptest::collection::vec(any::<u8>(), 0..4096), cut in 0..4096usize) {
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            // Every record takes at least its header, so the walk ends.
            prop_assert!(walk(first, second).len() <= bytes.len() / HEADER_LEN);
        }
    }

    #[test]
    fn a_record_of_size_zero_is_damage_and_not_an_endless_loop() {
        let mut bytes = sample_bytes(1, b"frame");
        bytes.extend([9, 0, 0, 0, 0, 0, 0, 0]);
        let mut split = Split::new(&bytes, &[]);
        assert!(matches!(next(&mut split), Some(Ok(Record::Sample { time: 1, .. }))));
        assert_eq!(next(&mut split), Some(Err(Damaged)));
    }

    #[test]
    fn a_sample_that_claims_more_than_its_record_is_not_believed() {
        let mut bytes = sample_bytes(1, b"frame");
        bytes[16..20].copy_from_slice(&1000u32.to_ne_bytes());
        let mut split = Split::new(&bytes, &[]);
        assert_eq!(next(&mut split), Some(Ok(Record::Unknown)));
        assert_eq!(next(&mut split), None);
    }
}

//! A record of the mapped ring: an Enhanced Packet Block as the kernel program wrote it.

use xdpdump_ebpf::{
    pcapng::{
        block::{ENHANCED_PACKET, TOTAL_LEN, TRAILER_LEN},
        packet::{DIRECTION_MASK, OUTBOUND},
    },
    ring::block::{
        CAPTURE_LEN, DROP_COUNT, DROP_COUNT_LEN, FLAGS, FLAGS_LEN, FRAME, FRAME_LEN, PACKET_ID,
        PACKET_ID_LEN, QUEUE, QUEUE_LEN, SOURCE, TIME,
    },
};

use crate::{
    packet::Timestamp,
    transport::event::{Adapter, Event, SEQUENCE_BITS},
};

/// What a reader needs to know about a record to hand it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Its time stamp, see [`Stamps`](super::stamping::Stamps).
    pub time: u64,
    /// The source it was taken at.
    pub source: u32,
    /// Bytes of the record.
    pub len: usize,
}

/// Time, source and length of the record at the beginning of `bytes`; `None` when no whole record is there.
pub fn peek(bytes: &[u8]) -> Option<Outline> {
    let len = word(bytes, TOTAL_LEN)? as usize;
    let is_record = word(bytes, 0)? == ENHANCED_PACKET
        && len.is_multiple_of(4)
        && (FRAME + TRAILER_LEN..=bytes.len()).contains(&len);
    let time = u64::from(word(bytes, TIME)?) << 32 | u64::from(word(bytes, TIME + 4)?);
    // No real time is `u64::MAX`; the merge uses this value for "no event".
    (is_record && time != u64::MAX).then_some(Outline { time, source: word(bytes, SOURCE)?, len })
}

/// The last record of a run, which its last four bytes lead to.
pub fn last(run: &[u8]) -> Option<Outline> {
    let len = word(run, run.len().checked_sub(TRAILER_LEN)?)? as usize;
    peek(run.get(run.len().checked_sub(len)?..)?).filter(|last| last.len == len)
}

/// Gives a record that [`peek`] found another time, instead of `old`. A record that has it already is not written to: its memory
/// may be in the cache of another CPU.
pub fn stamp(record: &mut [u8], old: u64, time: Timestamp) {
    let nanos = time.0.max(0).cast_unsigned();
    if nanos == old {
        return;
    }
    for (at, half) in [(TIME, (nanos >> 32) as u32), (TIME + 4, nanos as u32)] {
        if let Some(field) = record.get_mut(at..at + 4) {
            field.copy_from_slice(&half.to_ne_bytes());
        }
    }
}

/// Parses a record that [`peek`] found; `None` when its lengths contradict each other.
pub fn event(record: &[u8], cpu: u32) -> Option<Event<'_>> {
    let Outline { time, source, .. } = peek(record)?;
    let capture_len = word(record, CAPTURE_LEN)? as usize;
    let frame = record.get(FRAME..)?.get(..capture_len)?;
    let mut options = record.get(FRAME + capture_len.next_multiple_of(4)..record.len() - TRAILER_LEN)?;
    let (mut lost, mut sequence, mut queue) = (0, 0, 0);
    let mut is_sent = false;
    while !options.is_empty() {
        let header = word(options, 0)?;
        let len = match header {
            FLAGS => {
                is_sent = word(options, 4)? & DIRECTION_MASK == OUTBOUND;
                FLAGS_LEN
            }
            DROP_COUNT => {
                lost = double_word(options, 4)?;
                DROP_COUNT_LEN
            }
            PACKET_ID => {
                sequence = double_word(options, 4)? & ((1 << SEQUENCE_BITS) - 1);
                PACKET_ID_LEN
            }
            QUEUE => {
                queue = word(options, 4)?;
                QUEUE_LEN
            }
            _ => break,
        };
        options = options.get(len..)?;
    }
    Some(Event {
        time,
        cpu,
        source,
        sequence,
        lost,
        queue: (!is_sent).then_some(queue),
        verdict: None,
        adapter: Adapter::default(),
        frame_len: word(record, FRAME_LEN)?,
        frame,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn double_word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        output::pcapng::encode,
        packet::{Detail, Direction, Meta, Packet},
    };

    proptest! {
        /// The kernel program writes the same bytes as the pcapng encoder, so the encoder makes the records of this test.
        #[test]
        fn reads_an_enhanced_packet_block(
            frame in proptest::collection::vec(any::<u8>(), 0..200),
            time in 0..i64::MAX,
            (source, sequence, lost, queue) in (any::<u32>(), 1..1u64 << 48, 0..3u64, any::<Option<u32>>()),
            detail in prop_oneof![Just(Detail::Lean), Just(Detail::Brief), Just(Detail::Full)],
        ) {
            let mut record = Vec::new();
            let meta = Meta {
                direction: if queue.is_some() { Direction::Inbound } else { Direction::Outbound },
                queue,
                packet_id: Some(3 << 48 | sequence),
                lost,
                ..Meta::default()
            };
            encode::enhanced_packet(&mut record, &Packet {
                timestamp: Timestamp(time),
                uptime: None, record: crate::packet::Record::None,
                interface: source,
                frame: &frame,
                frame_len: 9000,
                meta: detail.of(meta),
            });
            let (sequence, queue) = if detail == Detail::Lean { (0, Some(0)) } else { (sequence, queue) };
            let expected = Event {
                time: time.cast_unsigned(), cpu: 3, source, sequence, lost, queue, verdict: None,
                adapter: Adapter::default(), frame_len: 9000, frame: &frame,
            };
            prop_assert_eq!(event(&record, 3), Some(expected));
            stamp(&mut record, time.cast_unsigned(), Timestamp(5));
            let expected = Outline { time: 5, source, len: record.len() };
            prop_assert_eq!(peek(&record), Some(expected));
            let run = [&record[..], &record].concat();
            prop_assert_eq!((peek(&run), last(&run)), (Some(expected), Some(expected)));
        }

        #[test]
        fn random_bytes_do_no_harm(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(field) = bytes.get_mut(..4) {
                field.copy_from_slice(&ENHANCED_PACKET.to_ne_bytes());
            }
            if let Some(Outline { len, .. }) = peek(&bytes) {
                prop_assert!(len <= bytes.len());
                event(&bytes[..len], 0);
                stamp(&mut bytes[..len], 0, Timestamp(1));
            }
            last(&bytes);
        }
    }
}

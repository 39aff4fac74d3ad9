//! The records of a perf ring, with the end of the ring at any place: found, parsed, and encoded as a whole pcapng block.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xdpdump::{
    output::{pcapng::encode, record::Framing},
    packet::{ByteOrder, Direction, Meta, Packet, Timestamp},
    transport::{
        event::{self, Event, Parsed, Split},
        perf::walk::{self, Record},
    },
};
use xdpdump_ebpf::{TAG_LEN, TAG_OFFSET, flags};
use xdpdump_fuzz::Output;

fuzz_target!(|data: &[u8]| {
    let Some((cut, ring)) = data.split_first_chunk() else { return };
    let (first, second) = ring.split_at(usize::from(u16::from_le_bytes(*cut)).min(ring.len()));
    let mut bytes = Split::new(first, second);
    let mut scratch = Vec::new();
    let mut left = bytes.len();
    let output = Output::of(left);
    while let Some(Ok(record)) = walk::next(&mut bytes) {
        assert!(bytes.len() < left, "no progress");
        left = bytes.len();
        if let Record::Sample { time, body } = record {
            sample(time, body, &mut scratch, &output);
        }
    }
});

fn sample(time: u64, body: Split<'_>, scratch: &mut Vec<u8>, output: &Output) {
    let len = body.len();
    let Some(Parsed { header, adapter, frame }) = event::parse(body, scratch) else { return };
    let has_tag = header.tag != 0 && usize::from(header.capture_len) >= TAG_OFFSET;
    let tag_len = if has_tag { TAG_LEN } else { 0 };
    assert_eq!(frame.len(), usize::from(header.capture_len) + tag_len);
    assert!(frame.len() <= len + tag_len);
    let event = Event {
        time,
        cpu: 0,
        sequence: header.sequence,
        lost: header.lost,
        source: header.source,
        queue: (header.flags & flags::QUEUE != 0).then_some(header.queue),
        verdict: (header.flags & flags::VERDICT != 0).then_some(header.verdict.into()),
        adapter,
        frame_len: header.frame_len,
        frame,
    };
    let packet = Packet {
        timestamp: Timestamp(time.cast_signed()),
        uptime: Some(time),
        record: xdpdump::packet::Record::None,
        interface: event.source,
        frame,
        frame_len: event.frame_len,
        meta: Meta {
            direction: Direction::Inbound,
            queue: event.queue,
            packet_id: event.packet_id(),
            verdict: event.verdict,
            lost: event.lost,
            hash: event.adapter.hash,
            has_host_time: event.adapter.time.is_none(),
        },
    };
    let mut block = Vec::new();
    encode::enhanced_packet(&mut block, &packet);
    output.made(block.len());
    assert_eq!(Framing::Pcapng.whole(&block, block.len(), false, ByteOrder::NATIVE), block.len());
}

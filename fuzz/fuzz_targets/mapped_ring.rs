//! The records of a mapped ring, processed as the reader does it: given their time stamps, handed on as blocks, and parsed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xdpdump::{
    packet::Timestamp,
    transport::mapped::block::{self, Outline},
};
use xdpdump_fuzz::Output;

fuzz_target!(|data: &[u8]| {
    let mut ring = data.to_vec();
    let output = Output::of(data.len());
    let mut start = 0;
    while let Some(Outline { time, source, len }) = block::peek(&ring[start..]) {
        assert!(len > 0 && len <= ring.len() - start);
        output.made(len);
        let record = &mut ring[start..start + len];
        if let Some(event) = block::event(record, 0) {
            assert_eq!((event.time, event.source), (time, source));
            assert!(event.frame.len() < len);
        }
        block::stamp(record, time, Timestamp(time.cast_signed()));
        let time = time.cast_signed().max(0).cast_unsigned();
        assert_eq!(block::peek(record), Some(Outline { time, source, len }));
        start += len;
    }
});

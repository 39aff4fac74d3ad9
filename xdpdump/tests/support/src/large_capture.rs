//! A capture that is larger than any buffer.

use xdpdump::{
    output::{Error, Sink},
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};

/// Number of packets that do not fit into a buffer and a pipe.
const MANY: u32 = 10_000;

/// Announces an interface and sends [`MANY`] packets of 999 bytes.
///
/// # Errors
/// The sink's error.
pub fn send(sink: &mut dyn Sink) -> Result<(), Error> {
    sink.interface(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() })?;
    for number in 0..MANY {
        let (frame, meta) = (&[0x5a; 999][..], Meta { packet_id: Some(number.into()), ..Meta::default() });
        let timestamp = Timestamp(1_700_000_000_000_000_000 + i64::from(number));
        sink.packet(&Packet {
            timestamp,
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: 0,
            frame,
            frame_len: 999,
            meta,
        })?;
    }
    sink.finish(&[])
}

/// Asserts that every call after the first failed one fails too, with the same sentence.
pub fn assert_stays_failed(sink: &mut dyn Sink, sentence: &str) {
    assert_eq!(send(sink).unwrap_err().to_string(), sentence);
    assert_eq!(sink.flush().unwrap_err().to_string(), sentence);
    assert_eq!(sink.finish(&[]).unwrap_err().to_string(), sentence);
}

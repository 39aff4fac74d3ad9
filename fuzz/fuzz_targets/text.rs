//! Frames printed in every style: printing ends, and its output is a bounded amount of printable text.
#![no_main]

use std::io;

use libfuzzer_sys::fuzz_target;
use xdpdump::{
    decode::Style,
    output::{
        Sink,
        text::{Color, HexDump, LineStyle, TextOptions, TextSink, TimeStyle},
    },
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};
use xdpdump_fuzz::Output;

/// Largest number of bytes of text for a packet, in addition to [`PER_BYTE`]: time stamp, packet number, descriptions of
/// headers.
const PER_PACKET: u64 = 1024;
/// Largest number of bytes of text for a captured byte: two bytes of a DNS message can refer to a name of 255.
const PER_BYTE: u64 = 256;

fuzz_target!(|data: &[u8]| {
    let Some((&[link, style, hex, time], mut rest)) = data.split_first_chunk() else { return };
    let output = Output::at_most(bound(rest));
    let mut sink = TextSink::new(Printable(&output), "nowhere", options(style, hex, time));
    let link_type = match link % 4 {
        0 => LinkType::ETHERNET,
        1 => LinkType::DECODED[usize::from(link / 4) % LinkType::DECODED.len()],
        2 => LinkType::RAW,
        _ => LinkType(link.into()),
    };
    sink.interface(&Interface { link_type, ..Interface::default() }).unwrap();
    // Frames, each preceded by its length in two bytes; the missing part of the last one counts as not captured.
    while let Some((&len, bytes)) = rest.split_first_chunk() {
        let frame_len = u32::from(u16::from_le_bytes(len));
        let (frame, next) = bytes.split_at((frame_len as usize).min(bytes.len()));
        rest = next;
        let (timestamp, meta) = (Timestamp(i64::from(frame_len) << 40), Meta::default());
        sink.packet(&Packet {
            timestamp,
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: 0,
            frame,
            frame_len,
            meta,
        })
        .unwrap();
    }
    sink.finish(&[]).unwrap();
});

/// Largest number of bytes of text for these frames.
fn bound(mut rest: &[u8]) -> u64 {
    let mut bound = 0;
    while let Some((&len, bytes)) = rest.split_first_chunk() {
        let (frame, next) = bytes.split_at(usize::from(u16::from_le_bytes(len)).min(bytes.len()));
        rest = next;
        bound += PER_PACKET + PER_BYTE * frame.len() as u64;
    }
    bound
}

fn options(style: u8, hex: u8, time: u8) -> TextOptions {
    let bit = |n: u8| style & 1 << n != 0;
    TextOptions {
        style: Style {
            verbosity: style & 3,
            quiet: bit(2),
            link_header: bit(3),
            absolute_seq: bit(4),
            ..Style::default()
        },
        time: match time % 6 {
            0 => TimeStyle::Default,
            1 => TimeStyle::None,
            2 => TimeStyle::Epoch,
            3 => TimeStyle::Delta,
            4 => TimeStyle::Date,
            _ => TimeStyle::SinceFirst,
        },
        interface: hex & 0x80 != 0,
        nano: bit(5),
        number: bit(6),
        hex: match hex % 8 {
            0 => HexDump::Hex,
            1 => HexDump::HexAscii,
            2 => HexDump::Ascii,
            _ => HexDump::None,
        },
        line_style: if hex >= 0xe0 { LineStyle::Classic } else { LineStyle::Tcpdump },
        packet_flush: false,
        color: Color::Never,
    }
}

/// A terminal that accepts no control characters and counts the bytes written to it.
struct Printable<'a>(&'a Output);

impl io::Write for Printable<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.made(text.len());
        for &byte in text {
            assert!(byte >= b' ' || byte == b'\n' || byte == b'\t', "control character {byte:#x}");
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

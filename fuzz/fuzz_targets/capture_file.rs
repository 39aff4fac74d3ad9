//! pcap and pcapng files: reading them in pieces of any size gives the same items and the same error. What is compressed may
//! hold any amount, and a decompressor may notice damage earlier or later.
#![no_main]

use std::{io::Read, path::Path};

use libfuzzer_sys::fuzz_target;
use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Copying, FileOptions, Format, Precision, Readers},
    packet::Detail,
};
use xdpdump_fuzz::Output;
use xdpdump_testing::bytes::Pieces;

fuzz_target!(|data: &[u8]| {
    let Some((&piece, file)) = data.split_first() else { return };
    let pieces = Pieces { rest: file, length: usize::from(piece) + 1 };
    if is_compressed(file) {
        let ((whole, _), (pieces, _)) =
            (read(file, &Output::at_most(u64::MAX)), read(pieces, &Output::at_most(u64::MAX)));
        assert!(whole.iter().zip(&pieces).all(|(whole, piece)| whole == piece));
        return;
    }
    let whole = read(file, &Output::of(file.len()));
    let pieces = read(pieces, &Output::of(file.len()));
    assert_eq!(whole, pieces);
    for (copying, format, precision) in [
        (Copying::Whole, Format::Pcapng, Precision::AsRead),
        (Copying::Part, Format::Pcapng, Precision::AsRead),
        (Copying::Merged, Format::Pcapng, Precision::AsRead),
        (Copying::Part, Format::Pcapng, Precision::Nano),
        (Copying::Part, Format::Pcap, Precision::AsRead),
    ] {
        copy(file, copying, format, precision);
    }
});

/// Copies the file to nowhere; packets that the format cannot hold end that.
fn copy(file: &[u8], copying: Copying, format: Format, precision: Precision) {
    let options = FileOptions {
        format,
        precision,
        detail: Detail::Full,
        readers: Readers::Owner,
        compression: None,
        copying: Some(copying),
    };
    let Ok(mut file) = CaptureFile::new(file, "file") else { return };
    let mut sink = output::open_with(Path::new("/dev/null"), options, None, &mut |_| {}).expect("nowhere");
    while let Ok(Some(item)) = file.next() {
        let copied = match &item {
            Item::Interface(interface) => sink.interface(interface),
            Item::Packet(packet) => sink.packet(packet),
            Item::Statistics(_, Some(block)) | Item::Block(block) => sink.block(block),
            Item::Statistics(_, None) => Ok(()),
        };
        if copied.is_err() {
            break;
        }
    }
    let _ = sink.finish(&[]);
    sink.tell(&mut |_| {});
}

/// Items of a compressed file that are read.
const MOST: usize = 10_000;

fn is_compressed(file: &[u8]) -> bool {
    matches!(
        file,
        [0x1f, 0x8b, 8, ..]
            | [0x04, 0x22, 0x4d, 0x18, ..]
            | [0x28, 0xb5, 0x2f, 0xfd, ..]
            | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]
    )
}

/// A summary of each packet of a file, and how reading it ends.
fn read(reader: impl Read, output: &Output) -> (Vec<(i64, usize, u32, u32)>, String) {
    let mut items = Vec::new();
    let mut interfaces = 0;
    let mut file = match CaptureFile::new(reader, "file") {
        Ok(file) => file,
        Err(error) => return (items, error.to_string()),
    };
    loop {
        if file.compression().is_some() && items.len() == MOST {
            return (items, String::new());
        }
        match file.next() {
            Ok(Some(Item::Interface(interface))) => {
                interfaces += 1;
                output.made(format!("{interface:?}").len());
                items.push((0, 0, interface.link_type.0.into(), interface.snap_len));
            }
            Ok(Some(Item::Packet(packet))) => {
                assert!(packet.interface < interfaces, "a packet of an interface that was not announced");
                output.made(packet.frame.len() + size_of_val(&packet));
                items.push((packet.timestamp.0, packet.frame.len(), packet.frame_len, packet.interface));
            }
            Ok(Some(Item::Block(block))) => {
                output.made(block.bytes.len());
                items.push((0, block.bytes.len(), block.kind(), 0));
            }
            Ok(Some(Item::Statistics(statistics, _))) => {
                assert!(
                    statistics.interface < interfaces,
                    "statistics of an interface that was not announced"
                );
                items.push((statistics.end.0, 0, 0, statistics.interface));
            }
            Ok(None) => return (items, String::new()),
            Err(error) => {
                output.made(error.to_string().len());
                assert!(matches!(file.next(), Ok(None)), "reading went on after an error");
                return (items, error.to_string());
            }
        }
    }
}

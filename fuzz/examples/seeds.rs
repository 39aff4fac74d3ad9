//! Writes the fuzzer's seeds: the frames of the fixtures, in the input format of each target.

use std::{fs, io, path::Path};

use xdpdump::{
    input::{CaptureFile, Item},
    output::pcapng::encode,
    packet::{Direction, Meta, Packet},
};
use xdpdump_testing::bytes::push_sample;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = root.join("../fixtures");
    for target in ["perf_ring", "mapped_ring", "capture_file", "text", "filter"] {
        fs::create_dir_all(root.join("corpus").join(target))?;
    }
    let write = |target: &str, name: String, bytes: Vec<u8>| {
        fs::write(root.join("corpus").join(target).join(name), bytes)
    };

    let mut blocks = Vec::new();
    let mut number = 0;
    let mut file = CaptureFile::open(&fixtures.join("protocols.pcap")).map_err(io::Error::other)?;
    while let Some(item) = file.next().map_err(io::Error::other)? {
        let Item::Packet(packet) = item else { continue };
        number += 1;
        let name = format!("seed-{number}");
        write("text", name.clone(), text(&packet))?;
        write("filter", format!("{name}-headers"), headers(&packet))?;
        write("filter", name.clone(), filter(&packet))?;
        write("perf_ring", name.clone(), perf_record(&packet))?;
        blocks.clear();
        encode::enhanced_packet(&mut blocks, &with_meta(&packet, number));
        write("mapped_ring", name, blocks.clone())?;
    }
    for name in ["protocols.pcap", "classic.pcap"] {
        let mut bytes = vec![255];
        bytes.extend(fs::read(fixtures.join(name))?);
        // Keep only the first few packets, because small inputs are fast.
        bytes.truncate(600);
        write("capture_file", name.to_owned(), bytes)?;
    }
    write("capture_file", "pcapng".to_owned(), [&[255][..], &pcapng(&blocks)].concat())?;
    for (name, bytes) in compressed(&pcapng(&blocks)) {
        write("capture_file", name.to_owned(), [&[255][..], &bytes].concat())?;
    }
    Ok(())
}

/// A file as each format stores what does not compress; fewer than 64 KiB and at least 256 bytes. Checksums are wrong or left out.
fn compressed(file: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    let length = file.len() as u16;
    let gzip = [
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1][..],
        &length.to_le_bytes(),
        &(!length).to_le_bytes(),
        file,
        &[0; 8],
    ];
    let block = u32::from(length) | 1 << 31;
    let lz4 = [&[0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82][..], &block.to_le_bytes(), file, &[0; 4]];
    let block = u32::from(length) << 3 | 1;
    let size = length.saturating_sub(256).to_le_bytes();
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd, 0x60][..], &size, &block.to_le_bytes()[..3], file];
    [("gzip", gzip.concat()), ("lz4", lz4.concat()), ("zstd", zstd.concat())]
}

/// An input for [`text`](../fuzz_targets/text.rs): verbose style and one frame.
fn text(packet: &Packet<'_>) -> Vec<u8> {
    let len = packet.frame_len as u16;
    [&[0, 0b0000_1010, 7, 0][..], &len.to_le_bytes(), packet.frame].concat()
}

/// Any frame, with a filter of text, as [`filter`](../fuzz_targets/filter.rs) takes it.
fn filter(packet: &Packet<'_>) -> Vec<u8> {
    let filter = b"inner tcp or vlan and port 53 or ip[8] > 9";
    [&[1, filter.len() as u8][..], filter, packet.frame].concat()
}

/// A frame of which the headers and 64 bytes more are wanted, as the same target takes it.
fn headers(packet: &Packet<'_>) -> Vec<u8> {
    [&[4, 0, 64, 0, 0, 0][..], packet.frame].concat()
}

fn with_meta<'a>(packet: &Packet<'a>, number: u64) -> Packet<'a> {
    let meta = Meta {
        direction: Direction::Inbound,
        queue: Some(1),
        packet_id: Some(number),
        verdict: Some(2),
        lost: number % 2,
        ..Meta::default()
    };
    Packet { meta, ..*packet }
}

/// A sample record, preceded by the position at which the ring ends.
fn perf_record(packet: &Packet<'_>) -> Vec<u8> {
    let mut data = [1u64.to_ne_bytes(), 0u64.to_ne_bytes()].concat();
    for word in [packet.frame_len, packet.frame.len() as u32, 3, 0, 2, 0x0001_0000] {
        data.extend(word.to_ne_bytes());
    }
    data.extend(packet.frame);
    let mut bytes = 30u16.to_le_bytes().to_vec();
    push_sample(&mut bytes, 1_000_000_000, &data);
    bytes
}

/// A pcapng section with an interface, a packet and statistics.
fn pcapng(block: &[u8]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
    let section = words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28]);
    // if_name "eth", if_tsresol 9
    let interface = words(&[1, 40, 1, 0, 0x0003_0002, 0x0068_7465, 0x0001_0009, 9, 0, 40]);
    let statistics = words(&[5, 40, 0, 0, 5, 0x0008_0004, 7, 0, 0, 40]);
    [&section[..], &interface, block, &statistics].concat()
}

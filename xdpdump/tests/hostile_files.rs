//! Files that were written on other machines, and hostile files.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use proptest::{collection, prelude::*};
use xdpdump::{
    input::{CaptureFile, Error, Item},
    packet::{Direction, LinkType, Meta},
};
use xdpdump_testing::{
    bytes::Pieces,
    order::{ORDERS, Order},
};

/// Beginnings of files.
trait Beginnings {
    fn section(self) -> Vec<u8>;
    fn interface(self, link_type: u16, snap_len: u32, options: &[Vec<u8>]) -> Vec<u8>;
    fn pcap(self, magic: u32, minor_version: u16, snap_len: u32, link_type: u32) -> Vec<u8>;
}

impl Beginnings for Order {
    fn section(self) -> Vec<u8> {
        let version = [self.u16(1), self.u16(0)].concat();
        self.block(0x0a0d_0d0a, &[self.u32(0x1a2b_3c4d), version, self.u64(u64::MAX)])
    }

    fn interface(self, link_type: u16, snap_len: u32, options: &[Vec<u8>]) -> Vec<u8> {
        let body = [self.u16(link_type), self.u16(0), self.u32(snap_len), options.concat()];
        self.block(1, &body)
    }

    fn pcap(self, magic: u32, minor_version: u16, snap_len: u32, link_type: u32) -> Vec<u8> {
        let version = [self.u16(2), self.u16(minor_version)].concat();
        [self.u32(magic), version, self.words(&[0, 0, snap_len, link_type])].concat()
    }
}

/// The items of a file, one line each.
fn items(file: &[u8]) -> (Vec<String>, Option<Error>) {
    let mut lines = Vec::new();
    let mut file = match CaptureFile::new(file, "f") {
        Ok(file) => file,
        Err(error) => return (lines, Some(error)),
    };
    loop {
        match file.next() {
            Ok(Some(Item::Interface(interface))) => {
                lines.push(format!("{} {}", interface.link_type.0, interface.snap_len));
            }
            Ok(Some(Item::Packet(packet))) => {
                let frame = String::from_utf8_lossy(packet.frame).into_owned();
                let (time, length) = (packet.timestamp.0, packet.frame_len);
                lines.push(format!("{}: {time} {frame} {length}", packet.interface));
            }
            Ok(Some(Item::Block(_))) => {}
            Ok(Some(Item::Statistics(item, _))) => {
                lines.push(format!("{}: {} of {}", item.interface, item.dropped, item.received));
            }
            Ok(None) => return (lines, None),
            Err(error) => {
                assert!(matches!(file.next(), Ok(None)), "reading went on after {error}");
                return (lines, Some(error));
            }
        }
    }
}

fn assert_items(file: &[u8], expected: &[&str]) {
    let (lines, error) = items(file);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(lines, expected);
}

/// Asserts that exactly the items `expected` come before the error.
fn assert_fails(file: &[u8], expected: &[&str], sentence: &str) {
    let (lines, error) = items(file);
    assert_eq!(error.unwrap().to_string(), sentence);
    assert_eq!(lines, expected);
}

#[test]
fn pcap_of_either_byte_order_and_precision() {
    for order in ORDERS {
        for (magic, time) in [(0xa1b2_c3d4, 7_000_005_000_i64), (0xa1b2_3c4d, 7_000_000_005)] {
            // The upper bits of the link type describe the frame check sequence.
            let header = order.pcap(magic, 4, 65_535, 0x4400_0001);
            let record = [order.words(&[7, 5, 4, 9]), b"ping".to_vec()].concat();
            assert_items(&[header, record].concat(), &["1 65535", &format!("0: {time} ping 9")]);
        }
        let header = order.pcap(0xa1b2_cd34, 4, 65_535, 113);
        let record = [order.words(&[7, 5, 4, 9, 2, 0x0800]), b"ping".to_vec()].concat();
        assert_items(&[header, record].concat(), &["113 65535", "0: 7000005000 ping 9"]);
    }
}

#[test]
fn pcap_of_old_versions_has_lengths_in_either_order() {
    let order = ORDERS[0];
    let record = |first, second| [order.words(&[0, 0, first, second]), b"ping".to_vec()].concat();
    let file = |minor, record| [order.pcap(0xa1b2_c3d4, minor, 100, 1), record].concat();
    assert_items(&file(2, record(9, 4)), &["1 100", "0: 0 ping 9"]);
    assert_items(&file(3, record(9, 4)), &["1 100", "0: 0 ping 9"]);
    assert_items(&file(3, record(4, 9)), &["1 100", "0: 0 ping 9"]);
    // Here the captured length exceeds the length on the wire, which is tolerated.
    assert_items(&file(4, record(4, 2)), &["1 100", "0: 0 ping 2"]);
}

#[test]
fn pcap_records_longer_than_the_snapshot_length_are_whole() {
    let order = ORDERS[0];
    let record = |text: &[u8]| [order.words(&[0, 0, text.len() as u32, 9]), text.to_vec()].concat();
    let file = [order.pcap(0xa1b2_c3d4, 4, 3, 1), record(b"first"), record(b"2nd")].concat();
    assert_items(&file, &["1 3", "0: 0 first 9", "0: 0 2nd 9"]);
}

#[test]
fn pcapng_sections_of_both_byte_orders_in_one_file() {
    let section = |order: Order, link_type| {
        let nanoseconds = order.option(9, &[9]);
        let end = order.option(0, &[]);
        let enhanced = |interface, text: &[u8]| {
            let header = order.words(&[interface, 0, 5, text.len() as u32, 9]);
            let mut text = text.to_vec();
            text.resize(text.len().next_multiple_of(4), 0);
            order.block(6, &[header, text, order.option(2, &order.u32(1)), end.clone()])
        };
        [
            order.section(),
            // A block of an unknown type.
            order.block(0x0bad_cafe, &[b"whatever".to_vec()]),
            order.interface(link_type, 3, &[]),
            order.interface(link_type, 0, &[nanoseconds, end.clone()]),
            enhanced(1, b"ether"),
            enhanced(0, b"micro"),
            // A Simple Packet Block has no more bytes than the interface's snap length.
            order.block(3, &[order.u32(9), b"sim\0".to_vec()]),
            order.block(
                2,
                &[order.u16(1), order.u16(7), order.words(&[0, 6, 3, 9]), b"old\0".to_vec(), end.clone()],
            ),
            order.block(
                5,
                &[order.words(&[1, 0, 5]), order.option(4, &order.u64(8)), order.option(7, &order.u64(2))],
            ),
        ]
        .concat()
    };
    let file: Vec<u8> = [section(ORDERS[1], 1), section(ORDERS[0], 101)].concat();
    assert_items(
        &file,
        &[
            "1 3",
            "1 0",
            "1: 5 ether 9",
            "0: 5000 micro 9",
            "0: 0 sim 9",
            "1: 6 old 9",
            "1: 2 of 8",
            "101 3",
            "101 0",
            "3: 5 ether 9",
            "2: 5000 micro 9",
            "2: 0 sim 9",
            "3: 6 old 9",
            "3: 2 of 8",
        ],
    );
}

#[test]
fn pcapng_options_in_either_byte_order() {
    for order in ORDERS {
        let interface = order.interface(
            1,
            96,
            &[
                order.option(2, b"eth0\0\0"),
                order.option(3, b"the first"),
                order.option(6, &[2, 0, 0, 0, 0, 1]),
                order.option(8, &order.u64(1_000_000)),
                order.option(9, &[0x80 | 1]),
                order.option(11, b"\0tcp"),
                order.option(12, b"Linux"),
                order.option(14, &order.u64(100)),
                order.option(15, b"veth"),
            ],
        );
        let packet = order.block(
            6,
            &[
                order.words(&[0, 0, 3, 0, 0]),
                order.option(2, &order.u32(2)),
                order.option(4, &order.u64(11)),
                order.option(5, &order.u64(u64::MAX - 1)),
                order.option(6, &order.u32(12)),
                order.option(7, b"\0another kind of verdict"),
                order.option(7, &[vec![2], order.u64(4)].concat()),
                order.option(0, &[]),
                order.option(6, &order.u32(99)),
            ],
        );
        let bytes = [order.section(), interface, packet].concat();
        let mut file = CaptureFile::new(&bytes[..], "f").unwrap();
        assert!(matches!(file.next(), Ok(Some(Item::Block(block))) if block.is_section()));
        let Ok(Some(Item::Interface(interface))) = file.next() else { panic!("no interface") };
        assert_eq!((interface.link_type, interface.snap_len), (LinkType::ETHERNET, 96));
        assert_eq!(interface.name.as_deref(), Some("eth0"));
        assert_eq!(interface.description.as_deref(), Some("the first"));
        assert_eq!((interface.mac, interface.speed), (Some([2, 0, 0, 0, 0, 1]), Some(1_000_000)));
        assert_eq!(interface.filter.as_deref(), Some("tcp"));
        assert_eq!((interface.os.as_deref(), interface.hardware.as_deref()), (Some("Linux"), Some("veth")));
        let Ok(Some(Item::Packet(packet))) = file.next() else { panic!("no packet") };
        // 1.5 seconds after second 100.
        assert_eq!(packet.timestamp.0, 101_500_000_000);
        let meta = Meta {
            direction: Direction::Outbound,
            queue: Some(12),
            packet_id: Some(u64::MAX - 1),
            verdict: Some(4),
            lost: 11,
            ..Meta::default()
        };
        assert_eq!(packet.meta, meta);
    }
}

#[test]
fn packets_before_a_cut_are_delivered() {
    let order = ORDERS[0];
    let record = [order.words(&[0, 0, 4, 9]), b"ping".to_vec()].concat();
    let file = [order.pcap(0xa1b2_c3d4, 4, 96, 1), record.clone(), record].concat();
    let cut = |bytes: usize| &file[..bytes];
    let (header, packet) = ("1 96", "0: 0 ping 9");
    let sentence = |what, wanted, got| {
        format!("f: truncated dump file; tried to read {wanted} {what} bytes, only got {got}")
    };
    let behind = |sentence: String| sentence + " (all before them was read)";
    assert_fails(cut(0), &[], &sentence("file header", 4, 0));
    assert_fails(cut(23), &[], &sentence("file header", 24, 23));
    assert_items(cut(24), &[header]);
    assert_fails(cut(24 + 5), &[header], &behind(sentence("header", 16, 5)));
    assert_fails(cut(24 + 18), &[header], &behind(sentence("captured", 4, 2)));
    assert_items(cut(24 + 20), &[header, packet]);
    assert_fails(cut(24 + 20 + 19), &[header, packet], &behind(sentence("captured", 4, 3)));

    let block = order.block(3, &[order.u32(4), b"ping".to_vec()]);
    let file = [order.section(), order.interface(1, 96, &[]), block.clone(), block].concat();
    let cut = |bytes: usize| &file[..bytes];
    assert_fails(cut(10), &[], &sentence("section header", 12, 10));
    assert_fails(cut(28 + 19), &[], &behind(sentence("block", 20, 19)));
    assert_items(cut(28 + 20), &[header]);
    assert_fails(cut(28 + 20 + 7), &[header], &behind(sentence("block header", 8, 7)));
    assert_fails(cut(28 + 20 + 20 + 19), &[header, "0: 0 ping 4"], &behind(sentence("block", 20, 19)));
}

/// tcpdump does the same.
#[test]
fn a_cut_file_is_printed_up_to_the_cut() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/protocols.pcap");
    let whole = std::fs::read(fixture).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.pcap");
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let print = |path: &std::path::Path| {
        let tool =
            std::process::Command::new(env!("CARGO_BIN_EXE_xdpdump")).arg("-nr").arg(path).output().unwrap();
        (tool.status.code(), tool.stdout, String::from_utf8(tool.stderr).unwrap())
    };
    let (status, lines, _) = print(fixture.as_ref());
    assert_eq!(status, Some(0));
    let (status, lines_before, said) = print(&path);
    assert_eq!(status, Some(1));
    let lines = lines.strip_suffix(b"\n").unwrap();
    let last = lines.iter().rposition(|byte| *byte == b'\n').unwrap();
    assert_eq!(lines_before, &lines[..=last]);
    let sentences: Vec<_> = said.lines().skip(1).collect();
    assert!(
        matches!(sentences[..], [only] if only.contains("truncated dump file; tried to read 74 captured bytes, only got 73")),
        "{said}"
    );
}

#[test]
fn a_file_that_is_not_a_capture_is_refused() {
    for (file, hint) in [
        (&b"#!/bin/sh\n"[..], "neither pcap nor pcapng"),
        (b"\xfd7zXZ\0", "it is compressed with xz: `xz -dc FILE | xdpdump -r -`"),
        (b"BZh91AY", "it is compressed with bzip2: `bzip2 -dc FILE | xdpdump -r -`"),
        (b"\x02\x21\x4c\x18", "it is compressed in an old format of lz4: `lz4 -dc FILE | xdpdump -r -`"),
        (b"\x1f\x9d\x90\0", "it is compressed with compress: `gzip -dc FILE | xdpdump -r -`"),
    ] {
        assert_fails(file, &[], &format!("f: unknown file format: {hint}"));
    }
}

#[test]
fn impossible_contents_are_named_with_their_place() {
    let order = ORDERS[0];
    let damaged = |at, fault| format!("f: damaged dump file at byte {at}: {fault}");

    let pcap = order.pcap(0xa1b2_c3d4, 4, 96, 1);
    let record = order.words(&[0, 0, 0x7fff_ffff, 9]);
    let sentence = damaged(24, "a packet of 2147483647 bytes, more than 16777216");
    assert_fails(&[pcap, record].concat(), &["1 96"], &sentence);

    let start = [order.section(), order.interface(1, 96, &[])].concat();
    for (block, fault) in [
        (order.words(&[6, 0xffff_fffc, 0]), "a block cannot have 4294967292 bytes"),
        (order.words(&[6, 8, 0]), "a block cannot have 8 bytes"),
        (order.words(&[6, 13, 0, 0]), "a block cannot have 13 bytes"),
        (order.words(&[0x99, 16, 0, 20]), "a block of 16 bytes ends with a length of 20"),
        (
            order.block(6, &[order.words(&[0, 0, 0, 0xffff_ffff, 9])]),
            "a block of type 6 is too short for its contents",
        ),
        (order.block(6, &[order.words(&[0, 0])]), "a block of type 6 is too short for its contents"),
        (order.block(1, &[]), "a block of type 1 is too short for its contents"),
        (order.block(6, &[order.words(&[1, 0, 0, 0, 9])]), "a packet of interface 1, which is not described"),
        (order.words(&[0x0a0d_0d0a, 28, 0x0403_0201]), "0x01020304 is not a byte-order magic"),
    ] {
        assert_fails(&[start.clone(), block].concat(), &["1 96"], &damaged(48, fault));
    }
}

fn sample(order: Order, pcapng: bool, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = if pcapng {
        [order.section(), order.interface(1, 0, &[order.option(9, &[9])])].concat()
    } else {
        order.pcap(0xa1b2_3c4d, 4, 0, 1)
    };
    for frame in frames {
        let length = frame.len() as u32;
        file.extend(if pcapng {
            let mut padded = frame.clone();
            padded.resize(frame.len().next_multiple_of(4), 0);
            order.block(6, &[order.words(&[0, 0, 1, length, length]), padded, order.option(6, &order.u32(1))])
        } else {
            [order.words(&[0, 1, length, length]), frame.clone()].concat()
        });
    }
    file
}

fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    collection::vec(collection::vec(any::<u8>(), 0..200), 0..12)
}

proptest! {
    /// The packets do not depend on how a pipe splits the bytes; some packets are larger than the first buffer.
    #[test]
    fn packets_do_not_depend_on_the_pieces_of_a_pipe(
        big in any::<bool>(), pcapng in any::<bool>(), length in 1..5000_usize, mut frames in frames(),
        large in 60_000..200_000_usize,
    ) {
        frames.insert(frames.len() / 2, vec![0x5a; large]);
        let file = sample(Order { big }, pcapng, &frames);
        let mut capture = CaptureFile::new(Pieces { rest: &file, length }, "f").unwrap();
        let mut read = Vec::new();
        while let Some(item) = capture.next().unwrap() {
            if let Item::Packet(packet) = item {
                read.push(packet.frame.to_vec());
            }
        }
        prop_assert!(read == frames);
    }

    /// Reading never panics, never hangs and never returns more bytes than the file has.
    #[test]
    fn damage_is_survived(
        big in any::<bool>(), pcapng in any::<bool>(), frames in frames(),
        damage in collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = sample(Order { big }, pcapng, &frames);
        for (place, value) in damage {
            let place = place.index(file.len());
            file[place] = value;
        }
        file.truncate(cut.index(file.len() + 1));
        survives(&file)?;
    }

    #[test]
    fn random_bytes_are_survived(pcapng in any::<bool>(), bytes in collection::vec(any::<u8>(), 0..2000)) {
        survives(&bytes)?;
        let headers = sample(ORDERS[0], pcapng, &[]);
        survives(&[headers, bytes].concat())?;
    }
}

fn survives(file: &[u8]) -> Result<(), TestCaseError> {
    let Ok(mut capture) = CaptureFile::new(file, "f") else { return Ok(()) };
    let (mut interfaces, mut bytes) = (0, 0);
    while let Ok(Some(item)) = capture.next() {
        match item {
            Item::Interface(_) => interfaces += 1,
            Item::Packet(packet) => {
                prop_assert!(packet.interface < interfaces);
                bytes += packet.frame.len();
            }
            Item::Statistics(statistics, _) => prop_assert!(statistics.interface < interfaces),
            Item::Block(_) => {}
        }
    }
    prop_assert!(bytes <= file.len());
    Ok(())
}

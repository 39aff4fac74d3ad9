//! Frames of link types other than Ethernet are printed as tcpdump prints them, wherever they are cut.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{fs, path::Path, process::Command};

/// An IPv4 packet with UDP in it.
const IPV4: &[u8] =
    b"\x45\x00\x00\x20\x00\x01\x00\x00\x40\x11\x66\xca\x0a\x00\x00\x01\x0a\x00\x00\x02\x13\x88\x13\x89\x00\x0c\x00\x00ping";

/// An IPv6 packet with TCP in it.
fn ipv6() -> Vec<u8> {
    let header =
        [&[0x60, 0, 0, 0, 0, 20, 6, 64][..], &[0xfe, 0x80], &[0; 13], &[1], &[0xfe, 0x80], &[0; 13], &[2]];
    let tcp = [0, 80, 1, 187, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x12, 1, 0, 0, 0, 0, 0];
    [&header.concat()[..], &tcp].concat()
}

/// Parts one after the other.
fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

const MAC: &[u8] = &[2, 0, 0, 0, 0, 1];

fn cooked(packet_type: u8, hardware: u16, protocol: u16, rest: &[u8]) -> Vec<u8> {
    let [high, low] = hardware.to_be_bytes();
    join(&[&[0, packet_type, high, low, 0, 6], MAC, &[0, 0], &protocol.to_be_bytes(), rest])
}

fn cooked_2(packet_type: u8, interface: u8, protocol: u16, rest: &[u8]) -> Vec<u8> {
    let head = [0, 0, 0, 0, 0, interface, 0, 1, packet_type, 6];
    join(&[&protocol.to_be_bytes(), &head, MAC, &[0, 0], rest])
}

/// An 802.11 frame of this type, subtype and flags.
fn wlan(kind: u8, subtype: u8, flags: u8, rest: &[u8]) -> Vec<u8> {
    let addresses = [&[0xff; 6][..], MAC, &[2, 0, 0, 0, 0, 9]].concat();
    join(&[&[kind << 2 | subtype << 4, flags, 44, 0], &addresses, &[0x10, 0x20], rest])
}

fn elements() -> Vec<u8> {
    join(&[&[0, 4], b"home", &[1, 4, 0x82, 0x84, 0x8b, 22], &[3, 1, 6], &[221, 2, 0, 0]])
}

fn snap(ethertype: u16, rest: &[u8]) -> Vec<u8> {
    join(&[&[0xaa, 0xaa, 3, 0, 0, 0], &ethertype.to_be_bytes(), rest])
}

fn wlan_frames() -> Vec<Vec<u8>> {
    let beacon = join(&[&[0; 8], &[100, 0, 0x11, 0], &elements()]);
    vec![
        wlan(0, 8, 0, &beacon),
        wlan(0, 5, 8, &beacon),
        wlan(0, 4, 0, &elements()),
        wlan(0, 0, 0, &join(&[&[0x11, 0, 10, 0], &elements()])),
        wlan(0, 1, 0, &join(&[&[0x11, 0, 0, 0, 1, 0xc0], &elements()])),
        wlan(0, 2, 0, &join(&[&[0x11, 0, 10, 0], MAC, &elements()])),
        wlan(0, 9, 0, &[]),
        wlan(0, 10, 0, &[7, 0]),
        wlan(0, 11, 0, &[0, 0, 1, 0, 0, 0]),
        wlan(0, 11, 0, &[0, 0, 2, 0, 0, 0]),
        wlan(0, 11, 0x40, &[1, 2, 3, 0x40]),
        wlan(0, 12, 0, &[7, 0]),
        wlan(0, 13, 0, &[3, 0]),
        wlan(0, 13, 0, &[77, 5]),
        wlan(0, 15, 0, &[]),
        wlan(1, 8, 0, &[])[..20].to_vec(),
        wlan(1, 9, 0, &[])[..16].to_vec(),
        wlan(1, 10, 0, &[])[..16].to_vec(),
        wlan(1, 11, 0, &[])[..16].to_vec(),
        wlan(1, 12, 0, &[])[..10].to_vec(),
        wlan(1, 13, 0, &[])[..10].to_vec(),
        wlan(1, 14, 0, &[])[..16].to_vec(),
        wlan(1, 15, 0, &[])[..16].to_vec(),
        wlan(1, 2, 0, &[]),
        wlan(2, 0, 0x01, &snap(0x0800, IPV4)),
        wlan(2, 0, 0x02, &snap(0x86dd, &ipv6())),
        wlan(2, 0, 0x0a, &snap(0x0800, IPV4)),
        wlan(2, 0, 0x03, &join(&[MAC, &snap(0x0800, IPV4)])),
        wlan(2, 8, 0xb1, &join(&[&[0, 0], &snap(0x0800, IPV4)])),
        wlan(2, 8, 0x41, &join(&[&[0, 0], &[1, 2, 3, 0x60, 5, 6, 7, 8]])),
        wlan(2, 4, 0x11, &[]),
        wlan(2, 1, 0x02, &snap(0x1234, b"what is this")),
        wlan(3, 0, 0, &[]),
    ]
}

fn radiotap(present: &[u32], fields: &[u8], frame: &[u8]) -> Vec<u8> {
    let words: Vec<u8> = present.iter().flat_map(|word| word.to_le_bytes()).collect();
    let length = (4 + words.len() + fields.len()) as u16;
    join(&[&[0, 0], &length.to_le_bytes(), &words, fields, frame])
}

fn radiotap_frames() -> Vec<Vec<u8>> {
    let data = wlan(2, 0, 0x01, &snap(0x0800, IPV4));
    let beacon = &wlan_frames()[0];
    vec![
        // Time, flags, rate, channel, signal, noise, antenna.
        radiotap(
            &[0x86f],
            &join(&[&7_u64.to_le_bytes(), &[0, 11, 0x6c, 0x09, 0xa0, 0, 0xe2, 0xa1, 1]]),
            &data,
        ),
        // Flags with a frame check sequence, which is cut off.
        radiotap(&[0x2], &[0x12], &join(&[beacon, &[1, 2, 3, 4]])),
        // Flags with padding behind the header.
        radiotap(&[0x2], &[0x6d], &wlan(2, 8, 0x01, &join(&[&[0, 0, 0, 0], &snap(0x0800, IPV4)]))),
        // Hopping, quality, attenuations, power, and signals in decibels.
        radiotap(
            &[0x77b0],
            &join(&[&[1, 2, 0xe0], &[0], &[9, 0], &[7, 0], &[3], &[0xfe], &[5, 6], &[0, 0]]),
            &data,
        ),
        // 802.11n: channel with scheme.
        radiotap(&[0x8_0008], &[0x3c, 0x14, 0x40, 1, 0x3f, 0x15, 7], &data),
        radiotap(&[0x8_0000], &[0x02, 0, 76], &data),
        // The channel with more flags.
        radiotap(&[0x4_0008], &[0x3c, 0x14, 0x40, 1, 0x40, 1, 2, 0, 0x3c, 0x14, 36, 20], &data),
        // An aggregate, and 802.11ac.
        radiotap(&[0x30_0000], &[1, 0, 0, 0, 2, 0, 0, 0, 0x44, 0, 4, 4, 0x92, 0, 0, 0, 1, 0, 0, 0], &data),
        // Other words: for each antenna, and of a vendor.
        radiotap(&[0xa000_0020, 0x820], &[0xd0, 0xd1, 2], &data),
        radiotap(&[0xc000_0020, 0x1], &[0xd0, 0, 1, 2, 3, 4, 2, 0, 9, 9], &data),
        // One that is not known.
        radiotap(&[0x40_0000], &[1, 2, 3], &data),
        // A header that is longer than the frame.
        radiotap(&[0x2], &[], &[])[..8].to_vec(),
    ]
}

fn usb(event: u8, transfer: u8, header: usize) -> Vec<u8> {
    let mut block = join(&[&[9; 8], &[event, transfer, 0x81, 3, 2, 0]]);
    block.resize(header, 0);
    join(&[&block, b"data"])
}

/// Frames with a header that `cooked` makes.
fn cooked_frames(cooked: impl Fn(u8, u16, &[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    vec![
        cooked(0, 0x0800, IPV4),
        cooked(4, 0x86dd, &ipv6()),
        cooked(1, 0x0806, &join(&[&[0, 1, 8, 0, 6, 4, 0, 1], MAC, &[10, 0, 0, 1], &[0; 6], &[10, 0, 0, 2]])),
        cooked(2, 0x8100, &join(&[&[0x30, 5, 8, 0], IPV4])),
        cooked(3, 0x88b5, b"an experiment"),
        cooked(9, 2, b"anything"),
    ]
}

/// Link types with their frames.
fn frames() -> Vec<(u32, Vec<Vec<u8>>)> {
    let ipv6 = ipv6();
    let nflog = |family: u8, version: u8, rest: &[u8]| join(&[&[family, version, 0, 7], rest]);
    let elements = [&[8, 0, 1, 0, 8, 0, 0, 0][..], &[6, 0, 10, 0, b'a', 0, 0, 0], &[36, 0, 9, 0]].concat();
    vec![
        (
            0,
            vec![
                join(&[&[2, 0, 0, 0], IPV4]),
                join(&[&[0, 0, 0, 2], IPV4]),
                join(&[&[30, 0, 0, 0], &ipv6]),
                join(&[&[28, 0, 0, 0], &ipv6]),
                join(&[&[24, 0, 0, 0], &ipv6]),
                join(&[&[99, 0, 0, 0], b"what is this"]),
            ],
        ),
        (108, vec![join(&[&[0, 0, 0, 2], IPV4]), join(&[&[0, 0, 0, 24], &ipv6])]),
        (
            9,
            vec![
                join(&[&[0xff, 3, 0, 0x21], IPV4]),
                join(&[&[0x21], IPV4]),
                join(&[&[0, 0x57], &ipv6]),
                join(&[&[0xff, 3, 0x57], &ipv6]),
                join(&[&[0xff, 3, 0xc0, 0x21], &[9, 1, 0, 8, 0, 0, 0, 1]]),
                join(&[&[0xff, 3, 0xc0, 0x21], &[9, 1, 0, 99, 0, 0, 0, 1]]),
                join(&[&[0xff, 3, 0, 0xfd], b"compressed"]),
                join(&[&[0xff, 3, 0x12, 0x34], b"what is this"]),
            ],
        ),
        (
            50,
            vec![
                join(&[&[0xff, 3, 0, 0x21], IPV4]),
                join(&[&[0xff, 3, 0x80, 0x21], &[1, 1, 0, 4]]),
                join(&[&[0x12, 3, 0x80, 0x21], &[1, 1, 0, 4]]),
            ],
        ),
        (166, vec![join(&[&[0, 3, 0, 0x21], IPV4]), join(&[&[1, 3, 0, 0x57], &ipv6])]),
        (12, vec![IPV4.to_vec(), ipv6.clone()]),
        (101, vec![IPV4.to_vec(), ipv6.clone()]),
        (228, vec![IPV4.to_vec()]),
        (229, vec![ipv6.clone()]),
        (113, cooked_frames(|kind, protocol, rest| cooked(kind, 1, protocol, rest))),
        (113, vec![cooked(0, 803, 4, &radiotap_frames()[0])]),
        (276, cooked_frames(|kind, protocol, rest| cooked_2(kind, 200, protocol, rest))),
        (
            239,
            vec![
                nflog(2, 0, &join(&[&elements, IPV4])),
                nflog(10, 0, &join(&[&[44, 0, 9, 0], &ipv6])),
                nflog(7, 0, &join(&[&[12, 0, 9, 0], b"what is this"])),
                nflog(2, 1, &[]),
            ],
        ),
        (105, wlan_frames()),
        (127, radiotap_frames()),
        (
            189,
            [(b'S', 2), (b'C', 2), (b'S', 1), (b'C', 1), (b'E', 3), (b'C', 0), (b'?', 9)]
                .map(|(event, transfer)| usb(event, transfer, 48))
                .to_vec(),
        ),
        (220, vec![usb(b'S', 3, 64)]),
    ]
}

/// A pcap file in which each frame has this number of captured bytes at most.
fn file(link_type: u32, frames: &[Vec<u8>], most: usize) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, link_type] {
        file.extend(u32::to_le_bytes(word));
    }
    for (second, frame) in (0..).zip(frames) {
        let captured = frame.len().min(most);
        for word in [1_700_000_000 + second, 0, captured as u32, frame.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&frame[..captured]);
    }
    file
}

/// What a program prints of a file.
fn text(program: &str, arguments: &[&str], file: &Path) -> (String, String) {
    let output = Command::new(program).args(arguments).arg("-r").arg(file).env("TZ", "UTC").output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn xdpdump(arguments: &[&str], file: &Path) -> (String, String) {
    text(env!("CARGO_BIN_EXE_xdpdump"), arguments, file)
}

#[test]
fn frames_are_printed_as_tcpdump_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pcap");
    let mut different = Vec::new();
    for (link_type, frames) in frames() {
        fs::write(&path, file(link_type, &frames, usize::MAX)).unwrap();
        for options in [&[][..], &["-e"], &["-v"], &["-ev"], &["-q"], &["-eq"]] {
            let (ours, _) = xdpdump(options, &path);
            let (theirs, _) = text("tcpdump", &[&["-n", "-Z", "root"], options].concat(), &path);
            for (ours, theirs) in ours.lines().zip(theirs.lines()).filter(|(ours, theirs)| ours != theirs) {
                different.push(format!("link type {link_type} {options:?}\n  {ours:?}\n  {theirs:?}"));
            }
            if ours.lines().count() != theirs.lines().count() {
                different.push(format!("link type {link_type} {options:?}\n{ours}\n{theirs}"));
            }
        }
    }
    assert!(different.is_empty(), "{} lines differ:\n{}", different.len(), different.join("\n"));
}

#[test]
fn frames_can_be_cut_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pcap");
    for (link_type, frames) in frames() {
        for most in (0..90).step_by(3) {
            fs::write(&path, file(link_type, &frames, most)).unwrap();
            let (ours, errors) = xdpdump(&["-ev"], &path);
            let packets = ours.lines().filter(|line| !line.starts_with(['\t', ' '])).count();
            assert!(packets >= frames.len(), "link type {link_type}, {most} bytes: {errors}");
        }
    }
}

/// Whatever a file's link type is, the line about the file names it as tcpdump does.
#[test]
fn link_types_are_named_as_tcpdump_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pcap");
    for link_type in 0..300 {
        fs::write(&path, file(link_type, &[], 0)).unwrap();
        let name = |line: &str| {
            let name = line.split_once("link-type ")?.1.split_once(", snapshot")?.0;
            Some(name.to_owned()).filter(|name| !name.chars().all(|digit| digit.is_ascii_digit()))
        };
        let theirs = text("tcpdump", &["-n", "-Z", "root"], &path).1;
        if let Some(theirs) = name(&theirs) {
            assert_eq!(name(&xdpdump(&[], &path).1), Some(theirs), "link type {link_type}");
        }
    }
}

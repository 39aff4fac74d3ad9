//! The cost of a hostile file (processor time, memory and text) is proportional to its size.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    io::{self, Read as _},
    iter,
    process::{Command, Stdio},
};

/// Limit of the tool's address space in KiB. The largest record has 16 MiB, and the read buffer grows to twice that.
const ADDRESS_SPACE: u32 = 160 << 10;
/// Limit of processor time in seconds, for a build without optimisation and the largest file.
const CPU_TIME: u32 = 10;
/// Largest number of bytes of text for one packet, including its hex dump.
const TEXT: u64 = 8 << 20;

/// The options with which files are read.
const OPTIONS: [&[&str]; 6] =
    [&["-n"], &["-nvvv"], &["-nvvX"], &["-nA", "--text-style", "classic"], &["--json"], &["-w", "/dev/null"]];

/// Reads `file` within the limits, once with each of [`OPTIONS`], and returns the tool's output on standard error.
fn assert_cheap(name: &str, file: &[u8], packets: u64) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, file).unwrap();
    let read = |options: &&[&str]| {
        let mut tool = Command::new("sh")
            .args(["-c", &format!("ulimit -v {ADDRESS_SPACE} && ulimit -t {CPU_TIME} && exec \"$@\""), "sh"])
            .arg(env!("CARGO_BIN_EXE_xdpdump"))
            .args(*options)
            .arg("-r")
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let most = TEXT * packets + (64 << 10);
        let text = io::copy(&mut tool.stdout.take().unwrap().take(most + 1), &mut io::sink()).unwrap();
        assert!(
            text <= most,
            "{name} {options:?}: more than {most} bytes of text for {} of file",
            file.len()
        );
        let end = tool.wait_with_output().unwrap();
        let said = String::from_utf8(end.stderr).unwrap();
        assert!(matches!(end.status.code(), Some(0 | 1)), "{name} {options:?}: {} {said}", end.status);
        said
    };
    OPTIONS.iter().map(read).collect()
}

/// A classic pcap file without a snapshot length.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4_u32, 2 | 4 << 16, 0, 0, 0, 1].map(u32::to_ne_bytes).concat();
    for frame in frames {
        let len = frame.len() as u32;
        file.extend([0, 0, len, len].map(u32::to_ne_bytes).concat());
        file.extend(frame);
    }
    file
}

/// A pcapng block of 32-bit words and bytes.
fn block(kind: u32, words: &[u32], bytes: &[u8]) -> Vec<u8> {
    let len = 12 + 4 * words.len() as u32 + bytes.len().next_multiple_of(4) as u32;
    let mut block = [kind, len].map(u32::to_ne_bytes).concat();
    block.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    block.extend(bytes);
    block.resize(len as usize - 4, 0);
    block.extend(len.to_ne_bytes());
    block
}

fn section() -> Vec<u8> {
    block(0x0a0d_0d0a, &[0x1a2b_3c4d, 1, u32::MAX, u32::MAX], &[])
}

/// An Interface Description Block with a description of `description` bytes.
fn interface(description: u16) -> Vec<u8> {
    let option = [[3, description].map(u16::to_ne_bytes).concat(), vec![b'x'; description.into()]].concat();
    block(1, &[1, 0], if description == 0 { &[] } else { &option })
}

fn statistics(interface: u32) -> Vec<u8> {
    block(5, &[interface, 0, 0], &[])
}

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &ethertype.to_be_bytes(), payload].concat()
}

/// An IPv6 jumbogram (RFC 2675): its length is not bounded by 16 bits.
fn jumbogram(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 0, 0, 64];
    packet.resize(40, 1);
    packet.extend([next, 0, 0xc2, 4]);
    packet.extend((payload.len() as u32 + 8).to_be_bytes());
    packet.extend(payload);
    ethernet(0x86dd, &packet)
}

/// A DNS answer in a jumbogram: a record with `data`, then `record` again and again up to `len` bytes.
fn dns(data: &[u8], record: &[u8], len: usize) -> Vec<u8> {
    let mut message =
        vec![0, 53, 0, 53, 0, 0, 0, 0, 0, 1, 0x81, 0x80, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    message.extend([0, 0, 99, 0, 1, 0, 0, 0, 0]);
    message.extend((data.len() as u16).to_be_bytes());
    message.extend(data);
    message
        .extend(record.iter().cycle().take(len.saturating_sub(message.len()) / record.len() * record.len()));
    jumbogram(17, &message)
}

/// Offset of the first record's data in a message of [`dns`].
const DATA: u16 = 12 + 11;

/// A record whose name is a pointer, and whose data is the same pointer.
fn pointers(to: u16) -> Vec<u8> {
    let [high, low] = (0xc000 | to).to_be_bytes();
    vec![high, low, 0, 12, 0, 1, 0, 0, 0, 0, 0, 2, high, low]
}

/// Pointers that each lead to the one before; the first leads to a root.
fn chain(count: u16) -> Vec<u8> {
    let pointer = |i: u16| (0xc000 | (DATA + 2 * i)).to_be_bytes();
    [0, 0].into_iter().chain((0..count).flat_map(pointer)).collect()
}

fn repeated(unit: &[u8], len: usize) -> Vec<u8> {
    unit.iter().copied().cycle().take(len).collect()
}

const JUMBO: usize = 2_750_000;

#[test]
fn interfaces_and_statistics() {
    let last = u32::from(u16::MAX);
    let interfaces = [section(), interface(0).repeat(1 << 16)].concat();
    let all: Vec<u8> = (0..=last).flat_map(statistics).collect();
    let said =
        assert_cheap("statistics", &[&interfaces[..], &all, &statistics(last).repeat(100_000)].concat(), 0);
    assert!(said.iter().all(|said| !said.contains("damaged")), "{said:?}");
    assert_cheap("sections", &[section(), interface(0)].concat().repeat(60_000), 0);
}

#[test]
fn descriptions_that_are_kept_have_a_limit() {
    let file = [section(), interface(60_000).repeat(1500)].concat();
    for said in assert_cheap("descriptions", &file, 0) {
        assert!(said.contains("more than 16777216 bytes of interface descriptions"), "{said}");
    }
}

#[test]
fn names_in_a_dns_jumbogram() {
    // A name of maximum length, with characters that are printed as four.
    let label = |len: u8| [&[len][..], &vec![0x80; len.into()]].concat();
    let name = [label(63), label(63), label(63), label(61), vec![0]].concat();
    assert_cheap("name", &pcap(&[dns(&name, &pointers(DATA), JUMBO)]), 1);
    // Names that do not end, and chains of pointers that do not end.
    assert_cheap("labels", &pcap(&[dns(&label(63).repeat(1000), &pointers(DATA), JUMBO)]), 1);
    for len in [100, 127, 8000] {
        let last = DATA + 2 * (len - 1);
        assert_cheap("chain", &pcap(&[dns(&chain(len), &pointers(last), JUMBO)]), 1);
    }
    let text = [vec![0, 0, 16, 0, 1, 0, 0, 0, 0, 0xff, 0xff], vec![0; 0xffff]].concat();
    assert_cheap("strings", &pcap(&[dns(&[], &text, JUMBO)]), 1);
}

#[test]
fn layers_in_layers() {
    let ipv4 = |protocol: u8| [0x45, 0, 0xff, 0xff, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let vxlan_ethernet =
        [&ipv4(17)[..], &[0x12, 0xb5, 0x12, 0xb5, 0xff, 0xeb, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0]].concat();
    let gre_ethernet = [&ipv4(47)[..], &[0, 0, 0x65, 0x58]].concat();
    let icmp = [&ipv4(1)[..], &[3, 1, 0, 0, 0, 0, 0, 0]].concat();
    let framed = |layer: &[u8]| ethernet(0x0800, layer);
    for (name, layer) in [
        ("ipip", ipv4(4).to_vec()),
        ("vxlan", framed(&vxlan_ethernet)),
        ("gre", framed(&gre_ethernet)),
        ("icmp", icmp),
    ] {
        let frame = if name == "ipip" || name == "icmp" { ethernet(0x0800, &[]) } else { Vec::new() };
        assert_cheap(name, &pcap(&[[frame, repeated(&layer, 262_144)].concat()]), 1);
    }
    assert_cheap("tags", &pcap(&[ethernet(0x8100, &repeated(&[0, 1, 0x81, 0], JUMBO))]), 1);
    assert_cheap("labels", &pcap(&[ethernet(0x8847, &repeated(&[0, 1, 0, 64], JUMBO))]), 1);
    assert_cheap("extensions", &pcap(&[jumbogram(60, &repeated(&[60, 0, 0, 0, 0, 0, 0, 0], JUMBO))]), 1);
    assert_cheap("segments", &pcap(&[jumbogram(43, &repeated(&[43, 2, 2, 0, 0, 0, 0, 0], JUMBO))]), 1);
}

#[test]
fn lists_and_text() {
    assert_cheap("lldp", &pcap(&[ethernet(0x88cc, &repeated(&[2, 0], JUMBO))]), 1);
    assert_cheap("lldp-text", &pcap(&[ethernet(0x88cc, &repeated(&[0x0d, 0xff], JUMBO))]), 1);
    let discovery = [&[134, 0, 0, 0][..], &[0; 12], &repeated(&[1, 1, 0, 0, 0, 0, 0, 0], JUMBO)].concat();
    assert_cheap("discovery", &pcap(&[jumbogram(58, &discovery)]), 1);
    let listeners = [&[143, 0, 0, 0, 0, 0, 0xff, 0xff][..], &vec![0; JUMBO]].concat();
    assert_cheap("listeners", &pcap(&[jumbogram(58, &listeners)]), 1);
    let segment = |port: u16, text: &[u8]| {
        let [high, low] = port.to_be_bytes();
        let head = [high, low, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 1, 1, 0, 0, 0, 0];
        jumbogram(6, &[&head[..], text].concat())
    };
    let http = |rest: &[u8]| [b"GET / HTTP/1.1\n", rest].concat();
    for rest in [repeated(b"\n", JUMBO), repeated(b"\x80", JUMBO), repeated(b"x", JUMBO)] {
        assert_cheap("http", &pcap(&[segment(80, &http(&rest))]), 1);
    }
    assert_cheap("ssh", &pcap(&[segment(22, &[b"SSH-", &repeated(b"\x80", JUMBO)[..], b"\n"].concat())]), 1);
    let reset =
        [&[0, 22, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x14, 1, 1, 0, 0, 0, 0][..], &vec![0x80; JUMBO]]
            .concat();
    assert_cheap("reset", &pcap(&[jumbogram(6, &reset)]), 1);
}

#[test]
fn the_largest_records() {
    let frame = |ethertype| ethernet(ethertype, &vec![0x80; (16 << 20) - 14]);
    let frames: Vec<_> = iter::repeat_n(0x1234, 2).chain([0x0800, 0x86dd]).map(frame).collect();
    assert_cheap("records", &pcap(&frames), 4);
}

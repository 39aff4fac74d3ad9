//! The frames of the fixtures: every protocol that the decoder knows, valid and invalid.

use crate::build::{Ipv4, Ipv6, Tcp, ethernet, hex, icmp, tag, udp, udp_with};
use crate::capture::Record;
use crate::edns;
use crate::links;
use crate::messages;
use crate::routing;
use crate::services;
use crate::transports;
use crate::tunnels;

/// 2024-02-29 12:34:56 UTC; records are one millisecond and a bit apart.
const START: i64 = 1_709_210_096_000_000_000;

/// Records of `frames`, each captured completely.
pub fn records(frames: Vec<Vec<u8>>) -> Vec<Record> {
    let times = (0..).map(|i: i64| START + i * 1_001_000);
    let record = |(time, frame): (i64, Vec<u8>)| Record { time, frame_len: frame.len() as u32, frame };
    times.zip(frames).map(record).collect()
}

/// The same frames cut at every eighth length, starting at a different length for each frame.
pub fn truncated(frames: &[Vec<u8>]) -> Vec<Record> {
    let mut records = Vec::new();
    for (i, frame) in frames.iter().enumerate() {
        for len in (i % 8..frame.len()).step_by(8) {
            records.push(Record { time: START, frame: frame[..len].to_vec(), frame_len: frame.len() as u32 });
        }
    }
    records
}

/// Frames of every protocol.
pub fn protocols() -> Vec<Vec<u8>> {
    [link(), arp(), ipv4(), ipv6(), messages::all(), edns::frames(), first_fragments()].concat()
}

/// Every frame: what is damaged and cut to find out whether the decoder ends.
pub fn all() -> Vec<Vec<u8>> {
    [
        protocols(),
        links::frames(),
        routing::frames(),
        services::frames(),
        transports::frames(),
        tunnels::frames(),
    ]
    .concat()
}

/// The frames of the original demo's examples, with their times since boot.
pub fn classic() -> Vec<Record> {
    let demo =
        |micros: i64, frame: Vec<u8>| Record { time: micros * 1000, frame_len: frame.len() as u32, frame };
    let head = hex("00154d130880248a073b0046");
    let frame = |ethertype: &str, packet: Vec<u8>| [&head[..], &hex(ethertype), &packet].concat();
    let hosts = Ipv4 { src: [10, 0, 0, 2], dst: [10, 0, 0, 1], ..Ipv4::default() };
    let syn = Tcp { src: 9203, dst: 0, seq: 437_136_853, ack: 0x1234, flags: 0, ..Tcp::default() };
    let mut v6 = hex("6000000000181140 fe80000000000000268a07fffe3b0046 20010db885a30000000000000370 7334");
    v6.extend(udp(9, 9, &[0; 16]));
    vec![
        demo(28_228_714_182, frame("0800", [hosts.packet(6, &syn.segment(&[])), vec![0; 6]].concat())),
        demo(28_233_714_510, frame("86dd", v6)),
        demo(
            28_298_719_497,
            hex("00154d130880248a073b00460800 4500002818fa000040064dd40a0000020a000001
                 06a100003ca7ba0d558dd5a8500002007156000000000000 0000"),
        ),
        demo(28_357_729_517, frame("0800", hosts.packet(17, &udp(54_013, 53, &[0; 51])))),
    ]
}

fn link() -> Vec<Vec<u8>> {
    let plain = ethernet(0x0800, &Ipv4::default().packet(17, &udp(1000, 2000, b"hello")));
    let one = tag(&plain, 0x8100, 0x0064);
    let stp = "424203 0000 00 00 00 8000001122334455 00000004 800000aabbccddee 8001 0100140002000f00";
    let rstp = "424203 0000 02 02 7c 8000001122334455 00000004 800000aabbccddee 8001 0100140002000f00 00";
    let llc = |digits: &str| {
        let payload = hex(digits);
        let padded = [payload.clone(), vec![0; 46_usize.saturating_sub(payload.len())]].concat();
        ethernet(payload.len() as u16, &padded)
    };
    vec![
        plain.clone(),
        one.clone(),
        tag(&plain, 0x8100, 0xb064),
        tag(&one, 0x88a8, 0x0005),
        tag(&one, 0x9100, 0x0005),
        tag(&ethernet(0x1234, b"who knows what this is?"), 0x8100, 7),
        llc(stp),
        llc(rstp),
        llc("424203 0000 00 80"),
        tag(&llc(stp), 0x8100, 3),
        llc("f0f07f 0102"),
        llc("f0f103 0102"),
        llc("f0f0 0224 0102"),
        llc("f0f0 0124"),
        llc("aaaa03 000000 0800 45000021000100004011 66c8 0a0000010a000002 03e807d0000d0000 68656c6c6f"),
        llc("aaaa03 080007 1234 0102030405"),
        llc("aaaa03 000000 1234 0102030405"),
        ethernet(0x1234, b"an EtherType nobody knows, with two lines of payload"),
        ethernet(0x1234, b""),
        ethernet(0x88cc, &hex("0207040011223344550403050165 0602007800 00")),
    ]
}

fn arp() -> Vec<Vec<u8>> {
    let packet = |head: &str, addresses: &str| ethernet(0x0806, &[hex(head), hex(addresses)].concat());
    let hosts = "020000000001 0a000001 000000000000 0a000002";
    let mut frames: Vec<_> =
        (0..=10).map(|operation| packet(&format!("000108000604 {operation:04x}"), hosts)).collect();
    let padded = [&frames[1][..], &[0; 18]].concat();
    frames.extend([
        padded,
        packet("000108000604 0001", "020000000001 00000000 000000000000 0a000002"),
        packet("000108000604 0001", "020000000001 0a000002 ffffffffffff 0a000002"),
        packet("000108000604 0001", "020000000001 0a000002 020000000002 0a000001"),
        packet("000108000604 0002", "020000000001 0a000002 020000000001 0a000002"),
        packet("000608000604 0001", hosts),
        packet("006308000604 0001", hosts),
        packet("000112340604 0001", hosts),
        packet("000108000804 0001", hosts),
        packet("000108000004 0001", hosts),
        packet("000108000600 0001", hosts),
        packet("000108000504 0002", hosts),
        ethernet(0x8035, &hex(&format!("000108000604 0003 {hosts}"))),
    ]);
    frames
}

fn ipv4() -> Vec<Vec<u8>> {
    let payload = udp(1000, 2000, b"hello");
    let with = |header: Ipv4<'_>| header.frame(17, &payload);
    let base = Ipv4::default;
    let inner = base().packet(17, &payload);
    let options = |digits: &str| Ipv4 { options: &hex(digits), ..base() }.frame(17, &payload);
    let ah = [&hex("1104000000000100 00000001 000000000000000000000000")[..], &payload].concat();
    vec![
        with(Ipv4 { words: Some(4), ..base() }),
        with(Ipv4 { words: Some(15), ..base() }),
        with(Ipv4 { total: Some(10), ..base() }),
        with(Ipv4 { total: Some(19), ..base() }),
        with(Ipv4 { total: Some(24), ..base() }),
        with(Ipv4 { total: Some(100), ..base() }),
        with(Ipv4 { version: 5, ..base() }),
        with(Ipv4 { version: 6, ..base() }),
        with(Ipv4 { checksum: Some(0x1234), ..base() }),
        with(Ipv4 { tos: 0xb9, fragment: 0x4000, ..base() }),
        with(Ipv4 { tos: 0x02, fragment: 0x8000, ..base() }),
        with(Ipv4 { tos: 0x03, fragment: 0xc000, ..base() }),
        with(Ipv4 { fragment: 0x2000, ..base() }),
        with(Ipv4 { fragment: 0x2010, ..base() }),
        Ipv4 { fragment: 0x0010, ..base() }.frame(6, &payload),
        Ipv4 { fragment: 0x2000, ..base() }.frame(6, &Tcp::default().segment(b"data")),
        Ipv4 { fragment: 0x0010, ..base() }.frame(1, &payload),
        [&with(base())[..], &[0; 13]].concat(),
        base().frame(200, &payload),
        base().frame(4, &inner),
        base().frame(41, &Ipv6::default().packet(17, &payload)),
        base().frame(50, &hex("00000100 00000001 00000000000000000000")),
        base().frame(51, &ah),
        base().frame(58, &hex("8000000000010001")),
        options("94040000"),
        options("94040005"),
        options("07070400000000 00"),
        options("070b08 0a000009 00000000 00"),
        options("8307040a000009 01"),
        options("8907080a000009 01"),
        options("440c0d00 00000001 00000002"),
        options("440c0501 0a000009 00000002"),
        options("440c0503 0a000009 00000002"),
        options("440c0540 00000001 00000002"),
        options("820b 000000000000000000 01"),
        options("5507040a000009 01"),
        options("5500040a000009 01"),
        options("5520040a000009 01"),
        options("01010100"),
        base().frame(17, b""),
        base().frame(6, b""),
        base().frame(1, b""),
    ]
}

fn ipv6() -> Vec<Vec<u8>> {
    let payload = Ipv6::message(17, 6, &udp(1000, 2000, b"hello"));
    let with = |header: Ipv6| header.frame(17, &payload);
    let base = Ipv6::default;
    let extended = |next: u8, header: &str| base().frame(next, &[hex(header), payload.clone()].concat());
    vec![
        with(base()),
        with(Ipv6 { class: 0xb9, flow: 0x12345, hops: 1, ..base() }),
        with(Ipv6 { length: Some(4), ..base() }),
        with(Ipv6 { length: Some(100), ..base() }),
        with(Ipv6 { length: Some(0), ..base() }),
        with(Ipv6 { version: 5, ..base() }),
        [&with(base())[..], &[0; 9]].concat(),
        extended(0, "1100050200000100"),
        extended(0, "1101 0000 0104 00000000 3e04 0102 0304"),
        extended(60, "1100010400000000"),
        extended(0, "3c00010400000000 1100050200000100"),
        extended(43, "1100050200000000"),
        extended(43, "1102000100000000 20010db8000000000000000000000009"),
        extended(43, "1102020100000000 20010db8000000000000000000000009"),
        extended(44, "1100000000000005"),
        extended(44, "1100000100000005"),
        extended(44, "1100008100000005"),
        base().frame(44, &[hex("3a00000100000005"), hex("8000000000010001")].concat()),
        base().frame(44, &[hex("0600000100000005"), Tcp::default().segment(b"data")].concat()),
        extended(51, "1104000000000100 00000001 000000000000000000000000"),
        extended(50, "0000010000000001"),
        extended(59, ""),
        extended(200, ""),
        extended(1, ""),
        extended(2, ""),
        base().frame(0, &hex("3b00050200000100")),
        base().frame(4, &Ipv4::default().packet(17, &udp(1, 2, b"x"))),
        base().frame(41, &base().packet(17, &payload)),
        base().summed(6, 16, &Tcp { flags: 0x18, ack: 77, ..Tcp::default() }.segment(b"data")),
    ]
}

/// First fragments of datagrams; the UDP length is that of the whole datagram.
fn first_fragments() -> Vec<Vec<u8>> {
    let datagram = udp_with(1000, 2000, 1608, 0, &[0; 32]);
    let first = Ipv4 { fragment: 0x2000, ..Ipv4::default() };
    let v6 = [hex("1100000100000005"), datagram.clone()].concat();
    let inner = first.packet(17, &datagram);
    vec![
        first.frame(17, &datagram),
        Ipv6::default().frame(44, &v6),
        Ipv4::default().frame(4, &inner),
        Ipv4::default().frame(47, &[hex("00000800"), inner.clone()].concat()),
        Ipv4::default().frame(1, &icmp(3, 3, &[0; 4], &inner)),
        // Not a fragment: the length is wrong.
        Ipv4::default().frame(17, &datagram),
    ]
}

/// IP packets without a link-level header.
pub fn raw() -> Vec<Vec<u8>> {
    let cut = |frames: Vec<Vec<u8>>| frames.into_iter().map(|frame| frame[14..].to_vec());
    cut(ipv4()).chain(cut(ipv6())).chain([vec![0x10, 2, 3], vec![0x45]]).collect()
}

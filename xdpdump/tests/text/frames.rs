//! The frames of the fixtures: every protocol the decoder knows, right and wrong.

use etherparse::PacketBuilder;

use super::build::{Ipv4, Ipv6, Tcp, ethernet, hex, icmp, tag, udp, udp_with};
use super::capture::Record;

/// 2024-02-29 12:34:56 UTC; records are one millisecond and a bit apart.
const START: i64 = 1_709_210_096_000_000_000;

/// Records of `frames`, each captured whole.
pub fn records(frames: Vec<Vec<u8>>) -> Vec<Record> {
    let times = (0..).map(|i: i64| START + i * 1_001_000);
    let record = |(time, frame): (i64, Vec<u8>)| Record { time, frame_len: frame.len() as u32, frame };
    times.zip(frames).map(record).collect()
}

/// The same frames cut at every eighth length, beginning elsewhere in each.
pub fn truncated(frames: &[Vec<u8>]) -> Vec<Record> {
    let mut records = Vec::new();
    for (i, frame) in frames.iter().enumerate() {
        for len in (i % 8..frame.len()).step_by(8) {
            records.push(Record { time: START, frame: frame[..len].to_vec(), frame_len: frame.len() as u32 });
        }
    }
    records
}

/// Every protocol.
pub fn protocols() -> Vec<Vec<u8>> {
    [
        link(),
        arp(),
        ipv4(),
        ipv6(),
        tcp_conversation(),
        tcp_options(),
        udp_frames(),
        icmp_frames(),
        icmpv6(),
        igmp(),
        applications(),
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

/// Handshake, data both ways and the end, by etherparse: checksums are right.
fn tcp_conversation() -> Vec<Vec<u8>> {
    let client = || {
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(51_000, 9000, 3_000_000_000, 502)
    };
    let server = |seq: u32| {
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1])
            .ipv4([10, 0, 0, 2], [10, 0, 0, 1], 63)
            .tcp(9000, 51_000, seq, 509)
    };
    let client_at = |offset: u32| {
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(51_000, 9000, 3_000_000_000 + offset, 502)
    };
    let mut frames = Vec::new();
    let mut push = |step: etherparse::PacketBuilderStep<etherparse::TcpHeader>, payload: &[u8]| {
        let mut frame = Vec::new();
        step.write(&mut frame, payload).unwrap();
        frames.push(frame);
    };
    push(client().syn(), b"");
    push(server(700).syn().ack(3_000_000_001), b"");
    push(client_at(1).ack(701), b"");
    push(client_at(1).ack(701).psh(), b"a question");
    push(server(701).ack(3_000_000_011), b"");
    push(server(701).ack(3_000_000_011).psh(), b"the answer");
    push(client_at(11).ack(711).urg(3), b"now");
    push(client_at(14).ack(711).fin(), b"");
    push(server(711).ack(3_000_000_015).fin().ece().cwr(), b"");
    push(client_at(15).ack(712), b"");
    push(server(712).rst(), b"");
    push(server(712).rst().ack(3_000_000_015), b"not here");
    frames
}

fn tcp_options() -> Vec<Vec<u8>> {
    let ip = Ipv4::default();
    let options = [
        "020405b4 0402 080a 00000001 00000000 01 030307",
        "0101 080a 00000002 00000001",
        "0101 050a 00000011 00000012",
        "0101 0512 00000011 00000012 00000021 00000022",
        "0506 00000001 0000",
        "0502 0000",
        "0103 0000",
        "02030000",
        "0205010203000000",
        "03040707",
        "0403 0000",
        "2202 0000",
        "2206 aabbccdd 0101",
        "2204aabb",
        "220a aabbccddeeff0011 0101",
        "fe04f989",
        "fe08f989 01020304",
        "fd06 f9890102 0000",
        "1312 00112233445566778899aabbccddeeff 0000",
        "13040102",
        "1c048003",
        "1c040002",
        "1d040102",
        "1d0601020304 0000",
        "0606 00000001 0000",
        "0706 00000001 0000",
        "0b06 00000001 0000",
        "0902 0000",
        "44040102",
        "63000000",
        "00010203",
    ];
    let segment = |digits: &&str| {
        let segment =
            Tcp { flags: 0x10, seq: 5, ack: 9, options: &hex(digits), ..Tcp::default() }.segment(b"");
        ip.summed(6, 16, &segment)
    };
    let mut frames: Vec<_> = options.iter().map(segment).collect();
    let with = |tcp: Tcp<'_>| ip.summed(6, 16, &tcp.segment(b"data"));
    frames.extend([
        with(Tcp { flags: 0, ..Tcp::default() }),
        with(Tcp { flags: 0x1ff, ..Tcp::default() }),
        with(Tcp { flags: 0x18, words: Some(4), ..Tcp::default() }),
        with(Tcp { flags: 0x18, words: Some(15), ..Tcp::default() }),
        ip.frame(6, &Tcp { flags: 0x18, ..Tcp::default() }.segment(b"wrong checksum")),
    ]);
    frames
}

fn udp_frames() -> Vec<Vec<u8>> {
    let ip = Ipv4::default();
    vec![
        ip.summed(17, 6, &udp(1000, 2000, b"hello")),
        ip.frame(17, &udp(1000, 2000, b"hello")),
        ip.frame(17, &udp_with(1000, 2000, 13, 0x1234, b"hello")),
        ip.frame(17, &udp_with(1000, 2000, 100, 0, b"hello")),
        ip.frame(17, &udp_with(1000, 2000, 10, 0, b"hello")),
        ip.frame(17, &udp_with(1000, 2000, 7, 0, b"hello")),
        ip.frame(17, &udp_with(1000, 2000, 0, 0, b"hello")),
        ip.frame(17, &[1, 2, 3, 4, 0]),
        Ipv6::default().frame(17, &udp(1000, 2000, b"hello")),
        Ipv6::default().frame(17, &udp_with(1000, 2000, 100, 5, b"hello")),
    ]
}

fn icmp_frames() -> Vec<Vec<u8>> {
    let ip = Ipv4::default();
    let quoted = ip.packet(17, &udp(1000, 2000, b"abcd"));
    let quoted_tcp = ip.packet(6, &Tcp::default().segment(b""));
    let error = |kind: u8, code: u8| ip.frame(1, &icmp(kind, code, &[0, 0, 5, 220], &quoted));
    let mut frames: Vec<_> = (0..=16).map(|code| error(3, code)).collect();
    frames.extend((0..=4).map(|code| error(5, code)));
    frames.extend((0..=2).map(|code| error(11, code)));
    frames.extend((0..=1).map(|code| error(12, code)));
    frames.extend([1, 2, 4, 15, 16, 17, 18, 19, 255].map(|kind| error(kind, 0)));
    let times = hex("0036ee80 0036ee81 0036f268");
    frames.extend([
        ip.frame(1, &icmp(8, 0, &[0, 1, 0, 2], b"ping")),
        ip.frame(1, &icmp(0, 0, &[0, 1, 0, 2], b"ping")),
        ip.frame(1, &[8, 0, 0, 0, 0, 1, 0, 2]),
        ip.frame(1, &icmp(3, 3, &[0; 4], &quoted_tcp)),
        ip.frame(1, &icmp(3, 3, &[0; 4], &quoted[..24])),
        ip.frame(1, &icmp(3, 3, &[0; 4], &quoted[..22])),
        ip.frame(1, &icmp(3, 3, &[0; 4], &ip.packet(50, b"12345678"))),
        ip.frame(1, &icmp(3, 4, &[0; 4], &quoted)),
        ip.frame(1, &icmp(3, 1, &[0; 4], b"")),
        ip.frame(1, &icmp(13, 0, &[0, 1, 0, 2], &times)),
        ip.frame(1, &icmp(14, 0, &[0, 1, 0, 2], &times)),
        ip.frame(1, &icmp(9, 0, &hex("01020708"), &hex("0a00000100000005"))),
        ip.frame(1, &icmp(9, 0, &hex("0102000a"), &hex("0a00000100000005"))),
        ip.frame(1, &icmp(9, 0, &hex("01022222"), &hex("0a00000100000005"))),
        ip.frame(1, &icmp(10, 0, &[0; 4], b"")),
    ]);
    frames
}

fn icmpv6() -> Vec<Vec<u8>> {
    let ip = Ipv6 { hops: 255, ..Ipv6::default() };
    let quoted = ip.packet(17, &udp(1000, 2000, b"abcd"));
    let message = |kind: u8, code: u8, rest: &[u8]| ip.summed(58, 2, &[&[kind, code, 0, 0], rest].concat());
    let error = |kind: u8, code: u8| message(kind, code, &[&[0, 0, 5, 220], &quoted[..]].concat());
    let text = |kind: u8, rest: &str| message(kind, 0, &hex(rest));
    let a = "20010db8000000000000000000000001";
    let m = "ff020000000000000000000000000fff";
    let mut frames: Vec<_> = (0..=5).map(|code| error(1, code)).collect();
    frames.extend((0..=2).map(|code| error(3, code)));
    frames.extend((0..=4).map(|code| error(4, code)));
    frames.extend([0, 2, 5, 250].map(|kind| error(kind, 0)));
    let quoted_tcp = ip.packet(6, &Tcp::default().segment(b""));
    frames.extend([
        message(1, 4, &[&[0; 4], &quoted_tcp[..]].concat()),
        text(128, "00010002 70696e67"),
        text(129, "00010002 70696e67"),
        ip.frame(58, &hex("8000000000010002")),
        text(133, "00000000 0101020000000001"),
        text(
            134,
            &format!(
                "40c00708 00000000 00000000 0101020000000001
                 030440c0 00278d00 00093a80 00000000 20010db8000000000000000000000000
                 0501000000000 5dc 1903000000000e10 {a} 0701000000000bb8 18020808000003e8 20010db800000000
                 1f030000000000e1 0361626300000000 0000000000000000 080100000001 0e10"
            ),
        ),
        text(134, "40380000 000003e8 000007d0"),
        text(135, &format!("00000000 {a} 0101020000000001")),
        text(135, &format!("00000000 {a}")),
        text(135, &format!("00000000 {a} 0e01020304050607")),
        text(135, &format!("00000000 {a} 0100020304050607")),
        text(135, &format!("00000000 {a} 0107020304050607")),
        text(136, &format!("e0000000 {a} 0201020000000001")),
        text(136, &format!("00000000 {a}")),
        text(137, &format!("00000000 {a} {m} 0201020000000001")),
        text(130, &format!("27100000 {m}")),
        text(130, &format!("27100000 {m} 027d0000")),
        text(130, &format!("90000000 {m} 0a850001 {a}")),
        text(131, &format!("00000000 {m}")),
        text(132, &format!("00000000 {m}")),
        text(143, &format!("00000002 04000000 {m} 03000001 {m} {a}")),
        text(143, &format!("00000002 01000000 {m} 09000000 {m}")),
        ip.frame(
            0,
            &[
                hex("3a00050200000100"),
                Ipv6::message(58, 2, &hex(&format!("8f000000 00000001 04000000 {m}"))),
            ]
            .concat(),
        ),
    ]);
    frames
}

fn igmp() -> Vec<Vec<u8>> {
    let ip = Ipv4 { dst: [224, 0, 0, 1], ..Ipv4::default() };
    let message = |digits: &str| {
        let digits = hex(digits);
        ip.frame(2, &icmp(digits[0], digits[1], &digits[4..], b""))
    };
    vec![
        message("11000000 00000000"),
        message("11640000 00000000"),
        message("11140000 e0000009"),
        message("110f0000 e0000009"),
        message("11640000 00000000 027d0000"),
        message("11140000 e0000009 027d0000"),
        message("11050000 e0000009 027d0001 0a000001"),
        message("11900000 e0000009 027d0000"),
        message("12000000 e0000009"),
        message("16000000 e0000009"),
        message("17000000 e0000009"),
        message("22000000 00000001 04000000 e0000009"),
        message("22000000 00000002 03000001 e0000009 0a000001 09000000 e0000009"),
        message("13000000 e0000009"),
        message("99000000 e0000009"),
        ip.frame(2, &hex("16001234 e0000009")),
    ]
}

/// Protocols told by their ports.
fn applications() -> Vec<Vec<u8>> {
    let ip = Ipv4::default();
    let dns = |digits: &str| ip.frame(17, &udp(40_000, 53, &hex(digits)));
    let mdns = |digits: &str| ip.frame(17, &udp(5353, 5353, &hex(digits)));
    let name = "03777777 076578616d706c65 03636f6d 00";
    let question = format!("{name} 0001 0001");
    let query = hex(&format!("0001 0100 0001 0000 0000 0000 {question}"));
    let tcp = |prefix: &str| {
        let payload = [&hex(prefix)[..], &query].concat();
        ip.frame(6, &Tcp { dst: 53, flags: 0x18, ..Tcp::default() }.segment(&payload))
    };
    let answer = |kind: &str, data: &str| {
        let len = hex(data).len();
        dns(&format!("0003 8180 0001 0001 0000 0000 {question} c00c {kind} 0001 0000012c {len:04x} {data}"))
    };
    let bootp = |operation: u8| {
        let mut message = vec![0; 300];
        message[..4].copy_from_slice(&[operation, 1, 6, 0]);
        message[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        ip.frame(17, &udp(68, 67, &message))
    };
    vec![
        ip.frame(17, &udp(40_000, 53, &query)),
        dns(&format!("0002 0110 0001 0000 0000 0001 {question} 00 0029 1000 00008000 0000")),
        dns(&format!("0003 2800 0001 0000 0001 0000 {question} {name} 0001 0001 0000012c 0004 01020304")),
        answer("0001", "01020304"),
        answer("001c", "20010db8000000000000000000000001"),
        answer("0005", "c010"),
        answer("000c", "0161 c010"),
        answer("0002", name),
        answer("0006", &format!("{name} {name} 00000001 00000002 00000003 00000004 00000005")),
        answer("000f", "000a c00c"),
        answer("0010", "0568656c6c6f 0361 0762"),
        answer("0021", "0001 0002 0050 c00c"),
        answer("0030", "000102"),
        answer("0041", "000100"),
        dns(&format!(
            "0004 8583 0001 0002 0001 0001 {question} c00c 0005 0001 0000012c 0002 c010
             c010 0001 0001 0000012c 0004 01020304 c010 0002 0001 0000012c 0002 c00c
             c00c 0001 0001 0000012c 0004 01020304"
        )),
        dns(&format!("0005 8380 0001 0000 0000 0000 {question}")),
        dns("0006 0100 0001 0000 0000 0000 c00c 0001 0001"),
        dns("0007 8180 0000 0001 0000 0000 c00e c00c 0001 0001 0000012c 0004 01020304"),
        dns("0008 0100 ffff ffff ffff ffff"),
        dns("0009 8180 0001 ffff 0000 0000 00 0001 0001"),
        mdns(&format!("0000 0000 0001 0000 0000 0000 {name} 000c 8001")),
        mdns(&format!("0000 0000 0001 0000 0000 0000 {name} 00ff 00ff")),
        mdns(&format!("0000 8400 0000 0001 0000 0000 {name} 0001 8001 00000078 0004 0a000001")),
        tcp("0021"),
        tcp("0022"),
        ip.frame(6, &Tcp { dst: 53, flags: 0x18, ..Tcp::default() }.segment(b"x")),
        ip.frame(6, &Tcp { dst: 179, flags: 0x18, ..Tcp::default() }.segment(b"x")),
        bootp(1),
        bootp(2),
        bootp(9),
    ]
}

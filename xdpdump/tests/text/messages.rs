//! The frames of the fixtures from the transport layer on.

use etherparse::PacketBuilder;

use crate::build::{Ipv4, Ipv6, Tcp, ethernet, hex, icmp, udp, udp_with};

/// Every protocol above IP.
pub fn all() -> Vec<Vec<u8>> {
    [
        tcp_conversation(),
        tcp_options(),
        udp_frames(),
        icmp_frames(),
        icmpv6(),
        igmp(),
        applications(),
        tunnels(),
    ]
    .concat()
}

/// A TCP handshake, data in both directions and the end, built by etherparse, so the checksums are right.
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
        "1e0c0181 1122334455667788",
        "1e140100 1122334455667788 99aabbccddeeff00",
        "1e181001 00112233445566778899aabbccddeeff00112233",
        "1e142005 11223344 55667788 99aabbcc 0010 0102",
        "1e1a200f 1122334455667788 99aabbccddeeff00 00000001 0010 0000",
        "1e083401 0a000001",
        "1e10 0001 0a000001 1111111111111111",
        "1e044007",
        "1e035001",
        "1e0c6000 1122334455667788",
        "1e0c7000 1122334455667788",
        "1e049000",
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

/// Protocols that are recognised by their ports.
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

fn tunnels() -> Vec<Vec<u8>> {
    let ip = Ipv4::default();
    let inner = ip.packet(17, &udp(1000, 2000, b"hello"));
    let with = |header: &str, payload: &[u8]| [&hex(header)[..], payload].concat();
    let gre = |header: &str, payload: &[u8]| ip.frame(47, &with(header, payload));
    let vxlan = |header: &str, payload: &[u8]| ip.frame(17, &udp(1000, 4789, &with(header, payload)));
    let mpls = |labels: &str, payload: &[u8]| ethernet(0x8847, &with(labels, payload));
    let http =
        |text: &[u8]| ip.frame(6, &Tcp { src: 80, dst: 50_000, flags: 0x18, ..Tcp::default() }.segment(text));
    vec![
        gre("0000 0800", &inner),
        gre("b000 86dd 1234 0000 00000001 00000002", &Ipv6::default().packet(17, &udp(1, 2, b""))),
        gre("0000 6558", &ethernet(0x0800, &inner)),
        gre("2000 1234 00000007", b"abc"),
        gre("0002 0800", &inner),
        vxlan("08000000 00006400", &ethernet(0x0800, &inner)),
        vxlan("00000000 00006400", &ethernet(0x0806, b"")),
        vxlan("080000", b""),
        mpls("00010140", &inner),
        mpls("00010040 00020310", &inner),
        mpls("00010140", &Ipv6::default().packet(17, &udp(1, 2, b""))),
        mpls("00010140", b"abc"),
        http(b"HTTP/1.1 200 OK\r\nServer: none\r\n\r\nbody"),
        http(b"the rest of a body"),
    ]
}

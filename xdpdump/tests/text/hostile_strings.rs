//! Text from packets is printed as printable ASCII, whatever protocol contains it.

use crate::build::{Ipv4, Ipv6, Tcp, ethernet, hex, udp};
use xdpdump::{
    decode::{Decoder, Style},
    output::{
        Sink,
        text::{HexDump, LineStyle, TextOptions, TextSink},
    },
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};

/// An escape sequence, a bell, a backspace, a delete, an 8-bit control, a right-to-left override, a byte-order mark, and a byte
/// that is not UTF-8.
const HOSTILE: &[u8] = b"a\x1b[2J\x07\x08\x7f\x9b\xe2\x80\xae\xef\xbb\xbf\xffz";
const ESCAPED: &str = "a^[[2J^G^H^?M-^[M-bM-^@M-.M-oM-;M-?M-^?z";
/// Characters that could forge a line, in protocols whose text does not end at a line end.
const LINES: &[u8] = b"a\r\n\x0b\x0c\xe2\x80\xa8\xc2\x85z";
const LINES_ESCAPED: &str = "a^M^J^K^LM-bM-^@M-(M-BM-^Ez";

fn sized(text: &[u8]) -> Vec<u8> {
    [&[text.len() as u8][..], text].concat()
}

/// A DNS answer to or from `port`, with `text` in the name and `data` in one record.
fn dns(port: u16, text: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let name = [sized(text), vec![0]].concat();
    let head = hex("0001 8180 0001 0001 0000 0000");
    let question = [&name[..], &[0, kind, 0, 1]].concat();
    let answer = [&[0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 1, 0, data.len() as u8], data].concat();
    Ipv4::default().frame(17, &udp(port, port, &[head, question, answer].concat()))
}

fn tcp(port: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    Ipv4::default().frame(6, &Tcp { dst: port, flags, ..Tcp::default() }.segment(payload))
}

/// Frames with the text in every field that a decoder prints as text and that may contain line ends.
fn carriers(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let tlv = |kind: u8, value: &[u8]| [&[kind << 1, value.len() as u8], value].concat();
    let lldp = |tlvs: &[Vec<u8>]| ethernet(0x88cc, &[tlvs.concat(), vec![0, 0]].concat());
    let subtyped = |subtype: u8| [&[subtype], text].concat();
    let units = (8 + 1 + text.len() + 1).div_ceil(8);
    let mut search = [&[31, units as u8, 0, 0, 0, 0, 0, 0], &sized(text)[..]].concat();
    search.resize(units * 8, 0);
    let router = [&hex("86000000 40000708 00000000 00000000")[..], &search].concat();
    let mut bootp = vec![0; 240];
    bootp[0] = 2;
    bootp[44..44 + text.len()].copy_from_slice(text);
    bootp[108..108 + text.len()].copy_from_slice(text);
    let option = [&bootp[..236], &hex("63825363"), &[12], &sized(text), &[255]].concat();
    let frame = |port: u16, payload: &[u8]| Ipv4::default().frame(17, &udp(port, port, payload));
    let mut time = [&hex("00010007 0000000100000002")[..], text].concat();
    time.resize(80, 0);
    let mut description = [&hex("0111 042c 00000001 0000 0000")[..], text].concat();
    description.resize(1068, 0);
    let mut start = [&hex("009c0001 1a2b3c4d 0001 0000 0100 0000")[..], &[0; 12], text].concat();
    start.resize(156, 0);
    let padded = |text: &[u8]| [text, &vec![0; text.len().next_multiple_of(4) - text.len()]].concat();
    let name = [&[0, 0, 0, text.len() as u8][..], &padded(text)].concat();
    let lookup =
        [&hex("00000001 00000000 00000002 000186a3 00000003 00000003")[..], &[0; 16], &[0; 4], &name]
            .concat();
    let mark = [&(0x8000_0000 | lookup.len() as u32).to_be_bytes()[..], &lookup].concat();
    let state = hex("0005 0014 01020304 00000001 00000001 0000000000000001");
    let member = [&[0, 41, 0, 17 + text.len() as u8][..], &[0; 16], &padded(&sized(text))].concat();
    let node = [&state[..2], &[0, 20 + member.len() as u8], &state[4..], &member].concat();
    vec![
        ("DHCP host name", frame(67, &option)),
        ("Syslog message", frame(514, &[b"<34>", text].concat())),
        ("TFTP file", frame(69, &[b"\0\x01", text, b"\0octet\0"].concat())),
        ("Time master", frame(525, &time)),
        ("OpenFlow description", tcp(6653, 0x18, &description)),
        ("PPTP host", tcp(1723, 0x18, &start)),
        ("NFS file", tcp(2049, 0x18, &mark)),
        ("HNCP node", frame(8231, &node)),
        (
            "Redis value",
            tcp(6379, 0x18, &[format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()),
        ),
        ("DNS name", dns(53, text, 12, &[0xc0, 12])),
        ("DNS mail exchange", dns(53, b"x", 15, &[&[0, 5], &sized(text)[..], &[0]].concat())),
        ("DNS service", dns(53, b"x", 33, &[&[0; 6], &sized(text)[..], &[0]].concat())),
        ("DNS text", dns(53, b"x", 16, &sized(text))),
        ("mDNS name", dns(5353, text, 12, &[0xc0, 12])),
        ("LLDP chassis", lldp(&[tlv(1, &subtyped(7))])),
        ("LLDP port", lldp(&[tlv(2, &subtyped(5))])),
        ("LLDP port description", lldp(&[tlv(4, text)])),
        ("LLDP system name", lldp(&[tlv(5, text)])),
        ("LLDP system description", lldp(&[tlv(6, text)])),
        ("BOOTP server and file", Ipv4::default().frame(17, &udp(67, 68, &bootp))),
        ("TCP reset", tcp(9000, 0x04, text)),
        ("IPv6 search list", Ipv6 { hops: 255, ..Ipv6::default() }.summed(58, 2, &router)),
    ]
}

fn ssh(text: &[u8]) -> Vec<u8> {
    tcp(22, 0x18, &[b"SSH-2.0-", text, b"\r\n"].concat())
}

/// Frames of line-based protocols, with the text in a line.
fn lines(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let around = |before: &[u8], after: &[u8]| [before, text, after].concat();
    vec![
        ("HTTP request", tcp(80, 0x18, &around(b"GET /", b" HTTP/1.1\r\n\r\n"))),
        ("HTTP status", tcp(8080, 0x18, &around(b"HTTP/1.1 200 ", b"\r\n\r\n"))),
        ("HTTP field", tcp(80, 0x18, &around(b"GET / HTTP/1.1\r\nHost: ", b"\r\n\r\n"))),
        ("FTP answer", tcp(21, 0x18, &around(b"220 ", b"\r\n"))),
    ]
}

fn decode(frame: &[u8]) -> String {
    let mut text = Vec::new();
    let style = Style { verbosity: 2, ..Style::default() };
    Decoder::new(style).frame(&mut text, LinkType::ETHERNET, frame, frame.len() as u32);
    assert_printable(&text);
    String::from_utf8(text).unwrap()
}

fn assert_printable(text: &[u8]) {
    let hostile = text.iter().find(|byte| !matches!(byte, b' '..=b'~' | b'\n' | b'\t'));
    assert!(hostile.is_none(), "{hostile:02x?} in {}", text.escape_ascii());
}

#[test]
fn text_of_packets_is_escaped() {
    for (name, frame) in carriers(HOSTILE).into_iter().chain([("SSH version", ssh(HOSTILE))]) {
        let text = decode(&frame);
        assert!(text.contains(ESCAPED), "{name}: {text}");
    }
}

#[test]
fn lines_that_are_not_text_are_not_printed() {
    for (name, frame) in lines(HOSTILE) {
        let text = decode(&frame);
        assert!(!text.contains("a^["), "{name}: {text}");
    }
}

#[test]
fn text_of_packets_forges_no_lines() {
    for ((name, frame), (_, harmless)) in carriers(LINES).iter().zip(carriers(&[b'x'; LINES.len()])) {
        let text = decode(frame);
        assert!(text.contains(LINES_ESCAPED), "{name}: {text}");
        assert_eq!(text.lines().count(), decode(&harmless).lines().count(), "{name}: {text}");
    }
}

#[test]
fn dumps_are_printable() {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    for frame in [ethernet(0x1234, &every), tcp(9000, 0x18, &every)] {
        for (hex, line_style) in [
            (HexDump::None, LineStyle::Tcpdump),
            (HexDump::Hex, LineStyle::Tcpdump),
            (HexDump::HexAscii, LineStyle::Tcpdump),
            (HexDump::Ascii, LineStyle::Tcpdump),
            (HexDump::Hex, LineStyle::Classic),
        ] {
            let mut text = Vec::new();
            let options = TextOptions { hex, line_style, ..TextOptions::default() };
            let mut sink = TextSink::new(&mut text, "memory", options);
            sink.interface(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() }).unwrap();
            let (timestamp, frame_len, meta) = (Timestamp(0), frame.len() as u32, Meta::default());
            let packet = Packet {
                timestamp,
                uptime: None,
                record: xdpdump::packet::Record::None,
                interface: 0,
                frame: &frame,
                frame_len,
                meta,
            };
            sink.packet(&packet).unwrap();
            sink.finish(&[]).unwrap();
            drop(sink);
            assert!(text.len() > 30);
            assert_printable(&text);
        }
    }
}

//! Filters: any text is either compiled or refused with a place inside the text, and the evaluation of a compiled filter
//! ends for any frame. So does that of `--headers`, with a length that has a bound.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xdpdump::{
    filter::{
        Filter, Frame, Headers,
        ebpf::{Hook, Target},
    },
    packet::{Direction, LinkType},
};
use xdpdump_fuzz::Output;

/// Words of the language. Names of hosts are left out, because resolving them would send requests to the network.
const WORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "^",
    "<<",
    ">>",
    "=",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "!",
    "&&",
    "||",
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "igmp",
    "ether",
    "iso",
    "isis",
    "l1",
    "stp",
    "ipx",
    "atalk",
    "decnet",
    "host",
    "net",
    "port",
    "portrange",
    "proto",
    "protochain",
    "src",
    "dst",
    "mask",
    "gateway",
    "broadcast",
    "multicast",
    "less",
    "greater",
    "len",
    "byte",
    "vlan",
    "mpls",
    "pppoed",
    "pppoes",
    "geneve",
    "llc",
    "inner",
    "verdict",
    "drop",
    "queue",
    "cpu",
    "inbound",
    "outbound",
    "0",
    "1",
    "2",
    "4",
    "6",
    "13",
    "17",
    "80",
    "0xffffffff",
    "31",
    "80-90",
    "10.0.0.1",
    "10.0",
    "10.0.0.0/8",
    "255.0.0.0",
    "2001:db8::1",
    "::/0",
    "00:01:02:03:04:05",
    "tcpflags",
    "tcp-syn",
    "icmptype",
    "\\tcp",
    "vpi",
    "on",
];

const LINK_TYPES: [LinkType; 8] = [
    LinkType::ETHERNET,
    LinkType::RAW,
    LinkType::LINUX_SLL,
    LinkType::LINUX_SLL2,
    LinkType::NULL,
    LinkType::PPP,
    LinkType::PPP_ETHER,
    LinkType::IEEE802_11,
];

/// Largest number of bytes of a compiled filter and its text: `inner` and extension headers make many steps of a word, and the
/// kernel takes a million instructions (`BPF_COMPLEXITY_LIMIT_INSNS`, include/linux/bpf.h, v6.18).
const PER_FILTER: u64 = 64 << 20;

/// No headers are longer than this many bytes.
const LONGEST_HEADERS: u32 = 65535;

const TARGET: Target = Target {
    hook: Hook::Xdp,
    tagged: false,
    multi_buffer: true,
    offloaded: false,
    verdict: true,
    direction: Direction::Inbound,
};

/// What is wanted of a frame are its headers and so many bytes more, or everything.
fn headers(more: u32, link_type: LinkType, bytes: &[u8]) {
    let headers = Headers::new(more, link_type);
    let wanted = headers.len(&Frame { bytes, len: bytes.len() as u32, ..Frame::default() });
    let longest = LONGEST_HEADERS.saturating_add(more);
    assert!(wanted == u32::MAX || wanted <= longest, "{wanted} bytes, with {more} behind the headers");
    assert!(wanted >= more.min(bytes.len() as u32), "{wanted} bytes, with {more} behind the headers");
    assert!(headers.instructions(TARGET).is_ok());
}

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, text_len], rest)) = data.split_first_chunk() else { return };
    let link_type = LINK_TYPES[usize::from(kind >> 3) % LINK_TYPES.len()];
    if kind & 2 != 0 {
        let Some((&more, frame)) = rest.split_first_chunk() else { return };
        return headers(u32::from_le_bytes(more), link_type, frame);
    }
    let (text, frame) = rest.split_at(usize::from(text_len).min(rest.len()));
    let text = if kind & 1 == 0 {
        text.iter().map(|&at| WORDS[usize::from(at) % WORDS.len()]).collect::<Vec<_>>().join(" ")
    } else {
        let text = String::from_utf8_lossy(text).into_owned();
        if ["host", "src", "dst", "gateway"].iter().any(|word| text.contains(word)) {
            return;
        }
        text
    };
    let output = Output::at_most(PER_FILTER);
    match Filter::compile(&text, link_type) {
        Ok(filter) => {
            let frame = Frame { bytes: frame, len: frame.len() as u32, ..Frame::default() };
            filter.matches(&frame);
            output.made(filter.intermediate().to_string().len());
            for multi_buffer in [false, true] {
                if let Ok(instructions) = filter.instructions(Target { multi_buffer, ..TARGET }) {
                    output.made(size_of_val(instructions.as_slice()));
                }
            }
        }
        Err(error) => {
            assert!(text.get(error.span()).is_some(), "{:?} is not inside '{text}'", error.span());
            output.made(error.to_string().len());
        }
    }
});

//! Checksums of packets with a route: they are over the last address of the route, not over the next one.

use crate::build::hex;
use xdpdump::decode::{Decoder, Style};
use xdpdump::packet::LinkType;

/// UDP and TCP behind a segment routing header, and behind a loose and a strict source route of IPv4.
const FRAMES: [(&str, &str); 4] = [
    (
        "0200c0ffee020200c0ffee0186dd6000000000342b4020010db8000000000000000000000001fc0000000000000000000000\
     000000021104040101000000fc000000000000000000000000000001fc00000000000000000000000000000200050006000c\
     114961626364",
        "[udp sum ok]",
    ),
    (
        "0200c0ffee020200c0ffee0186dd60000000003e2b4020010db8000000000000000000000001fc0000000000000000000000\
     000000020604040101000000fc000000000000000000000000000001fc000000000000000000000000000002000500060000\
     03e8000001f4501801f515ca00006869",
        "(correct)",
    ),
    (
        "0200c0ffee020200c0ffee0108004800002c123440004011cd600a010203c0000209830b040a0000010a0000020000050006\
     000c24ff61626364",
        "[udp sum ok]",
    ),
    (
        "0200c0ffee020200c0ffee01080048000036123440004006c7610a010203c0000209890b040a0000010a0000020000050006\
     000000010000000150180005314a00006869",
        "(correct)",
    ),
];

fn printed(frame: &[u8]) -> String {
    let mut text = Vec::new();
    let style = Style { verbosity: 2, ..Style::default() };
    Decoder::new(style).frame(&mut text, LinkType::ETHERNET, frame, frame.len() as u32);
    String::from_utf8(text).unwrap()
}

#[test]
fn checksums_are_over_the_end_of_the_route() {
    for (frame, words) in FRAMES {
        let mut frame = hex(frame);
        let text = printed(&frame);
        assert!(text.contains(words), "{text}");
        // A byte of the payload, or of the header if there is none.
        *frame.last_mut().unwrap() ^= 1;
        let text = printed(&frame);
        assert!(!text.contains(words), "{text}");
    }
}

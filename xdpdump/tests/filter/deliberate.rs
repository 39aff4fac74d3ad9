//! Expressions whose meaning deliberately differs from libpcap's, and frames that show the difference.

use std::slice;

use super::{
    compare,
    libpcap::{Optimizer, chosen},
    ours,
};
use xdpdump::{filter::Filter, packet::LinkType};
use xdpdump_testing::filters::{
    frames::{self, Bytes, Capture},
    made,
};

/// Expressions whose meaning deliberately differs from libpcap's, and why.
pub const DELIBERATE: &[(&str, &str)] = &[
    ("byte 0 & 2", "libpcap 1.10.3 forgets to load the byte that '&' and '|' are applied to"),
    ("byte 0 | 0", "as above"),
    (
        "len / ip[8] > 1",
        "libpcap forgets the protocol of what stands behind an operator, and refuses the division",
    ),
    ("len - ip[2:2] = 14", "as above"),
    (
        "ip6 protochain 17",
        "behind an authentication header, libpcap goes on at its length, counted from the IP header's beginning instead of its \
         own: `X = (len + 2) * 4` where the other extension headers have `X = X + (len + 1) * 8`",
    ),
    ("not protochain 6", "as above"),
    (
        "geneve and net 10 or port 443",
        "what stands behind 'geneve' is looked for where its header's offsets in scratch memory say. For a frame without GENEVE, \
         nothing set those: libpcap finds there what an earlier frame left, here they are 0",
    ),
];

/// Whether the last frame of a capture is accepted by xdpdump, by libpcap, and by libpcap without its optimizer.
fn judged(frames: &[Vec<u8>], expression: &str) -> [bool; 3] {
    let frames = frames.iter().map(|bytes| Bytes { bytes: bytes.clone(), len: bytes.len() as u32 });
    let capture = Capture::new(LinkType::ETHERNET, frames.collect());
    let filter = Filter::compile(expression, LinkType::ETHERNET).unwrap();
    let last = |judged: Vec<bool>| judged.last().copied().unwrap();
    let theirs = |optimizer| last(chosen(&capture, expression, optimizer).unwrap());
    [last(ours(&capture, &filter)), theirs(Optimizer::On), theirs(Optimizer::Off)]
}

/// Every difference in the list must still exist.
#[test]
fn deliberate_differences_are_listed_as_long_as_they_last() {
    let captures = frames::all();
    for (expression, reason) in DELIBERATE {
        let differs = captures.iter().any(|capture| compare(capture, expression).is_err());
        assert!(differs, "'{expression}' means the same as in libpcap again: {reason}");
    }
}

/// IPv6 with an authentication header of 24 bytes, destination options of 8 bytes, and UDP. libpcap goes on 24 bytes
/// after the beginning of the IP header, where the destination address begins, with ff02.
#[test]
fn a_protocol_chain_goes_on_behind_an_authentication_header() {
    let authentication = [&[60, 4][..], &[0; 22]].concat();
    let options = [17, 0, 1, 4, 0, 0, 0, 0];
    let packet = made::ipv6(51, &[&authentication[..], &options, &made::udp(1, 2, b"")].concat());
    let frame = made::ethernet(made::IPV6, &packet);
    assert_eq!(judged(slice::from_ref(&frame), "ip6 protochain 17"), [true, false, false]);
    // Without the authentication header, there is no difference.
    let packet = made::ipv6(60, &[&options[..], &made::udp(1, 2, b"")].concat());
    let without = made::ethernet(made::IPV6, &packet);
    assert_eq!(judged(&[without], "ip6 protochain 17"), [true; 3]);
    // If it is cut before the destination options, the frame ends too early and is rejected, whatever the expression.
    // libpcap reads elsewhere and does not notice the end.
    let cut = frame[..14 + 40 + 8].to_vec();
    assert_eq!(judged(&[cut], "not protochain 6"), [false, true, true]);
}

/// libpcap accepts a frame without GENEVE after one with GENEVE, but not alone. (The frame with GENEVE must not
/// match, because writing it would overwrite the scratch memory of libpcap, which is on the stack.)
#[test]
fn what_is_not_geneve_does_not_depend_on_the_frame_before() {
    let expression = "geneve and net 10 or port 443";
    let over_udp = |outer, inner| {
        let inside = made::ethernet(made::IPV6, &made::ipv6(6, &made::tcp(80, inner)));
        let datagram = made::udp(4000, outer, &made::geneve(0x6558, 0, &inside));
        made::ethernet(made::IPV4, &made::ipv4(17, 0, &[], &datagram))
    };
    let (geneve, other) = (over_udp(6081, 22), over_udp(6082, 443));
    assert_eq!(judged(slice::from_ref(&geneve), expression), [false; 3]);
    assert_eq!(judged(slice::from_ref(&other), expression), [false; 3]);
    assert_eq!(judged(&[geneve, other], expression), [false, true, true]);
}

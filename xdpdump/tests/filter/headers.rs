//! Where the headers of frames end, compared with what the generator of the frames noted.

use xdpdump::{
    filter::{Frame, Headers},
    packet::LinkType,
};
use xdpdump_testing::filters::{
    ends::{self, Ended},
    frames, made,
    random::Random,
};

/// An upper bound: three nested frames, each with seven of the longest extension headers.
const LONGEST: u32 = u16::MAX as u32;

fn wanted(headers: &Headers, bytes: &[u8]) -> u32 {
    headers.len(&Frame { bytes, len: bytes.len() as u32, ..Frame::default() })
}

/// Number of bytes of a frame that are captured.
fn kept(headers: &Headers, bytes: &[u8]) -> usize {
    (wanted(headers, bytes) as usize).min(bytes.len())
}

/// Headers with different numbers of further bytes, for one link type.
struct Cuts(Vec<(u32, Headers)>);

impl Cuts {
    fn new(link_type: LinkType) -> Self {
        Self([0, 1, 64, u32::MAX].map(|more| (more, Headers::new(more, link_type))).into())
    }

    /// Cuts the frame at every length, and asserts how much of it is captured: all if it was cut within a header.
    fn assert_ends(&self, frame: &Ended) {
        for (more, headers) in &self.0 {
            for captured in 0..=frame.bytes.len() {
                let kept = kept(headers, &frame.bytes[..captured]);
                let expected = frame.end.saturating_add(*more as usize).min(captured);
                let undecided = captured < frame.seen && kept == captured;
                assert!(
                    kept == expected || undecided,
                    "{kept} instead of {expected} bytes, {more} more, {captured} captured: {frame:?}"
                );
            }
        }
    }
}

#[test]
fn headers_end_where_they_were_made_to() {
    let mut random = Random::new(21);
    for link_type in [LinkType::ETHERNET, LinkType::RAW] {
        let cuts = Cuts::new(link_type);
        for _ in 0..1000 {
            cuts.assert_ends(&ends::random(&mut random, link_type));
        }
    }
}

fn ethernet(end: usize, ether_type: u16, payload: &[u8]) -> Ended {
    Ended { bytes: made::ethernet(ether_type, payload), end, ..Ended::default() }
}

#[test]
fn no_more_headers_than_this_are_passed_over() {
    let tcp = made::tcp(80, 443);
    let ipv4 = made::ipv4(6, 0, &[], &tcp);
    let tags = made::vlan(1, 0x8100, &made::vlan(2, 0x8100, &made::vlan(3, made::IPV4, &ipv4)));
    let labels = [&[0, 1, 0, 64].repeat(4)[..], &[0, 1, 1, 64], &ipv4].concat();
    let extensions = [&[60, 0, 1, 4, 0, 0, 0, 0].repeat(7)[..], &[6, 0, 1, 4, 0, 0, 0, 0], &tcp].concat();
    let packets = (0..3).fold(ipv4, |inside, _| made::ipv4(4, 0, &[], &inside));
    let cuts = Cuts::new(LinkType::ETHERNET);
    for frame in [
        ethernet(14 + 2 * 4, 0x8100, &tags),
        ethernet(14 + 4 * 4, 0x8847, &labels),
        ethernet(14 + 40 + 7 * 8, made::IPV6, &made::ipv6(60, &extensions)),
        ethernet(14 + 3 * 20, made::IPV4, &packets),
    ] {
        cuts.assert_ends(&frame);
    }
}

/// An IPv4 header whose length field is less than its fixed part is still captured up to the end of that part.
#[test]
fn an_impossible_length_of_an_ipv4_header_does_not_hide_it() {
    let cuts = Cuts::new(LinkType::ETHERNET);
    for words in 0..5 {
        let mut packet = made::ipv4(6, 0, &[], &made::tcp(80, 443));
        packet[0] = 0x40 | words;
        cuts.assert_ends(&ethernet(14 + 20, made::IPV4, &packet));
    }
}

/// For arbitrary bytes.
#[test]
fn headers_have_an_end() {
    let mut random = Random::new(22);
    for capture in frames::all() {
        let mores = [0, 64, u32::MAX].map(|more| (more, Headers::new(more, capture.link_type)));
        for frame in &capture.frames {
            let mut bytes = frame.bytes.clone();
            for _ in 0..4 {
                if !bytes.is_empty() {
                    let at = random.below(bytes.len());
                    bytes[at] = random.number() as u8;
                }
                for (more, headers) in &mores {
                    let wanted = wanted(headers, &bytes);
                    assert!(wanted >= *more.min(&(u32::MAX / 2)), "{wanted} of {bytes:02x?}");
                    let bound = LONGEST.saturating_add(*more);
                    assert!(wanted == u32::MAX || wanted <= bound, "{wanted} of {bytes:02x?}");
                }
            }
        }
    }
}

#[test]
fn headers_end_there_also_behind_other_link_level_headers() {
    let packet = made::ipv4(6, 0, &[], &made::tcp(80, 443));
    let ethernet = made::ethernet(made::IPV4, &packet);
    for (link_type, link) in
        [(LinkType::LINUX_SLL, 16), (LinkType::LINUX_SLL2, 20), (LinkType::NULL, 4), (LinkType::LOOP, 4)]
    {
        let bytes = frames::relink(&ethernet, link_type).unwrap();
        Cuts::new(link_type).assert_ends(&Ended { bytes, end: link + 20 + 20, ..Ended::default() });
    }
}

#[test]
fn frames_of_other_link_types_are_wanted_whole() {
    for link_type in [LinkType::PPP, LinkType::IEEE802_11] {
        assert_eq!(wanted(&Headers::new(0, link_type), &[0; 60]), u32::MAX);
    }
}

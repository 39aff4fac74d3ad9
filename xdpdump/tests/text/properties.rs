//! The decoder with hostile bytes: it never panics, always ends, and prints a bounded amount of text.

use crate::frames;
use proptest::prelude::*;
use xdpdump::decode::{Decoder, Style};
use xdpdump::packet::LinkType;

/// Largest number of bytes of text per byte of a frame. Names in DNS messages are the worst case: two bytes can point to a
/// name of 255.
const EXPANSION: usize = 1100;
/// Largest number of bytes of text that do not depend on the frame's size.
const FIXED: usize = 2000;

fn styles() -> impl Strategy<Value = Style> {
    (0..4_u8, any::<[bool; 5]>()).prop_map(
        |(verbosity, [quiet, link_header, unverified, absolute_seq, hex_follows])| Style {
            verbosity,
            quiet,
            link_header,
            unverified,
            absolute_seq,
            hex_follows,
        },
    )
}

fn link_types() -> impl Strategy<Value = LinkType> {
    prop_oneof![
        Just(LinkType::ETHERNET),
        Just(LinkType::RAW),
        proptest::sample::select(&LinkType::DECODED[..]),
        any::<u16>().prop_map(LinkType)
    ]
}

fn decode(style: Style, link_type: LinkType, frame: &[u8], frame_len: u32) -> Vec<u8> {
    let mut text = Vec::new();
    Decoder::new(style).frame(&mut text, link_type, frame, frame_len);
    text
}

fn assert_bounded(frame: &[u8], text: &[u8]) {
    let limit = FIXED + EXPANSION * frame.len();
    assert!(text.len() <= limit, "{} bytes of text for {} of frame", text.len(), frame.len());
}

/// Every frame of the fixtures; made once, as it is chosen from thousands of times.
fn every_frame() -> &'static [Vec<u8>] {
    static FRAMES: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(frames::all);
    &FRAMES
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes(
        style in styles(),
        link_type in link_types(),
        frame in prop::collection::vec(any::<u8>(), 0..400),
        frame_len in any::<u32>(),
    ) {
        assert_bounded(&frame, &decode(style, link_type, &frame, frame_len));
    }

    #[test]
    fn damaged_frames(
        style in styles(),
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
        frame_len in any::<u32>(),
    ) {
        let frames = every_frame();
        let mut frame = which.get(frames).clone();
        for (at, byte) in damage {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        if !whole {
            frame.truncate(cut.index(frame.len()));
        }
        assert_bounded(&frame, &decode(style, LinkType::ETHERNET, &frame, frame_len));
        let packet = frame.get(14..).unwrap_or_default();
        assert_bounded(packet, &decode(style, LinkType::RAW, packet, frame_len));
    }
}

/// Text depends only on the captured bytes and the lengths.
#[test]
fn every_cut_of_every_frame_ends() {
    for frame in every_frame() {
        for len in 0..frame.len() {
            for verbosity in 0..3 {
                let style = Style { verbosity, link_header: true, ..Style::default() };
                let text = decode(style, LinkType::ETHERNET, &frame[..len], frame.len() as u32);
                assert!(!text.is_empty());
            }
        }
    }
}

#[test]
fn tunnels_in_tunnels_end() {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0];
    for depth in (1..=3000_u16).rev() {
        let [high, low] = (depth * 20).to_be_bytes();
        frame.extend_from_slice(&[0x45, 0, high, low, 0, 0, 0, 0, 64, 4, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    }
    let text = decode(Style::default(), LinkType::ETHERNET, &frame, frame.len() as u32);
    assert!(String::from_utf8(text).unwrap().ends_with("[nested too deep]"));
}

#[test]
fn names_that_point_at_themselves_end() {
    let mut frame = frames::protocols()[0][..14].to_vec();
    let message = [0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1, 0xc0, 18, 0, 5, 0, 1];
    let length = 28 + message.len() as u16;
    let [high, low] = length.to_be_bytes();
    frame.extend_from_slice(&[0x45, 0, high, low, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    frame.extend_from_slice(&[0, 53, 0, 53, 0, 8 + message.len() as u8, 0, 0]);
    frame.extend_from_slice(&message);
    let style = Style { verbosity: 2, ..Style::default() };
    let text = decode(style, LinkType::ETHERNET, &frame, frame.len() as u32);
    assert!(String::from_utf8(text).unwrap().contains("<BAD PTR>"));
}

//! Any bytes give one line of JSON that satisfies the schema and says what etherparse's strict parser says.

use proptest::prelude::*;
use xdpdump::packet::LinkType;

use crate::{Frame, frames, line, object, schema::Schema, strict};

/// Largest number of bytes of a line: what is printed does not depend on the payload.
const LONGEST: usize = 2500;

fn check(schema: &Schema, frame: &Frame) -> Result<(), TestCaseError> {
    let text = line(frame);
    prop_assert!(text.len() <= LONGEST, "{} bytes", text.len());
    let object = object(&text);
    schema.check(&object).map_err(TestCaseError::fail)?;
    strict::compare(frame, &object);
    Ok(())
}

#[test]
fn random_bytes() {
    let schema = Schema::new();
    let link_types =
        prop_oneof![Just(LinkType::ETHERNET), Just(LinkType::RAW), any::<u16>().prop_map(LinkType)];
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { failure_persistence: None, ..config() });
    let frames =
        (link_types, bytes, any::<u32>()).prop_map(|(link_type, bytes, len)| Frame { link_type, bytes, len });
    runner.run(&frames, |frame| check(&schema, &frame)).unwrap();
}

#[test]
fn damaged_frames() {
    let schema = Schema::new();
    let sound: Vec<_> = ["protocols", "raw"].iter().flat_map(|name| frames(name)).collect();
    let mut runner =
        proptest::test_runner::TestRunner::new(ProptestConfig { failure_persistence: None, ..config() });
    let damage = (
        any::<prop::sample::Index>(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        prop::option::of(any::<prop::sample::Index>()),
        prop::option::of(any::<u32>()),
    );
    runner
        .run(&damage, |(which, bytes, cut, len)| {
            let mut frame = which.get(&sound).clone();
            for (at, byte) in bytes {
                // The headers are at the beginning.
                let at = at.index(frame.bytes.len().clamp(1, 80));
                if let Some(old) = frame.bytes.get_mut(at) {
                    *old = byte;
                }
            }
            if let Some(cut) = cut {
                frame.bytes.truncate(cut.index(frame.bytes.len() + 1));
            }
            frame.len = len.unwrap_or(frame.len);
            check(&schema, &frame)
        })
        .unwrap();
}

fn config() -> ProptestConfig {
    ProptestConfig::with_cases(1500)
}

/// A frame that is cut is a beginning of the same frame: its headers are those of the whole frame, as many as are there, and
/// what is missing is said.
#[test]
fn a_frame_that_is_cut_has_the_same_headers_as_far_as_they_go() {
    for frame in ["protocols", "raw"].iter().flat_map(|name| frames(name)) {
        let whole = object(&line(&frame));
        for len in 0..frame.bytes.len() {
            let cut = object(&line(&Frame { bytes: frame.bytes[..len].to_vec(), ..frame.clone() }));
            let mut is_less = false;
            for (name, header) in whole.as_object().unwrap() {
                match (name.as_str(), cut.get(name)) {
                    ("frame", _) => {}
                    // Extension headers, tags and echoes are missing from their end.
                    ("ipv6" | "vlan" | "icmp" | "icmpv6", Some(part)) => {
                        is_less |= part != header;
                        assert!(is_beginning(part, header), "{len}: {part} of {header}");
                    }
                    ("malformed", part) => is_less |= part != Some(header),
                    (_, Some(part)) => assert_eq!(part, header, "{len}: {whole}"),
                    (_, None) => is_less = true,
                }
            }
            let is_said = cut.get("truncated").is_some();
            assert!(!is_less || is_said, "{len}: {cut} of {whole}");
        }
    }
}

fn is_beginning(part: &serde_json::Value, whole: &serde_json::Value) -> bool {
    match (part.as_object(), part.as_array()) {
        (Some(part), _) => part.iter().all(|(name, value)| whole.get(name) == Some(value)),
        (_, Some(part)) => whole.as_array().is_some_and(|whole| whole.starts_with(part)),
        _ => false,
    }
}

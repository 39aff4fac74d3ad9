//! `docs/packet.schema.json` describes all that is printed, and nothing else.

use std::{collections::BTreeSet, fs, path::Path};

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::Value;
use xdpdump::{
    output::{
        Sink,
        json::{JsonOptions, JsonSink},
    },
    packet::{Direction, Interface, LinkType, Meta, Packet, Timestamp},
};

use crate::{FIXTURES, Frame, frames, line, object};

pub fn text() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/packet.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The compiled schema.
pub struct Schema(Schemas, SchemaIndex);

impl Schema {
    pub fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.add_resource("packet.json", text()).unwrap();
        let index = compiler.compile("packet.json", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
        Self(schemas, index)
    }

    /// What is wrong with an object.
    pub fn check(&self, object: &Value) -> Result<(), String> {
        self.0.validate(object, self.1).map_err(|error| format!("{error:#}\n{object}"))
    }
}

/// The names in an object, each with those around it: `ip.src`, and `vlan.id` for each tag.
fn names(value: &Value, around: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = if around.is_empty() { name.clone() } else { format!("{around}.{name}") };
                names(value, &name, found);
                found.insert(name);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, around, found)),
        _ => {}
    }
}

/// The names that the schema describes, likewise; each has a description.
fn described(schema: &Value, around: &str, found: &mut BTreeSet<String>) {
    for (name, value) in schema["properties"].as_object().into_iter().flatten() {
        let name = if around.is_empty() { name.clone() } else { format!("{around}.{name}") };
        let description = value["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{name} has no description");
        described(value, &name, found);
        described(&value["items"], &name, found);
        found.insert(name);
    }
}

/// Frames with what those of the fixtures do not have.
fn rare() -> Vec<Frame> {
    let ethernet = |bytes: &[u8]| [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], bytes].concat();
    [ethernet(&[5, 0xdd]), ethernet(&[0x81, 0, 0, 1, 0, 3, 0xaa, 0xaa, 3])]
        .map(|bytes| Frame { link_type: LinkType::ETHERNET, len: bytes.len() as u32, bytes })
        .into_iter()
        .chain([Frame { link_type: LinkType(113), bytes: vec![1; 20], len: 20 }])
        .collect()
}

/// A line with all metadata.
fn with_metadata() -> String {
    let meta = Meta {
        direction: Direction::Inbound,
        queue: Some(3),
        packet_id: Some(u64::MAX),
        verdict: Some(9),
        lost: 1,
        hash: Some(5),
        has_host_time: true,
    };
    let mut text = Vec::new();
    let mut sink = JsonSink::new(&mut text, "memory", JsonOptions::default());
    let name = Some("eth0\n\u{202e}".to_owned());
    sink.interface(&Interface { link_type: LinkType::ETHERNET, name, ..Interface::default() }).unwrap();
    let (timestamp, frame) = (Timestamp(i64::MIN), &[0; 14]);
    sink.packet(&Packet {
        timestamp,
        uptime: None,
        record: xdpdump::packet::Record::None,
        interface: 0,
        frame,
        frame_len: 14,
        meta,
    })
    .unwrap();
    sink.finish(&[]).unwrap();
    drop(sink);
    String::from_utf8(text).unwrap()
}

#[test]
fn every_line_satisfies_the_schema_and_every_field_of_the_schema_is_printed() {
    let schema = Schema::new();
    let mut printed = BTreeSet::new();
    let frames = FIXTURES.iter().flat_map(|name| frames(name)).chain(rare());
    for text in frames.map(|frame| line(&frame)).chain([with_metadata()]) {
        let object = object(&text);
        schema.check(&object).unwrap();
        names(&object, "", &mut printed);
    }
    let mut documented = BTreeSet::new();
    described(&text(), "", &mut documented);
    assert_eq!(
        documented.difference(&printed).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "is never printed"
    );
    assert!(documented.len() > 110, "{} fields", documented.len());
}

/// The schema notices what is wrong; otherwise the test above would show nothing.
#[test]
fn the_schema_refuses_wrong_lines() {
    let schema = Schema::new();
    let right = object(&line(&frames("protocols")[0]));
    schema.check(&right).unwrap();
    for (pointer, value) in [
        ("/frame/time_epoch", Value::from(1.5)),
        ("/ip/src", Value::from("10.0.0")),
        ("/ip/ttl", Value::from(256)),
        ("/eth/src", Value::from("2:0:0:0:0:1")),
        ("/udp", Value::Null),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert!(schema.check(&wrong).is_err(), "{pointer}");
    }
    for (name, value) in [("surplus", Value::from(1)), ("truncated", Value::from("nobody"))] {
        let mut wrong = right.clone();
        wrong[name] = value;
        assert!(schema.check(&wrong).is_err(), "{name}");
    }
}

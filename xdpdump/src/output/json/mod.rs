//! Packets as JSON for other programs: an object on a line for each.
//!
//! Its form is documented in `docs/json.md` and, field by field, in `docs/packet.schema.json`.

mod headers;
mod object;

use super::{
    Medium,
    lines::{Lines, Printer},
    record::kept,
};
use crate::decode::layers;
use crate::packet::{Direction, Interface, Meta, Packet, Time, VERDICTS};
use object::{Object, decimal, decimal_of};

const NANOS: u32 = 1_000_000_000;

/// How packets are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonOptions {
    /// Write every packet as soon as it is printed.
    pub packet_flush: bool,
}

/// Prints packets as JSON into a medium.
pub type JsonSink<W> = Lines<W, Json>;

/// Makes JSON of packets.
#[derive(Default)]
pub struct Json {
    interfaces: Vec<Interface>,
    packets: u64,
}

impl<W: Medium> JsonSink<W> {
    /// Creates a sink that prints into `medium`, which error messages call `name`.
    pub fn new(medium: W, name: impl Into<String>, options: JsonOptions) -> Self {
        Self::of(Json::default(), medium, name, options.packet_flush)
    }
}

impl Printer for Json {
    fn interface(&mut self, interface: &Interface) {
        self.interfaces.push(interface.clone());
    }

    fn print(&mut self, out: &mut Vec<u8>, packet: &Packet<'_>) {
        self.packets += 1;
        let Some(interface) = self.interfaces.get(packet.interface as usize) else { return };
        let packet = Packet { frame: interface.shown(packet.frame), ..*packet };
        let (link_type, number) = (interface.link_type, self.packets);
        Object::write(out, |line| {
            line.object("frame", |frame| {
                frame.number("number", number);
                metadata(frame, interface, &packet);
            });
            if is_told(packet.meta) {
                line.object("capture", |capture| circumstances(capture, packet.meta));
            }
            match layers::parse(link_type, kept(packet.frame), packet.frame_len) {
                Some(layers) => headers::write(line, &layers),
                None => {
                    line.quoted("undecoded", |out| {
                        out.extend_from_slice(b"link-type ");
                        decimal(out, link_type.0.into());
                    });
                }
            }
        });
        out.push(b'\n');
    }
}

/// What Wireshark shows about the frame itself.
fn metadata(frame: &mut Object<'_>, interface: &Interface, packet: &Packet<'_>) {
    let meta = packet.meta;
    frame.quoted("time_epoch", |out| seconds(out, interface.time(packet)));
    frame.number("interface_id", packet.interface);
    if let Some(name) = &interface.name {
        frame.string("interface_name", name);
    }
    if let Some(queue) = meta.queue {
        frame.number("interface_queue", queue);
    }
    if let Some(id) = meta.packet_id {
        frame.digits("packet_id", id);
    }
    if meta.lost > 0 {
        frame.number("drop_count", meta.lost);
    }
    frame.number("len", packet.frame_len);
    frame.number("cap_len", packet.frame.len() as u64);
}

/// Whether [`circumstances`] has something to write.
fn is_told(meta: Meta) -> bool {
    meta.direction != Direction::Unknown
        || meta.verdict.is_some()
        || meta.hash.is_some()
        || meta.has_host_time
}

/// What Wireshark has no name for, or only numbers.
fn circumstances(capture: &mut Object<'_>, meta: Meta) {
    match meta.direction {
        Direction::Inbound => capture.string("direction", "in"),
        Direction::Outbound => capture.string("direction", "out"),
        Direction::Unknown => {}
    }
    if let Some(verdict) = meta.verdict {
        match usize::try_from(verdict).ok().and_then(|verdict| VERDICTS.get(verdict)) {
            Some(name) => capture.string("verdict", name),
            None => capture.digits("verdict", verdict),
        }
    }
    if let Some(hash) = meta.hash {
        capture.number("rx_hash", hash);
    }
    if meta.has_host_time {
        capture.boolean("host_time", true);
    }
}

/// Appends seconds since 1970 with nine decimals. Before 1970, the decimals count away from zero as the seconds do.
fn seconds(out: &mut Vec<u8>, Time { seconds, nanos, .. }: Time) {
    let (whole, nanos) =
        if seconds < 0 && nanos > 0 { (seconds + 1, NANOS - nanos) } else { (seconds, nanos) };
    if seconds < 0 {
        out.push(b'-');
    }
    decimal(out, whole.unsigned_abs());
    out.push(b'.');
    decimal_of(out, nanos.into(), 9);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::packet::{LinkType, Timestamp};

    /// What is printed for one packet.
    fn print(interface: &Interface, packet: &Packet<'_>) -> Value {
        let mut printer = Json::default();
        printer.interface(interface);
        let mut line = Vec::new();
        printer.print(&mut line, packet);
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line.find('\n'), Some(line.len() - 1));
        serde_json::from_str(&line).unwrap()
    }

    const PACKET: Packet<'static> = Packet {
        timestamp: Timestamp(1_418_145_369_000_005_999),
        uptime: None,
        record: crate::packet::Record::None,
        interface: 0,
        frame: &[],
        frame_len: 60,
        meta: Meta {
            direction: Direction::Unknown,
            queue: None,
            packet_id: None,
            verdict: None,
            lost: 0,
            hash: None,
            has_host_time: false,
        },
    };

    #[test]
    fn nothing_is_written_that_is_not_known() {
        let line = print(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() }, &PACKET);
        let wanted = json!({
            "frame": {"number": 1, "time_epoch": "1418145369.000005999", "interface_id": 0, "len": 60, "cap_len": 0},
            "truncated": "eth",
        });
        assert_eq!(line, wanted);
    }

    #[test]
    fn all_metadata_is_written() {
        let meta = Meta {
            direction: Direction::Outbound,
            queue: Some(0),
            packet_id: Some(u64::MAX),
            verdict: Some(77),
            lost: 3,
            hash: Some(u32::MAX),
            has_host_time: true,
        };
        let interface = Interface {
            link_type: LinkType(113),
            name: Some("a\"\n\u{202e}\u{1f980}\u{e0041}".to_owned()),
            ..Interface::default()
        };
        let line = print(&interface, &Packet { meta, frame: &[1; 9], timestamp: Timestamp(-1), ..PACKET });
        let wanted = json!({
            "frame": {
                "number": 1, "time_epoch": "-0.000000001", "interface_id": 0,
                "interface_name": "a\"\n\u{202e}\u{1f980}\u{e0041}", "interface_queue": 0,
                "packet_id": "18446744073709551615", "drop_count": 3, "len": 60, "cap_len": 9,
            },
            "capture": {"direction": "out", "verdict": "77", "rx_hash": u32::MAX, "host_time": true},
            "undecoded": "link-type 113",
        });
        assert_eq!(line, wanted);
        let meta = Meta { direction: Direction::Inbound, verdict: Some(1), ..Meta::default() };
        let line = print(&interface, &Packet { meta, ..PACKET });
        assert_eq!(line["capture"], json!({"direction": "in", "verdict": "drop"}));
    }

    #[test]
    fn extreme_times_are_printed() {
        for (time, text) in
            [(i64::MIN, "-9223372036.854775808"), (i64::MAX, "9223372036.854775807"), (0, "0.000000000")]
        {
            let mut out = Vec::new();
            seconds(&mut out, Timestamp(time).into());
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}

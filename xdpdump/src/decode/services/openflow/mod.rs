//! OpenFlow (Open Networking Foundation, OpenFlow Switch Specification 1.0.0 and 1.3).

mod big_switch;
mod bits;
mod flow;
mod stats;
mod v10;

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 8;
const V10: u8 = 1;
const V13: u8 = 4;

/// Messages of version 1.0.
const NAMES10: [&str; 22] = [
    "HELLO",
    "ERROR",
    "ECHO_REQUEST",
    "ECHO_REPLY",
    "VENDOR",
    "FEATURES_REQUEST",
    "FEATURES_REPLY",
    "GET_CONFIG_REQUEST",
    "GET_CONFIG_REPLY",
    "SET_CONFIG",
    "PACKET_IN",
    "FLOW_REMOVED",
    "PORT_STATUS",
    "PACKET_OUT",
    "FLOW_MOD",
    "PORT_MOD",
    "STATS_REQUEST",
    "STATS_REPLY",
    "BARRIER_REQUEST",
    "BARRIER_REPLY",
    "QUEUE_GET_CONFIG_REQUEST",
    "QUEUE_GET_CONFIG_REPLY",
];
/// Messages of version 1.3.
const NAMES13: [&str; 30] = [
    "HELLO",
    "ERROR",
    "ECHO_REQUEST",
    "ECHO_REPLY",
    "EXPERIMENTER",
    "FEATURES_REQUEST",
    "FEATURES_REPLY",
    "GET_CONFIG_REQUEST",
    "GET_CONFIG_REPLY",
    "SET_CONFIG",
    "PACKET_IN",
    "FLOW_REMOVED",
    "PORT_STATUS",
    "PACKET_OUT",
    "FLOW_MOD",
    "GROUP_MOD",
    "PORT_MOD",
    "TABLE_MOD",
    "MULTIPART_REQUEST",
    "MULTIPART_REPLY",
    "BARRIER_REQUEST",
    "BARRIER_REPLY",
    "QUEUE_GET_CONFIG_REQUEST",
    "QUEUE_GET_CONFIG_REPLY",
    "ROLE_REQUEST",
    "ROLE_REPLY",
    "GET_ASYNC_REQUEST",
    "GET_ASYNC_REPLY",
    "SET_ASYNC",
    "METER_MOD",
];

/// Prints the messages of a segment.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text(": OpenFlow");
    let mut cursor = layer.cut_to(layer.len).cursor("openflow");
    let cut = layer.bytes.len() < layer.len;
    while !cursor.rest().is_empty() {
        if !print_message(p, &mut cursor, cut)? {
            return Ok(());
        }
    }
    if cut { Err(cursor.truncated()) } else { Ok(()) }
}

/// Prints a message; false if nothing that follows can be told.
fn print_message(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    cut: bool,
) -> Result<bool, crate::decode::cursor::Truncated> {
    let version = cursor.u8()?;
    let name = match version {
        V10 => Some("1.0"),
        2 => Some("1.1"),
        3 => Some("1.2"),
        V13 => Some("1.3"),
        5 => Some("1.4"),
        6 => Some("1.5"),
        _ => None,
    };
    p.text("\n\tversion ");
    p.name(name, format_args!("unknown (0x{version:02x})"));
    if ends(p, cursor, 1, cut) {
        return Ok(false);
    }
    let kind = cursor.u8()?;
    let names: &[&str] = match version {
        V10 => &NAMES10,
        V13 => &NAMES13,
        _ => &[],
    };
    p.text(", type ");
    p.name(names.get(usize::from(kind)).copied(), format_args!("unknown (0x{kind:02x})"));
    if ends(p, cursor, 2, cut) {
        return Ok(false);
    }
    let len = usize::from(cursor.u16()?);
    write!(p, ", length {len}");
    if len < HEADER {
        p.text(" (too short!)");
    }
    if ends(p, cursor, 4, cut) {
        return Ok(false);
    }
    write!(p, ", xid 0x{:08x}", cursor.u32()?);
    let Some(body) = len.checked_sub(HEADER) else {
        p.text(" (invalid)");
        return Ok(false);
    };
    if version == V10 && !v10::has_valid_length(kind, body) {
        p.text(" (invalid)");
    } else if version == V10 && p.verbose() {
        let captured = cursor.rest().get(..body).unwrap_or(cursor.rest());
        match v10::print(p, kind, &mut Cursor::new("openflow", captured), body) {
            Ok(()) => {}
            Err(v10::Stop::Invalid) => p.text(" (invalid)"),
            Err(v10::Stop::Cut(truncated)) => return Err(truncated),
        }
    }
    cursor.skip(body)?;
    Ok(true)
}

/// Whether the segment ends before the next field, which it says.
fn ends(p: &mut Printer<'_>, cursor: &Cursor<'_>, need: usize, cut: bool) -> bool {
    let ends = cursor.rest().len() < need && !cut;
    if ends {
        p.text(" (end of TCP payload)");
    }
    ends
}

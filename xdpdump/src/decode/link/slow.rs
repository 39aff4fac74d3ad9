//! Slow protocols (IEEE 802.3 annex 57A): link aggregation control and markers (802.1AX); OAM is in [`oam`].

use crate::decode::address::Mac;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::link::oam;
use crate::decode::printer::Printer;

const LACP: u8 = 1;
const MARKER: u8 = 2;
const OAM: u8 = 3;
const STATE: [(u32, &str); 8] = [
    (0x01, "Activity"),
    (0x02, "Timeout"),
    (0x04, "Aggregation"),
    (0x08, "Synchronization"),
    (0x10, "Collecting"),
    (0x20, "Distributing"),
    (0x40, "Default"),
    (0x80, "Expired"),
];

/// Prints a frame of a slow protocol.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("slow");
    if layer.len < 2 {
        print_too_short(p);
        return Ok(());
    }
    // The version, or the first byte of the flags.
    cursor.need(2)?;
    let protocol = cursor.u8()?;
    let name = match protocol {
        LACP => "LACP",
        MARKER => "MARKER",
        OAM => {
            write!(p, "OAM, length {}", layer.len);
            return if p.verbose() { oam::print(p, layer.skip(1)) } else { Ok(()) };
        }
        _ => {
            write!(p, "unknown ({protocol}), length {}", layer.len);
            p.hex("\n\t", layer.bytes);
            return Ok(());
        }
    };
    let version = cursor.u8()?;
    if version != 1 {
        write!(p, "{name} version {version} packet not supported");
        return Ok(());
    }
    write!(p, "{name}v1, length {}", layer.len);
    if p.verbose() { print_elements(p, protocol, layer.skip(2)) } else { Ok(()) }
}

/// Prints that the frame ends before its fields do.
pub(in crate::decode) fn print_too_short(p: &mut Printer<'_>) {
    p.text(if p.verbose() { "\n\t\t packet is too short" } else { " (packet is too short)" });
}

fn print_elements(p: &mut Printer<'_>, protocol: u8, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("slow");
    while cursor.at() < layer.len {
        if layer.len < cursor.at() + 2 {
            print_too_short(p);
            return Ok(());
        }
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        write!(p, "\n\t{} TLV (0x{kind:02x}), length {len}", name(protocol, kind));
        if kind == 0 {
            // The terminator has the length 0.
            return Ok(());
        }
        let Some(len) = len.checked_sub(2) else {
            p.text("\n\t    ERROR: illegal length - should be >= 2");
            return Ok(());
        };
        if layer.len < cursor.at() + len {
            print_too_short(p);
            return Ok(());
        }
        let value = cursor.take(len)?;
        let known = print_value(p, protocol, kind, value)?;
        if !known || p.style.verbosity > 1 {
            p.hex("\n\t  ", value);
        }
    }
    Ok(())
}

fn name(protocol: u8, kind: u8) -> &'static str {
    match (protocol, kind) {
        (_, 0) => "Terminator",
        (LACP, 1) => "Actor Information",
        (LACP, 2) => "Partner Information",
        (LACP, 3) => "Collector Information",
        (MARKER, 1) => "Marker Information",
        _ => "Unknown",
    }
}

/// Prints the value of an element; returns false if it has to be shown in hex.
fn print_value(p: &mut Printer<'_>, protocol: u8, kind: u8, value: &[u8]) -> Result<bool, Truncated> {
    let mut cursor = Cursor::new("slow", value);
    let expected = match (protocol, kind) {
        (LACP, 1 | 2) => 20,
        (LACP, 3) | (MARKER, 1) => 16,
        _ => return Ok(false),
    };
    if value.len() + 2 != expected {
        write!(p, "\n\t    ERROR: illegal length - should be {expected}");
        return Ok(true);
    }
    match (protocol, kind) {
        (LACP, 3) => write!(p, "\n\t  Max Delay {}", cursor.u16()?),
        (LACP, _) => {
            let priority = cursor.u16()?;
            let system = Mac(cursor.take(6)?);
            let key = cursor.u16()?;
            let (port_priority, port) = (cursor.u16()?, cursor.u16()?);
            write!(p, "\n\t  System {system}, System Priority {priority}, Key {key}");
            write!(p, ", Port {port}, Port Priority {port_priority}\n\t  State Flags [");
            p.flags(u32::from(cursor.u8()?), &STATE, ", ");
            p.text("]");
        }
        _ => {
            let port = cursor.u16()?;
            let system = Mac(cursor.take(6)?);
            write!(p, "\n\t  Request System {system}, Request Port {port}");
            write!(p, ", Request Transaction ID 0x{:08x}", cursor.u32()?);
        }
    }
    Ok(true)
}

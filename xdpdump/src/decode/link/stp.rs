//! Spanning tree: STP (IEEE 802.1D), RSTP (802.1w), MSTP (802.1s) and shortest path bridging (802.1aq).

use crate::decode::address::Mac;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::link::stp_regions;
use crate::decode::printer::Printer;

const CONFIG: u8 = 0;
const RAPID: u8 = 2;
const TOPOLOGY_CHANGE: u8 = 0x80;
const RSTP: u8 = 2;
const MSTP: u8 = 3;
const SHORTEST_PATH: u8 = 4;
/// Bytes of a configuration message up to its last timer.
const CONFIG_LEN: usize = 35;
/// A rapid message has one byte more: the length of version 1, which is 0.
const RAPID_LEN: usize = 36;
/// The shortest message of 802.1s.
const REGIONS_LEN: usize = 102;
const FLAGS: [(u32, &str); 6] = [
    (0x01, "Topology change"),
    (0x02, "Proposal"),
    (0x10, "Learn"),
    (0x20, "Forward"),
    (0x40, "Agreement"),
    (0x80, "Topology change ACK"),
];

/// Prints a bridge protocol data unit.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("stp");
    if layer.len < 4 {
        p.text(" (invalid)");
        return Ok(());
    }
    if cursor.u16()? != 0 {
        write!(p, "unknown STP version, length {}", layer.len);
        return Ok(());
    }
    let version = cursor.u8()?;
    match version {
        0 => p.text("STP 802.1d"),
        RSTP => p.text("STP 802.1w"),
        MSTP => p.text("STP 802.1s"),
        SHORTEST_PATH => p.text("STP 802.1aq"),
        _ => {
            write!(p, "STP Unknown STP protocol (0x{version:02x})");
            return Ok(());
        }
    }
    let kind = cursor.u8()?;
    match kind {
        CONFIG => p.text(", Config"),
        RAPID => p.text(", Rapid STP"),
        TOPOLOGY_CHANGE => p.text(", Topology Change"),
        _ => write!(p, ", Unknown BPDU Type (0x{kind:02x})"),
    }
    match (kind, version) {
        (CONFIG, _) if layer.len >= CONFIG_LEN => print_config(p, kind, &mut cursor, layer.len),
        (RAPID, RSTP) if layer.len >= RAPID_LEN => print_config(p, kind, &mut cursor, layer.len),
        (RAPID, MSTP | SHORTEST_PATH) if layer.len >= REGIONS_LEN => {
            if layer.skip(CONFIG_LEN).cursor("stp").u8()? != 0 {
                // It has no fields of version 1.
                p.text(" (invalid)");
                return Ok(());
            }
            stp_regions::print(p, version == SHORTEST_PATH, layer)
        }
        (CONFIG, _) | (RAPID, RSTP..=SHORTEST_PATH) => {
            p.text(" (invalid)");
            Ok(())
        }
        _ => Ok(()),
    }
}

fn print_config(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    let flags = cursor.u8()?;
    p.text(", Flags [");
    print_flags(p, flags);
    p.text("]");
    let root = cursor.array::<8>()?;
    let cost = cursor.u32()?;
    let (bridge, port) = (cursor.array::<8>()?, cursor.u16()?);
    p.text(", bridge-id ");
    print_bridge(p, bridge);
    write!(p, ".{port:04x}, length {len}");
    if !p.verbose() {
        return Ok(());
    }
    cursor.need(8)?;
    print_timers(p, cursor)?;
    p.text("\n\troot-id ");
    print_bridge(p, root);
    write!(p, ", root-pathcost {cost}");
    if kind == RAPID {
        write!(p, ", port-role {}", role(flags));
    }
    Ok(())
}

/// Prints the times, which are in units of 1/256 s.
pub(in crate::decode) fn print_timers(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    for name in ["\n\tmessage-age", ", max-age", ", hello-time", ", forwarding-delay"] {
        write!(p, "{name} {:.2}s", f64::from(cursor.u16()?) / 256.0);
    }
    Ok(())
}

/// Prints the names of the flags that are set.
pub(in crate::decode) fn print_flags(p: &mut Printer<'_>, flags: u8) {
    p.flags(u32::from(flags), &FLAGS, ", ");
}

/// The role of the port that sent the message.
pub(in crate::decode) fn role(flags: u8) -> &'static str {
    ["Unknown", "Alternate", "Root", "Designated"][usize::from(flags >> 2 & 3)]
}

/// Prints a bridge identifier: priority and address.
pub(in crate::decode) fn print_bridge(p: &mut Printer<'_>, [high, low, mac @ ..]: [u8; 8]) {
    write!(p, "{high:02x}{low:02x}.{}", Mac(&mac));
}

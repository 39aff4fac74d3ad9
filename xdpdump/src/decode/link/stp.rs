//! Spanning tree: STP (IEEE 802.1D), RSTP (802.1w) and MSTP (802.1s).

use crate::decode::address::Mac;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const CONFIG: u8 = 0;
const TOPOLOGY_CHANGE: u8 = 0x80;
const RAPID: u8 = 2;
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
        return Err(cursor.truncated());
    }
    let protocol = cursor.u16()?;
    write!(p, "STP");
    if protocol != 0 {
        write!(p, " unknown protocol ID (0x{protocol:04x}), length {}", layer.len);
        return Ok(());
    }
    let version = cursor.u8()?;
    match version {
        0 => p.text(" 802.1d"),
        2 => p.text(" 802.1w"),
        3 => p.text(" 802.1s"),
        4 => p.text(" 802.1aq"),
        _ => {
            write!(p, " Unknown STP protocol (0x{version:02x})");
            return Ok(());
        }
    }
    let kind = cursor.u8()?;
    match kind {
        CONFIG | RAPID => print_config(p, kind, version, &mut cursor, layer.len),
        TOPOLOGY_CHANGE => {
            p.text(", Topology Change");
            Ok(())
        }
        _ => {
            write!(p, ", Unknown BPDU Type (0x{kind:02x})");
            Ok(())
        }
    }
}

fn print_config(p: &mut Printer<'_>, kind: u8, version: u8, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    if len < 35 {
        return Err(cursor.truncated());
    }
    p.text(if kind == CONFIG { ", Config" } else { ", Rapid STP" });
    if version == 3 {
        p.text(", CIST");
    }
    let flags = cursor.u8()?;
    p.text(if version == 3 { " Flags [" } else { ", Flags [" });
    p.flags(u32::from(flags), &FLAGS, ", ");
    p.text("]");
    let root = cursor.array::<8>()?;
    let cost = cursor.u32()?;
    let bridge = cursor.array::<8>()?;
    let port = cursor.u16()?;
    p.text(", bridge-id ");
    print_bridge(p, bridge);
    write!(p, ".{port:04x}, length {len}");
    if !p.verbose() {
        return Ok(());
    }
    let times = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
    let labels = ["\n\tmessage-age ", ", max-age ", ", hello-time ", ", forwarding-delay "];
    for (label, ticks) in labels.iter().zip(times) {
        // Units of 1/256 s.
        write!(p, "{label}{:.2}s", f64::from(ticks) / 256.0);
    }
    p.text("\n\troot-id ");
    print_bridge(p, root);
    write!(p, ", root-pathcost {cost}");
    if kind == RAPID {
        let role = ["Unknown", "Alternate", "Root", "Designated"][usize::from(flags >> 2 & 3)];
        write!(p, ", port-role {role}");
    }
    Ok(())
}

fn print_bridge(p: &mut Printer<'_>, [high, low, mac @ ..]: [u8; 8]) {
    write!(p, "{high:02x}{low:02x}.{}", Mac(&mac));
}

//! Operations, administration and maintenance of a link (IEEE 802.3 clause 57).

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::link::{oui, slow};
use crate::decode::printer::Printer;

const INFORMATION: u8 = 0;
const EVENT: u8 = 1;
const LOOPBACK: u8 = 4;
const FLAGS: [(u32, &str); 7] = [
    (0x01, "Link Fault"),
    (0x02, "Dying Gasp"),
    (0x04, "Critical Event"),
    (0x08, "Local Evaluating"),
    (0x10, "Local Stable"),
    (0x20, "Remote Evaluating"),
    (0x40, "Remote Stable"),
];
const CONFIGURATION: [(u32, &str); 5] = [
    (0x01, "Active"),
    (0x02, "Unidirectional"),
    (0x04, "Remote-Loopback"),
    (0x08, "Link-Events"),
    (0x10, "Variable-Retrieval"),
];
/// Bytes of an information element, and of an event that tcpdump decodes.
const INFORMATION_LEN: usize = 16;
const EVENT_LEN: usize = 40;

/// Prints the fields of a message, shown with `-v`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("slow");
    let flags = cursor.u16()?;
    let code = cursor.u8()?;
    p.text("\n\tCode ");
    match code {
        INFORMATION => p.text("Information"),
        EVENT => p.text("Event Notification"),
        2 => p.text("Variable Request"),
        3 => p.text("Variable Response"),
        LOOPBACK => p.text("Loopback Control"),
        254 => p.text("Vendor Private"),
        _ => write!(p, "Unknown ({code})"),
    }
    p.text(" OAM PDU, Flags [");
    p.flags(u32::from(flags), &FLAGS, ", ");
    p.text("]");
    match code {
        INFORMATION => print_elements(p, false, layer.skip(3)),
        EVENT => {
            write!(p, "\n\t  Sequence Number {}", cursor.u16()?);
            print_elements(p, true, layer.skip(5))
        }
        LOOPBACK => {
            let command = cursor.u8()?;
            let name = match command {
                1 => "Enable OAM Remote Loopback",
                2 => "Disable OAM Remote Loopback",
                _ => "Unknown",
            };
            write!(p, "\n\t  Command {name} ({command})");
            Ok(())
        }
        _ => {
            if p.style.verbosity < 2 {
                p.hex("\n\t  ", cursor.rest());
            }
            Ok(())
        }
    }
}

fn print_elements(p: &mut Printer<'_>, events: bool, layer: Layer<'_>) -> Printed {
    let mut at = 0;
    while at < layer.len {
        let mut cursor = layer.skip(at).cursor("slow");
        if layer.len < at + 2 {
            slow::print_too_short(p);
            return Ok(());
        }
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        let (name, what) =
            if events { (event_name(kind), "Link Event") } else { (information_name(kind), "Information") };
        write!(p, "\n\t  {name} {what} Type ({kind}), length {len}");
        if kind == 0 {
            return Ok(());
        }
        if len < 2 {
            p.text("\n\t    ERROR: illegal length - should be >= 2");
            return Ok(());
        }
        if layer.len < at + len {
            slow::print_too_short(p);
            return Ok(());
        }
        let value = cursor.take(len - 2)?;
        let expected = match (events, kind) {
            (false, 1 | 2) => INFORMATION_LEN,
            (true, 1..=4) => EVENT_LEN,
            _ => 0,
        };
        let decoded = expected == len;
        if decoded {
            let print = if events { print_event } else { print_information };
            print(p, &mut Cursor::new("slow", value))?;
        } else if expected != 0 {
            write!(p, "\n\t    ERROR: illegal length - should be {expected}");
        }
        if !decoded || p.style.verbosity > 1 {
            p.hex("\n\t  ", layer.skip(at).cut(len).bytes);
        }
        at += len;
    }
    Ok(())
}

fn information_name(kind: u8) -> &'static str {
    match kind {
        0 => "End of TLV marker",
        1 => "Local",
        2 => "Remote",
        254 => "Organization specific",
        _ => "Reserved",
    }
}

fn event_name(kind: u8) -> &'static str {
    match kind {
        0 => "End of TLV marker",
        1 => "Errored Symbol Period Event",
        2 => "Errored Frame Event",
        3 => "Errored Frame Period Event",
        4 => "Errored Frame Seconds Summary Event",
        254 => "Organization specific",
        _ => "Reserved",
    }
}

fn print_information(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    write!(p, "\n\t    OAM-Version {}, Revision {}", cursor.u8()?, cursor.u16()?);
    let state = cursor.u8()?;
    let parser = ["forwarding", "looping back", "discarding", "reserved"][usize::from(state & 3)];
    let multiplexer = if state & 4 == 0 { "forwarding" } else { "discarding" };
    write!(p, "\n\t    State-Parser-Action {parser}, State-MUX-Action {multiplexer}");
    p.text("\n\t    OAM-Config Flags [");
    p.flags(u32::from(cursor.u8()?), &CONFIGURATION, ", ");
    write!(p, "], OAM-PDU-Config max-PDU size {}", cursor.u16()?);
    let organization = cursor.u24()?;
    write!(p, "\n\t    OUI {} (0x{organization:06x})", oui::name(organization));
    write!(p, ", Vendor-Private 0x{:08x}", cursor.u32()?);
    Ok(())
}

fn print_event(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    // The time is in units of 100 ms.
    write!(p, "\n\t    Timestamp {} ms", u32::from(cursor.u16()?) * 100);
    write!(p, ", Errored Window {}", cursor.u64()?);
    write!(p, "\n\t    Errored Threshold {}", cursor.u64()?);
    write!(p, "\n\t    Errors {}", cursor.u64()?);
    write!(p, "\n\t    Error Running Total {}", cursor.u64()?);
    write!(p, "\n\t    Event Running Total {}", cursor.u32()?);
    Ok(())
}

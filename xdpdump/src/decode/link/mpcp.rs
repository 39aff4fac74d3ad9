//! MAC control (IEEE 802.3 clauses 31 and 64): pause frames, and the multipoint control protocol of passive optical networks.

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const PAUSE: u16 = 1;
const GATE: u16 = 2;
const REPORT: u16 = 3;
const REGISTER_REQUEST: u16 = 4;
const REGISTER: u16 = 5;
const REGISTER_ACK: u16 = 6;
const GRANTS: [(u32, &str); 5] = [
    (0x08, "Discovery"),
    (0x10, "Force Grant #1"),
    (0x20, "Force Grant #2"),
    (0x40, "Force Grant #3"),
    (0x80, "Force Grant #4"),
];
const QUEUES: [(u32, &str); 8] = [
    (0x01, "Q0"),
    (0x02, "Q1"),
    (0x04, "Q2"),
    (0x08, "Q3"),
    (0x10, "Q4"),
    (0x20, "Q5"),
    (0x40, "Q6"),
    (0x80, "Q7"),
];
const REQUESTS: [(u32, &str); 2] = [(1, "Register"), (3, "De-Register")];
const REGISTRATIONS: [(u32, &str); 4] = [(1, "Re-Register"), (2, "De-Register"), (3, "ACK"), (4, "NACK")];
const ACKS: [(u32, &str); 1] = [(1, "ACK")];

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("mpcp");
    cursor.need(6)?;
    let opcode = cursor.u16()?;
    p.text("MPCP, Opcode ");
    match opcode {
        PAUSE => p.text("Pause"),
        GATE => p.text("Gate"),
        REPORT => p.text("Report"),
        REGISTER_REQUEST => p.text("Register Request"),
        REGISTER => p.text("Register"),
        REGISTER_ACK => p.text("Register ACK"),
        _ => write!(p, "Unknown ({opcode})"),
    }
    let time = cursor.u32()?;
    if opcode != PAUSE {
        write!(p, ", Timestamp {time} ticks");
    }
    write!(p, ", length {}", layer.len);
    if !p.verbose() {
        return Ok(());
    }
    match opcode {
        PAUSE => {}
        GATE => print_gate(p, &mut cursor)?,
        REPORT => print_report(p, &mut cursor)?,
        REGISTER_REQUEST => {
            p.text("\n\tFlags [ ");
            p.flags_or(u32::from(cursor.u8()?), &REQUESTS, ", ", "Reserved");
            write!(p, " ], Pending-Grants {}", cursor.u8()?);
        }
        REGISTER => {
            write!(p, "\n\tAssigned-Port {}, Flags [ ", cursor.u16()?);
            p.flags_or(u32::from(cursor.u8()?), &REGISTRATIONS, ", ", "Reserved");
            write!(p, " ]\n\tSync-Time {} ticks", cursor.u16()?);
            write!(p, ", Echoed-Pending-Grants {}", cursor.u8()?);
        }
        REGISTER_ACK => {
            let flags = cursor.u8()?;
            write!(p, "\n\tEchoed-Assigned-Port {}, Flags [ ", cursor.u16()?);
            p.flags_or(u32::from(flags), &ACKS, ", ", "Reserved");
            write!(p, " ]\n\tEchoed-Sync-Time {} ticks", cursor.u16()?);
        }
        _ if p.style.verbosity < 2 => p.hex("\n\t", layer.bytes),
        _ => {}
    }
    Ok(())
}

fn print_gate(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let first = cursor.u8()?;
    write!(p, "\n\tGrant Numbers {}, Flags [ ", first & 7);
    p.flags_or(u32::from(first), &GRANTS, ", ", "?");
    p.text(" ]");
    for grant in 1..=first & 7 {
        cursor.need(6)?;
        write!(p, "\n\tGrant #{grant}, Start-Time {} ticks", cursor.u32()?);
        write!(p, ", duration {} ticks", cursor.u16()?);
    }
    write!(p, "\n\tSync-Time {} ticks", cursor.u16()?);
    Ok(())
}

fn print_report(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let sets = cursor.u8()?;
    write!(p, "\n\tTotal Queue-Sets {sets}");
    for _ in 1..sets {
        let queues = cursor.u8()?;
        write!(p, "\n\t  Queue-Set #{sets}, Report-Bitmap [ ");
        p.flags(u32::from(queues), &QUEUES, ", ");
        p.text(" ]");
        for queue in 0..8 {
            if queues >> queue & 1 != 0 {
                write!(p, "\n\t    Q{} Report, Duration {} ticks", queue + 1, cursor.u16()?);
            }
        }
    }
    Ok(())
}

//! Where users are, and what mobility a network has, in RADIUS (RFC 5580, RFC 5447, RFC 6572).

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;
use crate::decode::services::ntp::Stamp;

/// Prints what mobility of IPv6 a network has (RFC 5447 §4.2.5, RFC 6572).
pub(super) fn print_mobility(p: &mut Printer<'_>, features: u64) {
    const NAMES: [(u64, &str); 12] = [
        (0x0000_0000_0000_0001, "MIP6_INTEGRATED"),
        (0x0000_0000_0000_0002, "LOCAL_HOME_AGENT_ASSIGNMENT"),
        (0x0000_0100_0000_0000, "PMIP6_SUPPORTED"),
        (0x0000_0200_0000_0000, "IP4_HOA_SUPPORTED"),
        (0x0000_0400_0000_0000, "LOCAL_MAG_ROUTING_SUPPORTED"),
        (0x0000_0800_0000_0000, "ASSIGN_LOCAL_IP"),
        (0x0000_1000_0000_0000, "MIP4_SUPPORTED"),
        (0x0000_2000_0000_0000, "OPTIMIZED_IDLE_MODE_MOBILITY"),
        (0x0000_4000_0000_0000, "GTPv2_SUPPORTED"),
        (0x0000_8000_0000_0000, "IP4_TRANSPORT_SUPPORTED"),
        (0x0001_0000_0000_0000, "IP4_HOA_ONLY_SUPPORTED"),
        (0x0002_0000_0000_0000, "INTER_MAG_ROUTING_SUPPORTED"),
    ];
    p.text("[");
    let set = NAMES.iter().filter(|(bit, _)| features & bit != 0);
    for (i, (_, name)) in set.enumerate() {
        write!(p, "{}{name}", if i > 0 { ", " } else { "" });
    }
    p.text("]");
}

pub(super) fn print_operator(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let namespace = cursor.u8()?;
    let name = match namespace {
        b'0' => Some("TADIG"),
        b'1' => Some("REALM"),
        b'2' => Some("E212"),
        b'3' => Some("ICC"),
        _ => None,
    };
    p.text("[");
    p.name(name, format_args!("unknown namespace {namespace}"));
    p.text("] ");
    p.escaped(cursor.rest());
    Ok(())
}

pub(super) fn print_location(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    write!(p, "index {}, code ", cursor.u16()?);
    let code = cursor.u8()?;
    p.name(["Civic", "Geospatial"].get(usize::from(code)).copied(), format_args!("Unknown ({code})"));
    let entity = cursor.u8()?;
    p.text(", entity ");
    p.name(["User", "RADIUS"].get(usize::from(entity)).copied(), format_args!("Unknown ({entity})"));
    p.text(", sighting time ");
    Stamp::read(cursor)?.print(p);
    p.text(", time to live ");
    Stamp::read(cursor)?.print(p);
    p.text(", method \"");
    p.escaped(cursor.rest());
    p.text("\"");
    Ok(())
}

pub(super) fn print_policy(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let flags = cursor.u16()?;
    p.text("flags [");
    let mut any = false;
    for bit in 0..16_u16 {
        if flags & (1 << bit) == 0 {
            continue;
        }
        p.text(if any { ", " } else { "" });
        any = true;
        match 15 - bit {
            0 => p.text("Retransmission Allowed"),
            reserved => write!(p, "MBZ-{reserved}"),
        }
    }
    p.text(if any { "]" } else { "none]" });
    p.text(", retention expires ");
    Stamp::read(cursor)?.print(p);
    p.text(", note well \"");
    p.escaped(cursor.rest());
    p.text("\"");
    Ok(())
}

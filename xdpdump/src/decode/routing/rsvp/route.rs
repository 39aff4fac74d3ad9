//! Routes of a label switched path (RFC 3209 §4.3 and §4.4).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;
use crate::decode::routing::rsvp::names;
use crate::decode::routing::rsvp::objects::Hex;

const EXPLICIT: u8 = 20;

const PROTECTION: [(u32, &str); 4] = [
    (0x01, "Local protection available"),
    (0x02, "Local protection in use"),
    (0x04, "Bandwidth protection"),
    (0x08, "Node protection"),
];

/// Prints an explicit or a recorded route.
pub(super) fn print(p: &mut Printer<'_>, mut body: Cursor<'_>, indent: &str) -> Printed {
    while !body.rest().is_empty() {
        let all = body;
        let first = body.u8()?;
        // Only explicit routes have the bit for loose hops.
        let kind = first & 0x7f;
        let len = usize::from(body.u8()?);
        write!(p, "{indent}Subobject Type: ");
        match kind {
            0 => p.text("Reserved"),
            1 => p.text("IPv4 prefix"),
            2 => p.text("IPv6 prefix"),
            3 => p.text("Label"),
            32 => p.text("Autonomous system number"),
            _ => write!(p, "Unknown {kind}"),
        }
        write!(p, ", length {len}");
        if len == 0 {
            write!(p, "{indent}ERROR: zero length ERO subtype");
            return Ok(());
        }
        if len > all.rest().len() {
            write!(p, "{indent}ERROR: ERO subobject length > object length");
            return Ok(());
        }
        let mut value = Cursor::new("rsvp", body.take(len.saturating_sub(2))?);
        match kind {
            1 | 3 if len != 8 => {
                p.text(" ERROR: length != 8 (invalid)");
                return Ok(());
            }
            1 => {
                let hop = if first & 0x80 == 0 { "Strict" } else { "Loose" };
                let address = Ipv4::read(&mut value)?;
                write!(p, ", {hop}, {address}/{}, Flags: [", value.u8()?);
                p.flags(value.u8()?.into(), &PROTECTION, ", ");
                p.text("]");
            }
            3 => {
                let (flags, kind) = (value.u8()?, value.u8()?);
                let global = if flags & 1 == 0 { "none" } else { "Global" };
                let name = names::class_type(EXPLICIT, kind).unwrap_or("Unknown");
                write!(
                    p,
                    ", Flags: [{global}] ({}), Class-Type: {name} ({kind}), {}",
                    Hex(flags),
                    value.u32()?
                );
            }
            _ => {}
        }
    }
    Ok(())
}

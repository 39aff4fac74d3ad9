//! Multicast source discovery (RFC 3618).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::network::ipv4;
use crate::decode::printer::Printer;

/// Bytes of a group's entry in a list of sources.
const ENTRY: usize = 12;

/// Prints the messages of a segment.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text(": msdp");
    let mut cursor = layer.cursor("msdp");
    // A segment that does not begin with a message is from the middle of one.
    let (first, len) = (cursor.u8()?, layer.skip(1).cursor("msdp").u16()?);
    if layer.len < 3 || first == 0 || first > 7 || len > 1400 {
        return Err(cursor.truncated());
    }
    let mut cursor = layer.cut_to(layer.len).cursor("msdp");
    while !cursor.rest().is_empty() {
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u16()?));
        let Some(body) = len.checked_sub(3) else { return Err(cursor.truncated()) };
        if len > 1400 || p.verbose() {
            write!(p, " [len {len}]");
        }
        let mut value = cursor;
        match kind {
            1 | 3 => {
                p.text(if kind == 1 { " SA" } else { " SA-Response" });
                let count = value.u8()?;
                write!(p, " {count} entries");
                if usize::from(count) * ENTRY + 5 < body {
                    p.text(" [w/data]");
                    if p.style.verbosity > 1 {
                        p.text(" ");
                        let packet = layer.skip(cursor.at() + usize::from(count) * ENTRY + 5).cut_to(body);
                        p.nested(|p| ipv4::print(p, packet))?;
                    }
                }
            }
            2 => {
                p.text(" SA-Request");
                value.skip(1)?;
                write!(p, " for {}", Ipv4::read(&mut value)?);
            }
            4 => {
                p.text(" Keepalive");
                if len != 3 {
                    write!(p, "[len={len}] ");
                }
            }
            5 => p.text(" Notification"),
            _ => write!(p, " [type={kind} len={len}]"),
        }
        cursor.skip(body)?;
    }
    Ok(())
}

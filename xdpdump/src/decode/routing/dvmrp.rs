//! Distance vector multicast routing (RFC 1075), which is carried in IGMP messages: what is asked for or told.

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;
use crate::decode::routing::duration::Seconds;

/// Prints a message, which begins with its IGMP header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("dvmrp");
    cursor.skip(1)?;
    let kind = cursor.u8()?;
    let mut body = layer.skip(8).cursor("dvmrp");
    match kind {
        1 => {
            p.text(" Probe");
            if p.verbose() {
                let len = layer.len.saturating_sub(8);
                if len < 4 {
                    write!(p, " [full length {len} < 4] (invalid)");
                    return Ok(());
                }
                write!(p, " genid {}", body.u32()?);
            }
        }
        2 => p.text(" Report"),
        3 => p.text(" Ask-neighbors(old)"),
        4 => p.text(" Neighbors(old)"),
        5 => p.text(" Ask-neighbors2"),
        6 => {
            p.text(" Neighbors2");
            cursor.skip(4)?;
            let (minor, major) = (cursor.u8()?, cursor.u8()?);
            write!(p, " (v {major}.{minor}):");
        }
        7 => {
            write!(p, " Prune");
            write!(p, " src {} grp {}", Ipv4::read(&mut body)?, Ipv4::read(&mut body)?);
            write!(p, " timer {}", Seconds(body.u32()?));
        }
        8 | 9 => {
            p.text(if kind == 8 { " Graft" } else { " Graft-ACK" });
            body.need(8)?;
            write!(p, " src {} grp {}", Ipv4::read(&mut body)?, Ipv4::read(&mut body)?);
        }
        _ => write!(p, " [type {kind}]"),
    }
    Ok(())
}

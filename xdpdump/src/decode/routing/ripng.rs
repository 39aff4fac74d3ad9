//! Routing information protocol for IPv6 (RFC 2080).

use crate::decode::address::Ipv6;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const PORT: u16 = 521;

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

const HEADER: usize = 4;
const ROUTE: usize = 20;
/// The metric of a route that is not reachable.
const INFINITY: u8 = 16;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ripng");
    if layer.len < HEADER {
        p.text(" (invalid)");
        return Ok(());
    }
    let (command, version) = (cursor.u8()?, cursor.u8()?);
    if version != 1 {
        write!(p, " [vers {version}] (invalid)");
        return Ok(());
    }
    cursor.skip(2)?;
    let left = layer.len - HEADER;
    let name = match command {
        REQUEST => "req",
        RESPONSE => "resp",
        _ => {
            write!(p, " ripng-{command} ?? {} (invalid)", layer.len);
            return Ok(());
        }
    };
    let count = left / ROUTE;
    if command == REQUEST && left == ROUTE && is_everything(cursor) {
        p.text(" ripng-req dump");
        return Ok(());
    }
    if left.is_multiple_of(ROUTE) {
        write!(p, " ripng-{name} {count}:");
    } else {
        write!(p, " ripng-{name} {count}[{}]:", layer.len);
    }
    for _ in 0..count {
        p.text(if p.style.verbosity > 1 { "\n\t" } else { " " });
        cursor.need(ROUTE)?;
        print_route(p, command == RESPONSE, &mut cursor)?;
    }
    if !left.is_multiple_of(ROUTE) {
        p.text(" (invalid)");
    }
    Ok(())
}

/// Whether a route asks for the whole table (RFC 2080 §2.4.1).
fn is_everything(mut cursor: Cursor<'_>) -> bool {
    let (Ok(address), Ok(metric)) = (cursor.array::<16>(), cursor.skip(3).and_then(|()| cursor.u8())) else {
        return false;
    };
    address == [0; 16] && metric == INFINITY
}

fn print_route(p: &mut Printer<'_>, with_metric: bool, cursor: &mut Cursor<'_>) -> Printed {
    let address = Ipv6::read(cursor)?;
    let (tag, bits, metric) = (cursor.u16()?, cursor.u8()?, cursor.u8()?);
    write!(p, "{address}/{bits}");
    if tag != 0 {
        write!(p, " [{tag}]");
    }
    if with_metric {
        write!(p, " ({metric})");
    }
    Ok(())
}

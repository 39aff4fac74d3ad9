//! Resource reservation protocol (RFC 2205, RFC 3209, RFC 2961, RFC 3473).

mod integrated;
mod names;
mod objects;
mod route;

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 8;
const BUNDLE: u8 = 12;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("rsvp");
    cursor.need(HEADER)?;
    let first = { cursor }.u8()?;
    if first >> 4 != 1 {
        write!(p, "ERROR: RSVP version {} packet not supported", first >> 4);
        return Ok(());
    }
    if !p.verbose() {
        cursor.skip(1)?;
        let kind = cursor.u8()?;
        p.text("RSVPv1 ");
        match names::message(kind) {
            Some(name) => p.text(name),
            None => write!(p, "unknown ({kind})"),
        }
        write!(p, " Message, length: {}", layer.len);
        return Ok(());
    }
    print_message(p, cursor, layer.len, false)
}

/// Prints a message of a bundle or a lone one, which can be a bundle.
fn print_message(p: &mut Printer<'_>, mut cursor: Cursor<'_>, available: usize, bundled: bool) -> Printed {
    let indent = if bundled { "\n\t  " } else { "\n\t" };
    cursor.need(HEADER)?;
    let flags = cursor.u8()? & 15;
    let kind = cursor.u8()?;
    let checksum = cursor.u16()?;
    let ttl = cursor.u8()?;
    cursor.skip(1)?;
    let length = usize::from(cursor.u16()?);
    write!(p, "{indent}RSVPv1 ");
    match names::message(kind) {
        Some(name) => p.text(name),
        None => write!(p, "unknown, type: {kind}"),
    }
    let flags = if flags & 1 == 0 { "none" } else { "Refresh reduction capable" };
    write!(p, " Message ({kind}), Flags: [{flags}], length: {length}, ttl: {ttl}");
    write!(p, ", checksum: 0x{checksum:04x}");
    if length < HEADER {
        write!(p, "ERROR: common header too short {length} < {HEADER}");
        return Ok(());
    }
    let left = length - HEADER;
    if kind != BUNDLE || bundled {
        return objects::print(p, cursor, left, bundled);
    }
    let end = cursor.at() + left.min(available.saturating_sub(HEADER));
    while cursor.at() < end {
        let mut header = cursor;
        header.skip(6)?;
        let length = usize::from(header.u16()?);
        print_message(p, cursor, length, true)?;
        if length < HEADER {
            break;
        }
        cursor.skip(length)?;
    }
    Ok(())
}

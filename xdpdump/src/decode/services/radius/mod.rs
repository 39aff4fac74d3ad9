//! RADIUS (RFC 2865, RFC 2866, RFC 5176).

mod attributes;
mod location;
mod names;
mod values;

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 20;

/// Prints a message, and its attributes with `-v`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("radius");
    cursor.need(HEADER)?;
    let (code, id, len) = (cursor.u8()?, cursor.u8()?, usize::from(cursor.u16()?));
    if len < HEADER {
        return Err(cursor.truncated());
    }
    // What follows the message is padding.
    let len = len.min(layer.len);
    let name = names::message(code).unwrap_or("Unknown Command");
    if !p.verbose() {
        write!(p, "RADIUS, {name} ({code}), id: 0x{id:02x} length: {len}");
        return Ok(());
    }
    write!(p, "RADIUS, length: {len}\n\t{name} ({code}), id: 0x{id:02x}, Authenticator: ");
    p.digits(cursor.take(16)?);
    attributes::print(p, &mut layer.cut_to(len).skip(HEADER).cursor("radius"), len - HEADER)
}

//! The loopback of Ethernet's configuration testing protocol (Ethernet 2.0 §8).

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const REPLY: u16 = 1;
const FORWARD: u16 = 2;

/// Prints a message; its numbers are little-endian.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("Loopback");
    if !print_fields(p, layer)? {
        p.text(" (invalid)");
    }
    Ok(())
}

/// Prints the fields; returns false if the message is invalid.
fn print_fields(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<bool, Truncated> {
    let mut cursor = layer.cursor("loopback");
    if layer.len < 2 {
        return Ok(false);
    }
    let skipped = u16::from_le_bytes(cursor.array()?);
    write!(p, ", skipCount {skipped}");
    if skipped % 8 != 0 {
        p.text(" (bogus)");
    }
    let layer = layer.skip(2);
    if usize::from(skipped) > layer.len {
        return Ok(false);
    }
    layer.cursor("loopback").need(skipped.into())?;
    let layer = layer.skip(skipped.into());
    if layer.len < 2 {
        return Ok(false);
    }
    let mut cursor = layer.cursor("loopback");
    match u16::from_le_bytes(cursor.array()?) {
        REPLY => {
            p.text(", Reply");
            if layer.len < 4 {
                return Ok(false);
            }
            write!(p, ", receipt number {}", u16::from_le_bytes(cursor.array()?));
        }
        FORWARD => {
            p.text(", Forward Data");
            if layer.len < 8 {
                return Ok(false);
            }
            write!(p, ", forwarding address {}", Mac(cursor.take(6)?));
        }
        other => {
            write!(p, ",  invalid ({other})");
            return Ok(true);
        }
    }
    write!(p, ", data ({} octets)", layer.len - cursor.at());
    Ok(true)
}

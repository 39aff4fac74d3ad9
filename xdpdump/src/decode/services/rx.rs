//! Rx, the remote procedure calls of the Andrew file system: the packets' kinds.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 28;
const NAMES: [(u8, &str); 10] = [
    (1, "data"),
    (2, "ack"),
    (3, "busy"),
    (4, "abort"),
    (5, "ackall"),
    (6, "challenge"),
    (7, "response"),
    (8, "debug"),
    (9, "params"),
    (13, "version"),
];

/// Prints a packet's kind and, with `-v`, its numbers.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if layer.bytes.len() < HEADER {
        write!(p, " [|rx] ({})", layer.len);
        return Ok(());
    }
    let mut cursor = layer.cursor("rx");
    cursor.skip(12)?;
    let (sequence, serial, kind) = (cursor.u32()?, cursor.u32()?, cursor.u8()?);
    p.text(" rx ");
    let name = NAMES.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name);
    p.name(name, format_args!("type {kind}"));
    if p.verbose() {
        write!(p, " seq {sequence} ser {serial}");
    }
    write!(p, " ({})", layer.len);
    Ok(())
}

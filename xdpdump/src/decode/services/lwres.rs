//! The lightweight resolver of BIND (its manual, "The BIND 9 Lightweight Resolver"): the header.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const RESPONSE: u16 = 1;

/// Prints which operation is asked for, or answered.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("lwres");
    cursor.need(28)?;
    let (len, version, flags) = (cursor.u32()?, cursor.u16()?, cursor.u16()?);
    p.text(" lwres");
    if version != 0 || p.verbose() {
        write!(p, " v{version}");
    }
    if version == 0 {
        cursor.skip(4)?;
        let operation = cursor.u32()?;
        p.text(" ");
        let name = match operation {
            0 => Some("noop"),
            0x1_0001 => Some("getaddrsbyname"),
            0x1_0002 => Some("getnamebyaddr"),
            0x1_0003 => Some("getrdatabyname"),
            _ => None,
        };
        p.name(name, format_args!("#0x{operation:x}"));
        p.text(if flags & RESPONSE == 0 { "?" } else { "" });
    }
    if len as usize != layer.len {
        write!(p, " [len: {len} != {}]", layer.len);
    }
    Ok(())
}

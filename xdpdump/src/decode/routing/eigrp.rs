//! Cisco's enhanced interior gateway routing (RFC 7868).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("eigrp");
    cursor.need(20)?;
    let version = cursor.u8()?;
    if version != 2 {
        write!(p, "EIGRP version {version} packet not supported");
        return Ok(());
    }
    match cursor.u8()? {
        1 => p.text("EIGRP Update"),
        3 => p.text("EIGRP Query"),
        4 => p.text("EIGRP Reply"),
        5 => p.text("EIGRP Hello"),
        6 => p.text("EIGRP IPX SAP"),
        7 => p.text("EIGRP Probe"),
        other => write!(p, "EIGRP unknown ({other})"),
    }
    write!(p, ", length: {}", layer.len);
    Ok(())
}

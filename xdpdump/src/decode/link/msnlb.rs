//! Heartbeats of Microsoft's network load balancing.

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a heartbeat.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("MS NLB heartbeat");
    let mut cursor = layer.skip(8).cursor("msnlb");
    write!(p, ", host priority: {}", u32::from_le_bytes(cursor.array()?));
    write!(p, ", cluster IP: {}", Ipv4::read(&mut cursor)?);
    write!(p, ", host IP: {}", Ipv4::read(&mut cursor)?);
    Ok(())
}

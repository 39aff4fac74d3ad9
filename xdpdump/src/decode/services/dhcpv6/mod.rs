//! DHCPv6 (RFC 8415), its leasequery (RFC 5007), and options of later RFCs.

mod authentication;
mod names;
mod options;

use crate::decode::address::Ipv6;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;

/// Prints a message; only its name without `-v`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    print_message(p, layer.bytes)
}

/// Prints a message, which relays put into other messages.
fn print_message(p: &mut Printer<'_>, message: &[u8]) -> Printed {
    let mut cursor = Cursor::new("dhcp6", message);
    p.text("dhcp6");
    cursor.need(4)?;
    let kind = cursor.u8()?;
    p.text(" ");
    p.name(names::message(kind), format_args!("msgtype-{kind}"));
    if !p.verbose() {
        return Ok(());
    }
    p.text(" (");
    if matches!(kind, RELAY_FORWARD | RELAY_REPLY) {
        cursor.need(33)?;
        cursor.skip(1)?;
        write!(p, "linkaddr={} peeraddr={}", Ipv6::read(&mut cursor)?, Ipv6::read(&mut cursor)?);
    } else {
        write!(p, "xid={:x}", cursor.u24()?);
    }
    end_within(p, |p| options::print(p, &mut cursor));
    p.text(")");
    Ok(())
}

/// Prints something inside parentheses that are closed even if it was cut.
fn end_within(p: &mut Printer<'_>, print: impl FnOnce(&mut Printer<'_>) -> Printed) {
    if let Err(Truncated(protocol)) = print(p) {
        write!(p, " [|{protocol}]");
    }
}

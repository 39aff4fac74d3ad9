//! Kerberos (RFC 4120), of which the version is told.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Requests for the service that grants tickets, and for other services, of version 5 (ASN.1 tags of applications).
const TICKET_REQUESTS: [u8; 2] = [106, 107];

/// Prints the version of a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    match layer.cursor("krb").u8()? {
        version @ 1..=4 => write!(p, " v{version}"),
        tag if TICKET_REQUESTS.contains(&tag) => p.text(" v5"),
        _ => {}
    }
    Ok(())
}

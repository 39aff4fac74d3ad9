//! BOOTP (RFC 951) and DHCP: the line without their fields.

use super::Printer;
use super::address::Mac;
use super::cursor::{Layer, Printed};

const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const ETHERNET: u8 = 1;
/// Where the client's hardware address stands.
const CLIENT_ADDRESS: usize = 28;

/// Prints a BOOTP or DHCP message.
pub(super) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("bootp");
    p.text("BOOTP/DHCP, ");
    let operation = cursor.u8()?;
    match operation {
        REQUEST => p.text("Request"),
        REPLY => p.text("Reply"),
        _ => write!(p, "unknown (0x{operation:02x})"),
    }
    let (hardware, hardware_len) = (cursor.u8()?, cursor.u8()?);
    if hardware == ETHERNET && hardware_len == 6 && operation == REQUEST {
        write!(p, " from {}", Mac(layer.skip(CLIENT_ADDRESS).cursor("bootp").take(6)?));
    }
    write!(p, ", length {}", layer.len);
    Ok(())
}

//! BOOTP (RFC 951) and the fixed part of DHCP (RFC 2131); with `-v` prints the fields, but not DHCP's options.

use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const ETHERNET: u8 = 1;
const BROADCAST: u16 = 0x8000;
/// Offset of the client's hardware address.
const CLIENT_ADDRESS: usize = 28;

/// Prints a BOOTP or DHCP message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("bootp");
    let operation = cursor.u8()?;
    p.text("BOOTP/DHCP, ");
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
    if p.verbose() {
        print_fields(p, layer, hardware == ETHERNET && hardware_len == 6)?;
    }
    Ok(())
}

fn print_fields(p: &mut Printer<'_>, layer: Layer<'_>, ethernet: bool) -> Printed {
    let mut cursor = layer.skip(3).cursor("bootp");
    let (hops, id) = (cursor.u8()?, cursor.u32()?);
    let (seconds, flags) = (cursor.u16()?, cursor.u16()?);
    if hops != 0 {
        write!(p, ", hops {hops}");
    }
    if id != 0 {
        write!(p, ", xid 0x{id:x}");
    }
    if seconds != 0 {
        write!(p, ", secs {seconds}");
    }
    p.text(if flags & BROADCAST == 0 { ", Flags [none]" } else { ", Flags [Broadcast]" });
    if flags & !BROADCAST != 0 || p.style.verbosity > 1 {
        write!(p, " (0x{flags:04x})");
    }
    for name in ["Client-IP", "Your-IP", "Server-IP", "Gateway-IP"] {
        let address = Ipv4::read(&mut cursor)?;
        if address.0 != [0; 4] {
            write!(p, "\n\t  {name} {address}");
        }
    }
    if ethernet {
        write!(p, "\n\t  Client-Ethernet-Address {}", Mac(cursor.take(6)?));
        cursor.skip(10)?;
    } else {
        cursor.skip(16)?;
    }
    for (name, size) in [("sname", 64), ("file", 128)] {
        let field = cursor.take(size)?;
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(size);
        if end > 0 {
            write!(p, "\n\t  {name} \"");
            p.escaped(&field[..end]);
            p.text("\"");
        }
    }
    // The options begin with a magic cookie of four bytes.
    cursor.skip(4)
}

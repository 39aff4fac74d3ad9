//! BOOTP (RFC 951) and DHCP (RFC 2131), with their vendor extensions.

mod option_names;
mod options;

use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::{Cursor, Layer, Printed};
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
        if hardware != ETHERNET {
            write!(p, ", htype {hardware}");
        }
        if hardware != ETHERNET || hardware_len != 6 {
            write!(p, ", hlen {hardware_len}");
        }
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
    print_extensions(p, &mut cursor)
}

/// What the first four bytes of the vendor's area say about its format.
const RFC_1048: u32 = 0x6382_5363;
const CMU: u32 = u32::from_be_bytes(*b"CMU\0");

fn print_extensions(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    match cursor.u32()? {
        RFC_1048 => {
            p.text("\n\t  Vendor-rfc1048 Extensions");
            write!(p, "\n\t    Magic Cookie 0x{RFC_1048:x}");
            options::print(p, cursor)
        }
        CMU => print_cmu(p, cursor),
        0 => Ok(()),
        magic => {
            write!(p, "\n\t  Vendor-#0x{magic:08x}");
            Ok(())
        }
    }
}

/// Prints the fixed fields of Carnegie Mellon University's extensions.
fn print_cmu(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    p.text(" vend-cmu");
    let flags = cursor.u8()?;
    if flags != 0 {
        write!(p, " F:0x{flags:x}");
    }
    cursor.skip(3)?;
    let (mask, gateway) = (Ipv4::read(cursor)?, Ipv4::read(cursor)?);
    for (name, address) in [("DG", gateway), ("SM*", mask)] {
        if address.0 != [0; 4] {
            write!(p, " {name}:{address}");
        }
    }
    for name in ["NS1", "NS2", "IEN1", "IEN2", "TS1", "TS2"] {
        let address = Ipv4::read(cursor)?;
        if address.0 != [0; 4] {
            write!(p, " {name}:{address}");
        }
    }
    Ok(())
}

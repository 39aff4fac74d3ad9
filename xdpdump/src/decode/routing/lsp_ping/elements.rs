//! The type-length-value elements of a message.

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::bgp::Distinguisher;
use crate::decode::routing::numbers;

const TARGET: u16 = 1;
const DOWNSTREAM: u16 = 2;
const VENDOR: u16 = 5;
const DISCRIMINATOR: u16 = 15;

/// Prints the elements in `left` bytes.
pub(super) fn print(p: &mut Printer<'_>, mut cursor: Cursor<'_>, mut left: usize) -> Printed {
    while left > 0 {
        if left < 4 {
            p.text("\n\t\t packet is too short");
            return Ok(());
        }
        let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
        left -= 4;
        let name = match kind {
            TARGET => "Target FEC Stack",
            DOWNSTREAM => "Downstream Mapping",
            3 => "Pad",
            VENDOR => "Vendor Enterprise Code",
            7 => "Interface Label Stack",
            9 => "Error Code",
            10 => "Reply TOS Byte",
            DISCRIMINATOR => "BFD Discriminator",
            _ => "Unknown",
        };
        write!(p, "\n\t  {name} TLV ({kind}), length: {len}");
        if len > left {
            p.text("\n\t\t packet is too short");
            return Ok(());
        }
        let bytes = cursor.take(len)?;
        let understood = print_value(p, kind, Cursor::new("lspping", bytes));
        if understood.is_err() {
            p.text("\n\t      TLV is too short");
        }
        let hex = !matches!(understood, Ok(true));
        if hex || p.style.verbosity > 1 {
            p.hex("\n\t    ", bytes);
        }
        let padding = (len.next_multiple_of(4) - len).min(left - len);
        cursor.skip_to_end(padding)?;
        left -= len + padding;
    }
    Ok(())
}

/// Prints a value; false if it should be shown in hex. Fails if it is too short.
fn print_value(p: &mut Printer<'_>, kind: u16, mut value: Cursor<'_>) -> Result<bool, Truncated> {
    match kind {
        TARGET => print_targets(p, value),
        DOWNSTREAM => {
            let (mtu, family) = (value.u16()?, value.u8()?);
            value.skip(1)?;
            let name = match family {
                1 => "IPv4",
                2 => "Unnumbered IPv4",
                3 => "IPv6",
                4 => "IPv6 Unnumbered",
                _ => "unknown",
            };
            write!(p, "\n\t    MTU: {mtu}, Address-Type: {name} ({family})");
            match family {
                1 | 2 => {
                    value.need(8)?;
                    write!(p, "\n\t    Downstream IP: {}", Ipv4::read(&mut value)?);
                    if family == 1 {
                        let address = Ipv4::read(&mut value)?;
                        write!(p, "\n\t    Downstream Interface IP: {address}");
                    } else {
                        write!(p, "\n\t    Downstream Interface Index: 0x{:08x}", value.u32()?);
                    }
                    value.need(4)?;
                }
                3 | 4 => {
                    value.need(if family == 3 { 32 } else { 20 })?;
                    write!(p, "\n\t    Downstream IP: {}", Ipv6::read(&mut value)?);
                    if family == 3 {
                        let address = Ipv6::read(&mut value)?;
                        write!(p, "\n\t    Downstream Interface IP: {address}");
                    } else {
                        write!(p, "\n\t    Downstream Interface Index: 0x{:08x}", value.u32()?);
                    }
                    value.need(4)?;
                }
                _ => {}
            }
            Ok(false)
        }
        VENDOR => {
            let vendor = value.u32()?;
            let name = match vendor {
                0 => "IETF (reserved)",
                9 => "Cisco",
                2636 => "Juniper Networks",
                _ => "Unknown",
            };
            write!(p, "\n\t    Vendor: {name} (0x{vendor:04x})");
            Ok(true)
        }
        DISCRIMINATOR => {
            write!(p, "\n\t    BFD Discriminator 0x{:08x}", value.u32()?);
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn target_name(kind: u16) -> &'static str {
    match kind {
        1 => "LDP IPv4 prefix",
        2 => "LDP IPv6 prefix",
        3 => "RSVP IPv4 Session Query",
        4 => "RSVP IPv6 Session Query",
        5 => "Reserved",
        6 => "VPN IPv4 prefix",
        7 => "VPN IPv6 prefix",
        8 => "L2 VPN endpoint",
        9 => "FEC 128 pseudowire (old)",
        10 => "FEC 128 pseudowire",
        12 => "BGP labeled IPv4 prefix",
        13 => "BGP labeled IPv6 prefix",
        _ => "Unknown",
    }
}

/// Prints what paths are tested (RFC 8029 §3.2).
fn print_targets(p: &mut Printer<'_>, mut value: Cursor<'_>) -> Result<bool, Truncated> {
    while !value.rest().is_empty() {
        if value.rest().len() < 4 {
            p.text("\n\t\t TLV is too short");
            break;
        }
        let mut header = value;
        let (kind, len) = (header.u16()?, usize::from(header.u16()?));
        header.need(len)?;
        value = header;
        write!(p, "\n\t    {} subTLV ({kind}), length: {len}", target_name(kind));
        let required = match kind {
            1 | 12 => Some(5),
            2 | 13 => Some(17),
            3 => Some(20),
            4 => Some(56),
            6 => Some(13),
            7 => Some(25),
            8 | 10 => Some(14),
            9 => Some(10),
            _ => None,
        };
        let bytes = value.take(len)?;
        let mut hex = required.is_none() && len > 0;
        match required {
            Some(required) if len != required => {
                write!(p, "\n\t      invalid subTLV length, should be {required}");
                hex = true;
            }
            Some(_) => print_target(p, kind, &mut Cursor::new("lspping", bytes))?,
            None => {}
        }
        if hex || p.style.verbosity > 1 {
            p.hex("\n\t      ", bytes);
        }
        value.skip_to_end(len.next_multiple_of(4) - len)?;
    }
    Ok(true)
}

fn print_target(p: &mut Printer<'_>, kind: u16, v: &mut Cursor<'_>) -> Printed {
    p.text("\n\t      ");
    match kind {
        1 | 12 => write!(p, "{}/{}", Ipv4::read(v)?, v.u8()?),
        2 | 13 => write!(p, "{}/{}", Ipv6::read(v)?, v.u8()?),
        3 => {
            let end = Ipv4::read(v)?;
            v.skip(2)?;
            let (tunnel, extended) = (v.u16()?, Ipv4::read(v)?);
            let sender = Ipv4::read(v)?;
            v.skip(2)?;
            write!(p, "tunnel end-point {end}, tunnel sender {sender}, lsp-id 0x{:04x}", v.u16()?);
            write!(p, "\n\t      tunnel-id 0x{tunnel:04x}, extended tunnel-id {extended}");
        }
        4 => {
            let end = Ipv6::read(v)?;
            v.skip(2)?;
            let (tunnel, extended) = (v.u16()?, Ipv6::read(v)?);
            let sender = Ipv6::read(v)?;
            v.skip(2)?;
            write!(p, "tunnel end-point {end}, tunnel sender {sender}, lsp-id 0x{:04x}", v.u16()?);
            write!(p, "\n\t      tunnel-id 0x{tunnel:04x}, extended tunnel-id {extended}");
        }
        6 => write!(p, "RD: {}, {}/{}", Distinguisher::read(v)?, Ipv4::read(v)?, v.u8()?),
        7 => write!(p, "RD: {}, {}/{}", Distinguisher::read(v)?, Ipv6::read(v)?, v.u8()?),
        8 => {
            write!(p, "RD: {}", Distinguisher::read(v)?);
            write!(p, ", Sender VE ID: {}, Receiver VE ID: {}", v.u16()?, v.u16()?);
            let kind = v.u16()?;
            write!(p, "\n\t      Encapsulation Type: {} ({kind})", circuit(kind));
        }
        _ => {
            if kind == 10 {
                write!(p, "Sender PE: {}, ", Ipv4::read(v)?);
            }
            write!(p, "Remote PE: {}", Ipv4::read(v)?);
            let (id, kind) = (v.u32()?, v.u16()?);
            write!(p, "\n\t      PW ID: 0x{id:08x}, PW Type: {} ({kind})", circuit(kind));
        }
    }
    Ok(())
}

fn circuit(kind: u16) -> &'static str {
    numbers::pseudowire(kind).unwrap_or("unknown")
}

//! Novell's internetwork packet exchange: addresses, service advertisements and routes.

use crate::decode::address::Mac;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::eigrp;

const HEADER: usize = 30;
const CORE: u16 = 0x0451;
const SERVICES: u16 = 0x0452;
const ROUTES: u16 = 0x0453;
const NETBIOS: u16 = 0x0455;
const DIAGNOSTICS: u16 = 0x0456;
const DATAGRAM: u16 = 0x0553;
const EIGRP: u16 = 0x85be;

/// Prints a packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if !p.style.link_header {
        p.text("IPX ");
    }
    let mut cursor = layer.skip(2).cursor("ipx");
    let len = usize::from(cursor.u16()?);
    cursor.skip(2)?;
    let destination = cursor.take(12)?;
    let source = cursor.take(12)?;
    print_address(p, source)?;
    p.text(" > ");
    print_address(p, destination)?;
    p.text(": ");
    if len < HEADER {
        write!(p, "[length {len} < {HEADER}]");
        return p.invalid(layer, "ipx");
    }
    let data = Layer { len: len - HEADER, ..layer.skip(HEADER) };
    let socket = Cursor::new("ipx", destination.get(10..).unwrap_or_default()).u16()?;
    match socket {
        SERVICES => return print_services(p, data),
        ROUTES => return print_routes(p, data),
        EIGRP => return eigrp::print(p, data),
        CORE => write!(p, "ipx-ncp {}", data.len),
        NETBIOS => write!(p, "ipx-netbios {}", data.len),
        DIAGNOSTICS => write!(p, "ipx-diags {}", data.len),
        DATAGRAM => write!(p, "ipx-nwlink-dgm {}", data.len),
        _ => write!(p, "ipx-#{socket:x} {}", data.len),
    }
    Ok(())
}

/// Prints network, node and socket.
fn print_address(p: &mut Printer<'_>, address: &[u8]) -> Printed {
    let mut cursor = Cursor::new("ipx", address);
    print_host(p, &mut cursor)?;
    write!(p, ".{:04x}", cursor.u16()?);
    Ok(())
}

fn print_host(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let network = cursor.u32()?;
    write!(p, "{network:08x}.{}", Mac(cursor.take(6)?));
    Ok(())
}

fn print_services(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ipx");
    if layer.len < 2 {
        return Err(cursor.truncated());
    }
    let command = cursor.u16()?;
    match command {
        1 | 3 => {
            p.text(if command == 1 { "ipx-sap-req" } else { "ipx-sap-nearest-req" });
            if layer.len > 2 {
                write!(p, " {:04x}", cursor.u16()?);
            }
            Ok(())
        }
        2 | 4 => {
            p.text(if command == 2 { "ipx-sap-resp" } else { "ipx-sap-nearest-resp" });
            // At most seven in a packet.
            for _ in 0..8 {
                if cursor.at() >= layer.len {
                    break;
                }
                print_service(p, &mut cursor)?;
            }
            Ok(())
        }
        _ => {
            write!(p, "ipx-sap-?{command:x}");
            Ok(())
        }
    }
}

fn print_service(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    write!(p, " {:04x} '", cursor.u16()?);
    let name = cursor.rest().get(..48).unwrap_or(cursor.rest());
    p.escaped_until_nul(name);
    if !name.contains(&0) {
        cursor.need(48)?;
    }
    p.text("'");
    cursor.skip(48)?;
    cursor.need(10)?;
    p.text(" addr ");
    print_host(p, cursor)?;
    // The socket and the distance.
    cursor.skip_to_end(4)
}

fn print_routes(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ipx");
    if layer.len < 2 {
        return Err(cursor.truncated());
    }
    let command = cursor.u16()?;
    match command {
        1 => {
            p.text("ipx-rip-req");
            if layer.len > 2 {
                print_route(p, &mut cursor)?;
            }
        }
        2 => {
            p.text("ipx-rip-resp");
            for _ in 0..15 {
                if cursor.at() >= layer.len {
                    break;
                }
                print_route(p, &mut cursor)?;
            }
        }
        _ => write!(p, "ipx-rip-?{command:x}"),
    }
    Ok(())
}

fn print_route(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    cursor.need(8)?;
    write!(p, " {:08x}/{}.{}", cursor.u32()?, cursor.u16()?, cursor.u16()?);
    Ok(())
}

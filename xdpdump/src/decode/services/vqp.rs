//! VLAN query protocol (Cisco's; no public specification).

use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a message, and its objects with `-v`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cut_to(layer.len).cursor("vqp");
    let version = layer.cursor("vqp").u8()?;
    cursor.need(8)?;
    cursor.skip(1)?;
    if version != 1 {
        write!(p, "VQP version {version} packet not supported");
        return Ok(());
    }
    let (kind, error, count) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let name = match kind {
        1 => Some("Request, Join Port"),
        2 => Some("Response, VLAN"),
        3 => Some("Request, Reconfirm"),
        4 => Some("Response, Reconfirm"),
        _ => None,
    };
    p.text(if p.verbose() { "\n\tVQPv1, " } else { "VQPv1 " });
    p.name(name, format_args!("unknown ({kind})"));
    p.text(" Message, error-code ");
    match error {
        0 => p.text("No error"),
        3 => p.text("Access denied"),
        4 => p.text("Shutdown port"),
        5 => p.text("Wrong VTP domain"),
        _ => write!(p, "unknown ({error})"),
    }
    if matches!(error, 0 | 3..=5) {
        write!(p, " ({error})");
    }
    if !p.verbose() {
        write!(p, ", length {}", layer.len);
        return Ok(());
    }
    write!(p, ", seq 0x{:08x}, items {count}, length {}", cursor.u32()?, layer.len);
    for _ in 0..count {
        if cursor.rest().is_empty() && layer.bytes.len() >= layer.len {
            break;
        }
        print_object(p, &mut cursor)?;
    }
    Ok(())
}

fn print_object(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let (kind, len) = (cursor.u32()?, usize::from(cursor.u16()?));
    let name = match kind {
        0xc01 => "Client IP Address",
        0xc02 => "Port Name",
        0xc03 => "VLAN Name",
        0xc04 => "VTP Domain",
        0xc05 => "Ethernet Packet",
        0xc06 => "MAC Null",
        0xc08 => "MAC Address",
        _ => "Unknown",
    };
    write!(p, "\n\t  {name} Object (0x{kind:08x}), length {len}, value: ");
    if len == 0 {
        return Ok(());
    }
    let value = cursor.take(len)?;
    match (kind, value) {
        (0xc01, &[a, b, c, d, ..]) => {
            write!(p, "{} (0x{:08x})", Ipv4([a, b, c, d]), u32::from_be_bytes([a, b, c, d]));
        }
        (0xc01, _) => p.text(" (invalid)"),
        (0xc02..=0xc05, _) => p.escaped(value),
        (0xc06 | 0xc08, _) => match value.get(..6) {
            Some(address) => write!(p, "{}", Mac(address)),
            None => p.text(" (invalid)"),
        },
        _ if p.style.verbosity < 2 => p.hex("\n\t    ", value),
        _ => {}
    }
    Ok(())
}

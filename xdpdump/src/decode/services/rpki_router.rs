//! How routers get validated origins from a cache (RPKI-RTR, RFC 6810).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const HEADER: usize = 8;

/// Prints the messages of a segment; only the protocol's name without `-v`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if !p.verbose() {
        p.text(", RPKI-RTR");
        return Ok(());
    }
    let mut left = layer;
    while left.len > 0 {
        let Some(len) = print_message(p, left, true, 8)? else {
            p.text(" (invalid)");
            break;
        };
        left = left.skip(len);
    }
    Ok(())
}

/// Prints a message and returns its length; `None` if it is not valid.
fn print_message(
    p: &mut Printer<'_>,
    layer: Layer<'_>,
    outermost: bool,
    indent: usize,
) -> Result<Option<usize>, Truncated> {
    if layer.len < HEADER {
        write!(p, "({} bytes is too few to decode)", layer.len);
        return Ok(None);
    }
    let mut cursor = layer.cut_to(layer.len).cursor("rpki-rtr");
    cursor.need(HEADER)?;
    let (version, kind, session, len) = (cursor.u8()?, cursor.u8()?, cursor.u16()?, cursor.u32()? as usize);
    line(p, indent);
    write!(p, "RPKI-RTRv{version}");
    if version != 0 {
        p.text(" (unknown)");
        return Ok(Some(layer.len));
    }
    let name = match kind {
        0 => "Serial Notify",
        1 => "Serial Query",
        2 => "Reset Query",
        3 => "Cache Response",
        4 => "IPV4 Prefix",
        6 => "IPV6 Prefix",
        7 => "End of Data",
        8 => "Cache Reset",
        10 => "Error Report",
        _ => "Unknown",
    };
    write!(p, ", {name} PDU ({kind}), length: {len}");
    if len < HEADER || len > layer.len {
        return Ok(None);
    }
    let right = match kind {
        0 | 1 | 7 => len == 12,
        2 | 3 | 8 => len == HEADER,
        4 => len == 20,
        6 => len == 32,
        10 => len >= 16,
        _ => true,
    };
    if !right {
        return Ok(None);
    }
    let message = layer.bytes.get(..len).unwrap_or(layer.bytes);
    match kind {
        0 | 1 | 7 => {
            line(p, indent + 2);
            write!(p, "Session ID: 0x{session:04x}, Serial: {}", cursor.u32()?);
        }
        3 => {
            line(p, indent + 2);
            write!(p, "Session ID: 0x{session:04x}");
        }
        4 | 6 => print_prefix(p, &mut cursor, kind == 6, indent)?,
        10 if !print_error(p, &mut cursor, session, len, outermost, indent)? => return Ok(None),
        2 | 8 | 10 => {}
        _ if p.style.verbosity < 2 => p.hex("\n\t  ", message),
        _ => {}
    }
    if p.style.verbosity > 1 {
        p.hex("\n\t  ", message);
    }
    Ok(Some(len))
}

/// Begins a line; every eight columns are a tab.
fn line(p: &mut Printer<'_>, indent: usize) {
    p.text("\n");
    for _ in 0..indent / 8 {
        p.text("\t");
    }
    for _ in 0..indent % 8 {
        p.text(" ");
    }
}

fn print_prefix(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, v6: bool, indent: usize) -> Printed {
    let (flags, len, max) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    cursor.skip(1)?;
    line(p, indent + 2);
    if v6 {
        write!(p, "IPv6 Prefix {}", Ipv6::read(cursor)?);
    } else {
        write!(p, "IPv4 Prefix {}", Ipv4::read(cursor)?);
    }
    write!(p, "/{len}-{max}, origin-as {}, flags 0x{flags:02x}", cursor.u32()?);
    Ok(())
}

/// Prints an error and the message that it is about; false if it is not valid.
fn print_error(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    code: u16,
    len: usize,
    outermost: bool,
    indent: usize,
) -> Result<bool, Truncated> {
    let name = match code {
        0 => "Corrupt Data",
        1 => "Internal Error",
        2 => "No Data Available",
        3 => "Invalid Request",
        4 => "Unsupported Protocol Version",
        5 => "Unsupported PDU Type",
        6 => "Withdrawal of Unknown Record",
        7 => "Duplicate Announcement Received",
        _ => "Unknown",
    };
    let inner_len = cursor.u32()? as usize;
    line(p, indent + 2);
    write!(p, "Error code: {name} ({code}), Encapsulated PDU length: {inner_len}");
    if inner_len > len - 16 {
        return Ok(false);
    }
    let inner = cursor.take(inner_len)?;
    // An error about an error is not valid.
    if inner_len > 0 && outermost {
        line(p, indent + 4);
        p.text("-----encapsulated PDU-----");
        let layer = Layer { bytes: inner, len: inner_len };
        if print_message(p, layer, false, indent)?.is_none() {
            return Ok(false);
        }
    }
    let text_len = cursor.u32()? as usize;
    if text_len > len - 16 - inner_len {
        return Ok(false);
    }
    if text_len > 0 {
        line(p, indent + 2);
        p.text("Error text: ");
        let text = cursor.take(text_len)?;
        p.escaped(text.split(|byte| *byte == 0).next().unwrap_or_default());
    }
    Ok(true)
}

//! Trivial file transfer (RFC 1350) and its options (RFC 2347).

use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// Prints a packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    write!(p, "TFTP, length {}", layer.len);
    let mut cursor = layer.cut_to(layer.len).cursor("tftp");
    let operation = cursor.u16()?;
    let name = match operation {
        1 => "RRQ",
        2 => "WRQ",
        3 => "DATA",
        4 => "ACK",
        5 => "ERROR",
        6 => "OACK",
        _ => {
            write!(p, ", tftp-#{operation}");
            return Ok(());
        }
    };
    write!(p, ", {name}");
    match operation {
        1 | 2 => {
            p.text(" \"");
            print_string(p, &mut cursor, "\"")?;
            p.text(" ");
            print_string(p, &mut cursor, "")?;
            print_options(p, &mut cursor)
        }
        3 | 4 => {
            write!(p, " block {}", cursor.u16()?);
            Ok(())
        }
        5 => print_error(p, &mut cursor),
        _ => print_options(p, &mut cursor),
    }
}

fn print_error(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let code = cursor.u16()?;
    p.text(" ");
    let name = match code {
        0 => Some("EUNDEF"),
        1 => Some("ENOTFOUND"),
        2 => Some("EACCESS"),
        3 => Some("ENOSPACE"),
        4 => Some("EBADOP"),
        5 => Some("EBADID"),
        6 => Some("EEXISTS"),
        7 => Some("ENOUSER"),
        _ => None,
    };
    // tcpdump's text of unknown errors has a quote too many.
    p.name(name, format_args!("tftp-err-#{code} \""));
    if cursor.rest().is_empty() {
        return Err(Truncated("tftp"));
    }
    p.text(" \"");
    print_string(p, cursor, "\"")
}

/// Prints pairs of names and values.
fn print_options(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    while !cursor.rest().is_empty() {
        p.text(" ");
        print_string(p, cursor, "")?;
    }
    Ok(())
}

/// Prints text that a zero byte ends, and what is to follow it even if it does not end.
fn print_string(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, after: &str) -> Printed {
    let rest = cursor.rest();
    let end = rest.iter().position(|byte| *byte == 0);
    p.escaped(cursor.take(end.unwrap_or(rest.len()))?);
    p.text(after);
    cursor.skip(1)
}

//! Authentication in PPP: by password (RFC 1334) and by challenge (RFC 1994).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a message of the challenge handshake authentication protocol.
pub(super) fn print_chap(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ppp");
    if layer.len < 1 {
        p.text("[|chap]");
        return Ok(());
    }
    let code = cursor.u8()?;
    if layer.len < 4 {
        write!(p, "[|chap 0x{code:02x}]");
        return Ok(());
    }
    let name = match code {
        1 => "Challenge",
        2 => "Response",
        3 => "Success",
        4 => "Fail",
        _ => "unknown",
    };
    write!(p, "CHAP, {name} (0x{code:02x})");
    write!(p, ", id {}", cursor.u8()?);
    let len = usize::from(cursor.u16()?);
    match code {
        1 | 2 => {
            if layer.len <= 4 {
                return Ok(());
            }
            let size = usize::from(cursor.u8()?);
            if layer.len < 5 + size {
                return Ok(());
            }
            p.text(", Value ");
            for _ in 0..size {
                write!(p, "{:02x}", cursor.u8()?);
            }
            p.text(", Name ");
            p.escaped_field(&mut cursor, len.saturating_sub(5 + size))
        }
        3 | 4 => {
            p.text(", Msg ");
            p.escaped_field(&mut cursor, len.saturating_sub(4))
        }
        _ => Ok(()),
    }
}

/// Prints a message of the password authentication protocol.
pub(super) fn print_pap(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ppp");
    if layer.len < 1 {
        p.text("[|pap]");
        return Ok(());
    }
    let code = cursor.u8()?;
    if layer.len < 4 {
        write!(p, "[|pap 0x{code:02x}]");
        return Ok(());
    }
    let name = match code {
        1 => "Auth-Req",
        2 => "Auth-ACK",
        3 => "Auth-NACK",
        _ => "unknown",
    };
    write!(p, "PAP, {name} (0x{code:02x})");
    write!(p, ", id {}", cursor.u8()?);
    let len = usize::from(cursor.u16()?);
    if len > layer.len {
        write!(p, ", length {len} > packet size");
        return Ok(());
    }
    let Some(mut left) = len.checked_sub(4) else {
        write!(p, ", length {len} < PAP header length");
        return Ok(());
    };
    match code {
        1 => {
            for name in [", Peer ", ", Name "] {
                if left < 1 {
                    return Ok(());
                }
                let size = usize::from(cursor.u8()?);
                left -= 1;
                if left < size {
                    return Ok(());
                }
                p.text(name);
                p.escaped_field(&mut cursor, size)?;
                left -= size;
            }
        }
        2 | 3 => {
            // Some implementations leave out the length and the message.
            if left < 1 {
                p.text("[|pap]");
                return Ok(());
            }
            let size = usize::from(cursor.u8()?);
            if left < 1 + size {
                return Ok(());
            }
            p.text(", Msg ");
            p.escaped_field(&mut cursor, size)?;
        }
        _ => {}
    }
    Ok(())
}

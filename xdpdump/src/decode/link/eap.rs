//! Authentication on a LAN (EAPOL, IEEE 802.1X) and EAP inside it (RFC 3748), which is shown with `-v`.

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
const IDENTITY: u8 = 1;
const NOTIFICATION: u8 = 2;
const NAK: u8 = 3;
const TLS: u8 = 13;
const SIM: u8 = 18;
const TTLS: u8 = 21;
const AKA: u8 = 23;
const FAST: u8 = 43;
const FLAGS: [(u32, &str); 3] = [(0x80, "L bit"), (0x40, "More fragments bit"), (0x20, "Start bit")];

/// Prints an EAPOL frame.
pub(in crate::decode) fn print_frame(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("eap");
    cursor.need(4)?;
    let (version, kind, len) = (cursor.u8()?, cursor.u8()?, usize::from(cursor.u16()?));
    let name = match kind {
        0 => "EAP packet",
        1 => "EAPOL start",
        2 => "EAPOL logoff",
        3 => "EAPOL key",
        4 => "Encapsulated ASF alert",
        _ => "unknown",
    };
    write!(p, "{name} ({kind}) v{version}, len {len}");
    if p.verbose() && kind == 0 {
        p.text(", ");
        return print(p, Layer { len, ..layer.skip(4) });
    }
    Ok(())
}

/// Prints an EAP message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("eap");
    cursor.need(4)?;
    let (code, id, len) = (cursor.u8()?, cursor.u8()?, usize::from(cursor.u16()?));
    if len != layer.len {
        p.text("EAP fragment?");
        return Ok(());
    }
    let name = match code {
        REQUEST => "Request",
        RESPONSE => "Response",
        3 => "Success",
        4 => "Failure",
        _ => "unknown",
    };
    write!(p, "{name} ({code}), id {id}, len {len}");
    if len < 4 {
        p.text(" (too short for EAP header)");
        return Ok(());
    }
    if !matches!(code, REQUEST | RESPONSE) {
        return Ok(());
    }
    if len < 5 {
        p.text(" (too short for EAP request/response)");
        return Ok(());
    }
    // What follows must have been captured completely.
    layer.cursor("eap").need(len)?;
    let kind = cursor.u8()?;
    write!(p, "\n\t\t Type {} ({kind})", method(kind));
    let data = layer.cut(len).skip(5).cursor("eap");
    print_data(p, kind, data);
    Ok(())
}

/// Prints the data of a method.
fn print_data(p: &mut Printer<'_>, kind: u8, mut cursor: Cursor<'_>) {
    let what = match kind {
        NOTIFICATION => "Notification",
        NAK => "Legacy NAK",
        TLS | TTLS => "TLS/TTLS",
        FAST => "FAST",
        SIM | AKA => "SIM/AKA",
        IDENTITY => {
            if !cursor.rest().is_empty() {
                p.text(", Identity: ");
                p.escaped(cursor.rest());
            }
            return;
        }
        _ => return,
    };
    let Ok(first) = cursor.u8() else {
        write!(p, " (too short for EAP {what} request/response)");
        return;
    };
    match kind {
        NOTIFICATION => {
            p.text(", Notification: ");
            p.escaped(&[first]);
            p.escaped(cursor.rest());
        }
        NAK => {
            write!(p, " {} ({first})", method(first));
            for wanted in cursor.rest() {
                write!(p, ", {} ({wanted})", method(*wanted));
            }
        }
        TLS | TTLS | FAST => {
            match kind {
                TTLS => write!(p, " TTLSv{}", first & 7),
                FAST => write!(p, " FASTv{}", first & 7),
                _ => {}
            }
            p.text(" flags [");
            p.flags(u32::from(first), &FLAGS, ", ");
            write!(p, "] 0x{first:02x}");
            if first & 0x80 != 0 {
                match cursor.u32() {
                    Ok(len) => write!(p, ", len {len}"),
                    Err(_) => write!(p, " (too short for EAP {what} request/response with length)"),
                }
            }
        }
        _ => write!(p, " subtype [{}] 0x{first:02x}", subtype(first)),
    }
}

fn method(kind: u8) -> &'static str {
    match kind {
        0 => "No proposed",
        IDENTITY => "Identity",
        NOTIFICATION => "Notification",
        NAK => "Nak",
        4 => "MD5-challenge",
        5 => "OTP",
        6 => "GTC",
        TLS => "TLS",
        SIM => "SIM",
        TTLS => "TTLS",
        AKA => "AKA",
        FAST => "FAST",
        254 => "Expanded types",
        255 => "Experimental",
        _ => "unknown",
    }
}

/// Messages of EAP-AKA and EAP-SIM (RFC 4187, RFC 4186).
fn subtype(number: u8) -> &'static str {
    match number {
        1 | 11 => "Challenge",
        2 => "Auth reject",
        4 => "Sync failure",
        5 => "Identity",
        10 => "Start",
        12 => "Notification",
        13 => "Reauth",
        14 => "Client error",
        _ => "unknown",
    }
}

//! Scalable service-oriented middleware over IP (AUTOSAR, "SOME/IP Protocol Specification").

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 16;
const EVENT: u16 = 0x8000;

/// What a message says of the one before it.
const RESULTS: [&str; 16] = [
    "OK",
    "NOT_OK",
    "UNKNOWN_SERVICE",
    "UNKNOWN_METHOD",
    "NOT_READY",
    "NOT_REACHABLE",
    "TIMEOUT",
    "WRONG_PROTOCOL_VERSION",
    "WRONG_INTERFACE_VERSION",
    "MALFORMED_MESSAGE",
    "WRONG_MESSAGE_TYPE",
    "E2E_REPEATED",
    "E2E_WRONG_SEQUENCE",
    "E2E",
    "E2E_NOT_AVAILABLE",
    "E2E_NO_NEW_DATA",
];

/// Prints the header of a message, and an empty line as tcpdump does.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("SOMEIP");
    if layer.len < HEADER {
        p.text(" (invalid)");
        return Ok(());
    }
    let mut cursor = layer.cursor("someip");
    let (service, method) = (cursor.u16()?, cursor.u16()?);
    write!(p, ", service {service}");
    if method & EVENT == 0 {
        write!(p, ", method {method}");
    } else {
        write!(p, ", event {}", method & !EVENT);
    }
    write!(p, ", len {}", cursor.u32()?);
    write!(p, ", client {}, session {}", cursor.u16()?, cursor.u16()?);
    write!(p, ", pver {}, iver {}", cursor.u8()?, cursor.u8()?);
    let kind = match cursor.u8()? {
        0x00 => "REQUEST",
        0x01 => "REQUEST_NO_RETURN",
        0x02 => "NOTIFICATION",
        0x20 => "TP_REQUEST",
        0x21 => "TP_REQUEST_NO_RETURN",
        0x22 => "TP_NOTIFICATION",
        0x80 => "RESPONSE",
        0x81 => "ERROR",
        0xa0 => "TP_RESPONSE",
        0xa1 => "TP_ERROR",
        _ => "Unknown",
    };
    write!(p, ", msgtype {kind}");
    match RESULTS.get(usize::from(cursor.u8()?)) {
        Some(result) => writeln!(p, ", retcode E_{result}"),
        None => writeln!(p, ", retcode Unknown"),
    }
    Ok(())
}

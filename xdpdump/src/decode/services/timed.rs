//! Time synchronisation of BSD's timed (Gusella and Zatti, "The Berkeley UNIX 4.3BSD Time Synchronization Protocol").

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const ADJUST: u8 = 1;
const SET_TIME: u8 = 5;
const SET_DATE: u8 = 22;
const SET_DATE_REQUEST: u8 = 23;
const LOOP: u8 = 24;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    const NAMES: [&str; 25] = [
        "ANY",
        "ADJTIME",
        "ACK",
        "MASTERREQ",
        "MASTERACK",
        "SETTIME",
        "MASTERUP",
        "SLAVEUP",
        "ELECTION",
        "ACCEPT",
        "REFUSE",
        "CONFLICT",
        "RESOLVE",
        "QUIT",
        "DATE",
        "DATEREQ",
        "DATEACK",
        "TRACEON",
        "TRACEOFF",
        "MSITE",
        "MSITEREQ",
        "TEST",
        "SETDATE",
        "SETDATEREQ",
        "LOOP",
    ];
    let mut cursor = layer.cursor("timed");
    let kind = cursor.u8()?;
    match NAMES.get(usize::from(kind)) {
        Some(name) => write!(p, "TSP_{name}"),
        None => write!(p, "(tsp_type {kind:#x})"),
    }
    let version = cursor.u8()?;
    write!(p, " vers {version} seq {}", cursor.u16()?);
    match kind {
        LOOP => {
            write!(p, " hopcnt {}", cursor.u8()?);
            cursor.skip(7)?;
        }
        ADJUST | SET_TIME | SET_DATE | SET_DATE_REQUEST => {
            let (seconds, micros) = (cursor.u32()?.cast_signed(), cursor.u32()?.cast_signed());
            write!(p, " time {seconds}.{micros:06}");
        }
        // tcpdump does not mind if the time that it skips was cut.
        _ => cursor.skip_to_end(8)?,
    }
    p.text(" name ");
    let rest = cursor.rest();
    let end = rest.iter().position(|byte| *byte == 0);
    p.escaped(cursor.take(end.unwrap_or(rest.len()))?);
    cursor.skip(1)
}

//! Rx, the remote procedure calls of the Andrew file system: the packets' kinds.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 28;
const ACK: u8 = 2;
/// How an acknowledgement marks a packet that has come.
const RECEIVED: u8 = 1;
const NAMES: [(u8, &str); 10] = [
    (1, "data"),
    (2, "ack"),
    (3, "busy"),
    (4, "abort"),
    (5, "ackall"),
    (6, "challenge"),
    (7, "response"),
    (8, "debug"),
    (9, "params"),
    (13, "version"),
];

/// Prints a packet's kind and, with `-v`, its numbers.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if layer.bytes.len() < HEADER {
        write!(p, " [|rx] ({})", layer.len);
        return Ok(());
    }
    let mut cursor = layer.cursor("rx");
    cursor.skip(4)?;
    let (connection, call) = (cursor.u32()?, cursor.u32()?);
    let (sequence, serial, kind) = (cursor.u32()?, cursor.u32()?, cursor.u8()?);
    p.text(" rx ");
    let name = NAMES.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name);
    p.name(name, format_args!("type {kind}"));
    if p.style.verbosity > 1 {
        write!(p, " cid {connection:08x} call# {call}");
    }
    if p.verbose() {
        write!(p, " seq {sequence} ser {serial}");
    }
    if kind == ACK {
        print_acknowledgement(p, layer);
    }
    write!(p, " ({})", layer.len);
    Ok(())
}

/// Prints which packets have come, and which have not.
fn print_acknowledgement(p: &mut Printer<'_>, layer: Layer<'_>) {
    const REASONS: [&str; 10] = [
        "#0",
        "ack requested",
        "duplicate packet",
        "out of sequence",
        "exceeds window",
        "no buffer space",
        "ping",
        "ping response",
        "delay",
        "idle",
    ];
    let mut cursor = layer.skip(HEADER).cursor("rx");
    if cursor.need(18).is_err() || cursor.skip(4).is_err() {
        p.text(" [|ack]");
        return;
    }
    let mut word = || cursor.u32().unwrap_or_default();
    let (first, _, serial) = (word(), word(), word());
    let (reason, count) = (cursor.u8().unwrap_or_default(), usize::from(cursor.u8().unwrap_or_default()));
    write!(p, " first {first} serial {serial} reason ");
    p.name(REASONS.get(usize::from(reason)).copied(), format_args!("#{reason}"));
    let Ok(received) = cursor.take(count) else {
        p.text(" [|ack]");
        return;
    };
    for (name, wanted) in [("acked", true), ("nacked", false)] {
        print_ranges(p, name, first, received, wanted);
    }
}

/// Prints the numbers of the packets that came, or those of the others; several in a row as a range.
fn print_ranges(p: &mut Printer<'_>, name: &str, first: u32, received: &[u8], wanted: bool) {
    let mut number = first;
    let mut before = " ";
    for run in received.chunk_by(|a, b| (*a == 0) == (*b == 0)) {
        let last = number.wrapping_add(run.len() as u32 - 1);
        if run.iter().all(|packet| (*packet == RECEIVED) == wanted) {
            if before == " " {
                write!(p, " {name}");
            }
            write!(p, "{before}{number}");
            before = ",";
            if last != number {
                write!(p, "-{last}");
            }
        }
        number = last.wrapping_add(1);
    }
}

//! Cisco's interior gateway routing protocol.

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 12;
const ROUTE: usize = 14;
/// Delay of a network that is not reachable.
const INFINITY: u32 = 0xff_ffff;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("igrp");
    p.text("igrp:");
    let first = cursor.u8()?;
    match first & 15 {
        1 => p.text(" update"),
        2 => p.text(" request"),
        operation => write!(p, " op-#{operation}"),
    }
    write!(p, " V{} edit={} AS={}", first >> 4, cursor.u8()?, cursor.u16()?);
    let counts = [cursor.u16()?, cursor.u16()?, cursor.u16()?];
    write!(p, " ({}/{}/{})", counts[0], counts[1], counts[2]);
    let checksum = cursor.u16()?;
    if p.verbose() {
        write!(p, " checksum=0x{checksum:04x}");
    }
    // Networks of this one, other networks, and networks of other systems.
    let mut left = layer.len.saturating_sub(HEADER);
    for (count, kind) in counts.into_iter().zip([Kind::Interior, Kind::System, Kind::Exterior]) {
        for _ in 0..count {
            if left < ROUTE {
                p.text(" (invalid)");
                return Ok(());
            }
            print_route(p, kind, &mut cursor)?;
            left -= ROUTE;
        }
    }
    if left > 0 {
        p.text(" (invalid)");
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Kind {
    Interior,
    System,
    Exterior,
}

fn print_route(p: &mut Printer<'_>, kind: Kind, cursor: &mut Cursor<'_>) -> Printed {
    let [a, b, c] = cursor.array()?;
    match kind {
        Kind::Interior => write!(p, " *.{a}.{b}.{c}"),
        Kind::System => write!(p, " {a}.{b}.{c}.0"),
        Kind::Exterior => write!(p, " X{a}.{b}.{c}.0"),
    }
    cursor.need(ROUTE - 3)?;
    let (delay, bandwidth) = (cursor.u24()?, cursor.u24()?);
    let mtu = cursor.u16()?;
    let (reliability, load, hops) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let metric = if delay == INFINITY { INFINITY } else { (delay + bandwidth).min(INFINITY) };
    // Kilobits per second; a bandwidth is sent as the time for a bit.
    let rate = 10_000_000_u32.checked_div(bandwidth).unwrap_or(0);
    write!(p, " d={} b={rate} r={reliability} l={load} M={metric} mtu={mtu} in {hops} hops", delay * 10);
    Ok(())
}

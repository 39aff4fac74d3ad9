//! Optimized link state routing (RFC 3626), and extensions of its implementation olsrd: link quality and name service.

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const HELLO: u8 = 1;
const TOPOLOGY: u8 = 2;
const INTERFACES: u8 = 3;
const NETWORKS: u8 = 4;
const NAMES: u8 = 130;
const HELLO_QUALITY: u8 = 201;
const TOPOLOGY_QUALITY: u8 = 202;

/// Prints a packet, and its messages with `-v`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, v6: bool, layer: Layer<'_>) -> Printed {
    p.text(if v6 { "OLSRv6" } else { "OLSRv4" });
    if layer.len < 4 {
        return Err(Truncated("olsr"));
    }
    let mut cursor = layer.cut_to(layer.len).cursor("olsr");
    let (len, sequence) = (usize::from(cursor.u16()?), cursor.u16()?);
    write!(p, ", seq 0x{sequence:04x}, length {}", len.min(layer.len));
    if p.verbose() {
        while !cursor.rest().is_empty() {
            if !print_message(p, &mut cursor, v6)? {
                p.text(" (invalid)");
                break;
            }
        }
    }
    Ok(())
}

/// Seconds and thousandths of a time in OLSR's floating point (RFC 3626 §18.3).
fn print_time(p: &mut Printer<'_>, code: u8) {
    let (mantissa, exponent) = (u32::from(code >> 4), u32::from(code & 15));
    // In sixteenths of a sixteenth of a second.
    let units = (16 + mantissa) << exponent;
    write!(p, "{}.{:03}s", units / 256, units % 256 * 1000 / 256);
}

/// Prints a message; false if what it says of itself is not possible.
fn print_message(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, v6: bool) -> Result<bool, Truncated> {
    let header = if v6 { 24 } else { 12 };
    cursor.need(header)?;
    let (kind, valid) = (cursor.u8()?, cursor.u8()?);
    let len = usize::from(cursor.u16()?);
    let name = match kind {
        HELLO => "Hello",
        TOPOLOGY => "TC",
        INTERFACES => "MID",
        NETWORKS => "HNA",
        128 => "Powerinfo",
        129 | NAMES => "Nameservice",
        HELLO_QUALITY => "Hello-LQ",
        TOPOLOGY_QUALITY => "TC-LQ",
        _ => "Unknown",
    };
    write!(p, "\n\t{name} Message (0x{kind:02x}), originator ");
    print_address(p, cursor, v6)?;
    let (hops_left, hops) = (cursor.u8()?, cursor.u8()?);
    write!(p, ", ttl {hops_left}, hop {hops}\n\t  vtime ");
    print_time(p, valid);
    write!(p, ", msg-seq 0x{:04x}, length {len}", cursor.u16()?);
    let Some(body) = len.checked_sub(header).filter(|body| *body <= cursor.rest().len()) else {
        return Ok(false);
    };
    let mut value = Cursor::new("olsr", cursor.take(body)?);
    match kind {
        HELLO | HELLO_QUALITY => print_hello(p, &mut value, v6, kind == HELLO_QUALITY),
        TOPOLOGY | TOPOLOGY_QUALITY => {
            write!(p, "\n\t    advertised neighbor seq 0x{:04x}", value.u16()?);
            value.skip(2)?;
            print_neighbors(p, &mut value, v6, kind == TOPOLOGY_QUALITY)?;
            Ok(true)
        }
        INTERFACES => {
            while value.need(if v6 { 16 } else { 4 }).is_ok() {
                p.text("\n\t  interface address ");
                print_address(p, &mut value, v6)?;
            }
            Ok(true)
        }
        NETWORKS => print_networks(p, &mut value, v6),
        NAMES => print_names(p, &mut value, v6),
        _ => {
            p.hex("\n\t    ", value.rest());
            Ok(true)
        }
    }
}

fn print_address(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, v6: bool) -> Printed {
    if v6 {
        write!(p, "{}", Ipv6::read(cursor)?);
    } else {
        write!(p, "{}", Ipv4::read(cursor)?);
    }
    Ok(())
}

fn print_hello(
    p: &mut Printer<'_>,
    value: &mut Cursor<'_>,
    v6: bool,
    quality: bool,
) -> Result<bool, Truncated> {
    value.skip(2)?;
    p.text("\n\t  hello-time ");
    print_time(p, value.u8()?);
    write!(p, ", MPR willingness {}", value.u8()?);
    while !value.rest().is_empty() {
        value.need(4)?;
        let left = value.rest().len();
        let code = value.u8()?;
        value.skip(1)?;
        let len = usize::from(value.u16()?);
        let link = ["Unspecified", "Asymmetric", "Symmetric", "Lost"][usize::from(code & 3)];
        let neighbor =
            ["Not-Neighbor", "Symmetric", "Symmetric-MPR"].get(usize::from(code >> 2)).unwrap_or(&"Unknown");
        write!(p, "\n\t    link-type {link}, neighbor-type {neighbor}, len {len}");
        let Some(body) = len.checked_sub(4).filter(|_| len <= left) else { return Ok(false) };
        let mut neighbors = Cursor::new("olsr", value.take(body)?);
        print_neighbors(p, &mut neighbors, v6, quality)?;
    }
    Ok(true)
}

/// Prints addresses, four a line, or with the quality of the links to them, each on a line.
fn print_neighbors(p: &mut Printer<'_>, value: &mut Cursor<'_>, v6: bool, quality: bool) -> Printed {
    let size = if v6 { 16 } else { 4 };
    let mut number = 0_usize;
    p.text(if quality { "" } else { "\n\t      neighbor" });
    while value.rest().len() >= size + if quality { 4 } else { 0 } {
        if quality {
            p.text("\n\t      neighbor ");
            print_address(p, value, v6)?;
            let (ours, theirs) = (u32::from(value.u8()?), u32::from(value.u8()?));
            value.skip(2)?;
            write!(p, ", link-quality {}", Percent(ours));
            write!(p, ", neighbor-link-quality {}", Percent(theirs));
        } else {
            p.text(if number.is_multiple_of(4) { "\n\t\t" } else { "" });
            print_address(p, value, v6)?;
            p.text(" ");
            number += 1;
        }
    }
    Ok(())
}

/// A share of 255, as tcpdump rounds it.
struct Percent(u32);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}%", f64::from(self.0) / 2.55)
    }
}

fn print_networks(p: &mut Printer<'_>, value: &mut Cursor<'_>, v6: bool) -> Result<bool, Truncated> {
    let size = if v6 { 32 } else { 8 };
    write!(p, "\n\t  Advertised networks (total {})", value.rest().len() / size);
    let mut number = 0_usize;
    while value.rest().len() >= size {
        p.text(if number.is_multiple_of(4) { "\n\t    " } else { ", " });
        number += 1;
        if v6 {
            let (network, mask) = (Ipv6::read(value)?, Ipv6::read(value)?);
            write!(p, "{network}/{}", mask.0.iter().map(|byte| byte.leading_ones()).sum::<u32>());
        } else {
            let (network, mask) = (Ipv4::read(value)?, Ipv4::read(value)?);
            match (network.0, mask.0) {
                ([0, 0, 0, 0], [0, 0, 0, 0]) => p.text("*"),
                (_, mask) => write!(p, "{network}/{}", u32::from_be_bytes(mask).leading_ones()),
            }
        }
    }
    Ok(true)
}

fn print_names(p: &mut Printer<'_>, value: &mut Cursor<'_>, v6: bool) -> Result<bool, Truncated> {
    let (version, count) = (value.u16()?, value.u16()?);
    write!(p, "\n\t  Version {version}, Entries {count}");
    if version != 1 {
        return Ok(true);
    }
    for number in 0..count {
        let Ok(()) = value.need(if v6 { 20 } else { 8 }) else { break };
        let (kind, len) = (value.u16()?, usize::from(value.u16()?));
        write!(p, "\n\t    #{number}: type {kind:06}, length {len}, address ");
        let mut address = Cursor::new("olsr", value.take(if v6 { 16 } else { 4 })?);
        print_address(p, &mut address, v6)?;
        p.text(", name \"");
        let captured = value.rest().len().min(len);
        p.escaped(value.take(captured)?);
        p.text("\"");
        value.skip_to_end(len.next_multiple_of(4) - len)?;
    }
    Ok(true)
}

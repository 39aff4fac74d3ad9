//! Routing information protocol, versions 1 (RFC 1058) and 2 (RFC 2453, RFC 4822).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const PORT: u16 = 520;

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

/// Bytes of a route.
const ROUTE: usize = 20;

/// Address families as BSD numbers them.
const UNSPECIFIED: u16 = 0;
const INTERNET: u16 = 2;
const AUTHENTICATION: u16 = 0xffff;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("rip");
    cursor.need(4)?;
    let (command, version) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(2)?;
    if p.verbose() {
        p.text("\n\t");
    }
    write!(p, "RIPv{version}");
    if version == 0 {
        p.hex("\n\t", layer.bytes);
        return Ok(());
    }
    match command {
        REQUEST => p.text(", Request"),
        RESPONSE => p.text(", Response"),
        3 => p.text(", Trace on"),
        4 => p.text(", Trace off"),
        5 => p.text(", Poll"),
        6 => p.text(", Poll Entry"),
        _ => write!(p, ", unknown command ({command})"),
    }
    write!(p, ", length: {}", layer.len);
    if !p.verbose() {
        return Ok(());
    }
    let left = layer.len.saturating_sub(4);
    match (command, version) {
        (REQUEST | RESPONSE, 1) => {
            write!(p, ", routes: {}", layer.len / ROUTE);
            print_routes(p, cursor, left, print_old_route)?;
        }
        (REQUEST | RESPONSE, 2) => {
            write!(p, ", routes: {} or less", layer.len / ROUTE);
            print_routes(p, cursor, left, print_route)?;
        }
        (REQUEST | RESPONSE, _) => p.text(", unknown version"),
        (4..=6, _) => {}
        _ if p.style.verbosity <= 1 => p.hex("\n\t", layer.bytes),
        _ => {}
    }
    if p.style.verbosity > 1 {
        p.hex("\n\t", layer.bytes);
    }
    Ok(())
}

/// Prints a route of version 1, in which everything but address and metric is zero.
fn print_old_route(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let whole = *cursor;
    let (family, tag) = (cursor.u16()?, cursor.u16()?);
    if tag != 0 {
        p.hex("\n\t  ", { whole }.take(ROUTE)?);
        return cursor.skip(ROUTE - 4);
    }
    match family {
        UNSPECIFIED | INTERNET => {
            let address = Ipv4::read(cursor)?;
            let zero = cursor.u64()?;
            if zero != 0 {
                p.hex("\n\t  ", { whole }.take(ROUTE)?);
                return cursor.skip(4);
            }
            p.text(if family == UNSPECIFIED { "\n\t  AFI 0, " } else { "\n\t  " });
            write!(p, "{address}, metric: {}", cursor.u32()?);
        }
        _ => {
            let name = family_name(family);
            write!(p, "\n\t AFI {name} ({family}), ");
            p.hex("\n\t  ", cursor.take(ROUTE - 4)?);
        }
    }
    Ok(())
}

fn family_name(family: u16) -> &'static str {
    match family {
        INTERNET => "IPv4",
        _ => "Unknown",
    }
}

/// Prints `left` bytes of routes.
fn print_routes(
    p: &mut Printer<'_>,
    mut cursor: Cursor<'_>,
    mut left: usize,
    print: impl Fn(&mut Printer<'_>, &mut Cursor<'_>) -> Printed,
) -> Printed {
    while left > 0 {
        cursor.need(ROUTE)?;
        if let [0xff, 0xff, 0, 1, ..] = cursor.rest() {
            // The digest for a key (RFC 4822 §2.3) ends the message.
            cursor.skip(4)?;
            p.text("\n\t  Auth trailer:");
            p.hex("\n\t  ", cursor.take(left.saturating_sub(4))?);
            return Ok(());
        }
        print(p, &mut Cursor::new("rip", cursor.take(ROUTE)?))?;
        if left < ROUTE {
            write!(p, " [remaining entries length {left} < {ROUTE}] (invalid)");
            return Ok(());
        }
        left -= ROUTE;
    }
    Ok(())
}

/// Prints a route of version 2, or authentication, which has the place of one.
fn print_route(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let (family, tag) = (value.u16()?, value.u16()?);
    match family {
        AUTHENTICATION => match tag {
            2 => {
                p.text("\n\t  Simple Text Authentication data: ");
                let text = value.rest();
                p.escaped_until_nul(text);
            }
            3 => {
                write!(p, "\n\t  Auth header: Packet Len {}", value.u16()?);
                write!(p, ", Key-ID {}, Auth Data Len {}", value.u8()?, value.u8()?);
                write!(p, ", SeqNo {}", value.u32()?);
                write!(p, ", MBZ {}, MBZ {}", value.u32()?, value.u32()?);
            }
            _ => {
                write!(p, "\n\t  Unknown ({tag}) Authentication data:");
                p.hex("\n\t  ", value.rest());
            }
        },
        UNSPECIFIED | INTERNET => {
            let address = Ipv4::read(value)?;
            let mask = value.u32()?;
            let hop = Ipv4::read(value)?;
            let ones = mask.leading_ones();
            // tcpdump prints -1 for a mask with gaps.
            let bits =
                if mask.checked_shl(ones).unwrap_or(0) == 0 { ones.to_string() } else { "-1".to_owned() };
            let name = if family == INTERNET { "IPv4" } else { "0" };
            write!(p, "\n\t  AFI {name}, {:>15}/{bits:<2}", address.to_string());
            write!(p, ", tag 0x{tag:04x}, metric: {}, next-hop: ", value.u32()?);
            if hop.0 == [0; 4] { p.text("self") } else { write!(p, "{hop}") }
        }
        _ => {
            write!(p, "\n\t  AFI {} ({family})", family_name(family));
            p.hex("\n\t  ", value.rest());
        }
    }
    Ok(())
}

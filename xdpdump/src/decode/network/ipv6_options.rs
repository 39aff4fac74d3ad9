//! Options in IPv6's hop-by-hop and destination headers (RFC 8200 §4.2), which are shown with `-v`.

use crate::decode::address::Ipv6;
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;

const PAD1: u8 = 0;
const PADN: u8 = 1;
const ROUTER_ALERT: u8 = 5;
const JUMBO: u8 = 0xc2;
const HOME_ADDRESS: u8 = 0xc9;
/// Smallest length that a jumbogram may have (RFC 2675 §2).
const LEAST_JUMBO: u32 = 0x1_0000;

/// What a header of options tells.
pub(in crate::decode) struct Header {
    /// Its length in bytes.
    pub(in crate::decode) len: usize,
    /// The length of the payload of the packet, extension headers included, if the packet is a jumbogram.
    pub(in crate::decode) jumbo: Option<usize>,
}

/// Prints a header of options, returns its length and sets `next` to the protocol that follows. `empty` tells for hop-by-hop
/// options whether the packet's own length is 0; it is `None` for options of the destination.
pub(in crate::decode) fn print(
    p: &mut Printer<'_>,
    next: &mut u8,
    mut header: Cursor<'_>,
    empty: Option<bool>,
) -> Result<Header, Truncated> {
    *next = header.u8()?;
    let len = (usize::from(header.u8()?) + 1) * 8;
    let name = if empty.is_some() { "hbhopt" } else { "dstopt" };
    let mut cursor = Cursor::new(name, header.take(len - 2)?);
    p.text(if empty.is_some() { "HBH " } else { "DSTOPT " });
    let jumbo = if empty == Some(true) { jumbo_len(cursor) } else { None };
    if p.verbose() {
        while !cursor.rest().is_empty() {
            print_option(p, &mut cursor, empty)?;
        }
        p.text(" ");
    }
    Ok(Header { len, jumbo })
}

/// The length of a jumbogram's payload, if an option has a valid one.
fn jumbo_len(mut cursor: Cursor<'_>) -> Option<usize> {
    while let Ok(kind) = cursor.u8() {
        if kind == PAD1 {
            continue;
        }
        let len = usize::from(cursor.u8().ok()?);
        let mut data = Cursor::new("ip6", cursor.take(len).ok()?);
        if kind == JUMBO && len == 4 {
            return data.u32().ok().filter(|len| *len >= LEAST_JUMBO).map(|len| len as usize);
        }
    }
    None
}

fn print_option(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, empty: Option<bool>) -> Result<(), Truncated> {
    let kind = cursor.u8()?;
    if kind == PAD1 {
        p.text("(pad1)");
        return Ok(());
    }
    let data = match cursor.u8().map(usize::from) {
        Ok(len) if cursor.rest().len() >= len => cursor.take(len)?,
        _ => return Err(cursor.truncated()),
    };
    let mut data_cursor = Cursor::new("ip6", data);
    match (kind, data.len()) {
        (PADN, _) => p.text("(padn)"),
        (ROUTER_ALERT, 2) => write!(p, "(rtalert: 0x{:04x}) ", data_cursor.u16()?),
        (ROUTER_ALERT, len) => {
            write!(p, "(rtalert: invalid len {len})");
            return Err(cursor.truncated());
        }
        (JUMBO, 4) => {
            let len = data_cursor.u32()?;
            write!(p, "(jumbo: {len}");
            match empty {
                None => p.text(" - not a hop-by-hop option"),
                Some(false) => p.text(" - payload len != 0"),
                Some(true) if len < LEAST_JUMBO => p.text(" - < 65536"),
                Some(true) => {}
            }
            p.text(") ");
        }
        (JUMBO, len) => {
            write!(p, "(jumbo: invalid len {len})");
            return Err(cursor.truncated());
        }
        (HOME_ADDRESS, 16..) => write!(p, "(homeaddr: {})", Ipv6::read(&mut data_cursor)?),
        (HOME_ADDRESS, _) => {
            p.text("(homeaddr: trunc)");
            return Err(cursor.truncated());
        }
        (_, len) => write!(p, "(opt_type 0x{kind:02x}: len={len})"),
    }
    Ok(())
}

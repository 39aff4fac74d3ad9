//! Border gateway protocol, version 4 (RFC 4271), with the extensions that its attributes and capabilities announce.

mod attributes;
mod communities;
mod names;
mod nlri;
mod open;
mod reach;

pub(super) use nlri::Distinguisher;

use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// Every message begins with 16 bytes of ones.
const MARKER: [u8; 16] = [0xff; 16];
/// Marker, length and type.
const HEADER: usize = 19;

const OPEN: u8 = 1;
const UPDATE: u8 = 2;
const NOTIFICATION: u8 = 3;
const KEEPALIVE: u8 = 4;
const ROUTE_REFRESH: u8 = 5;

/// Prints the messages in a TCP segment. A message can begin in an earlier segment: the first marker is searched for.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text(": BGP");
    if !p.verbose() {
        return Ok(());
    }
    let bytes = layer.bytes.get(..layer.len).unwrap_or(layer.bytes);
    let (mut at, mut end_of_last) = (0, 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= MARKER.len()) {
        if !rest.starts_with(&MARKER) {
            at += 1;
            continue;
        }
        let mut header = Cursor::new("bgp", rest);
        header.need(HEADER)?;
        header.skip(MARKER.len())?;
        let length = usize::from(header.u16()?);
        let kind = header.u8()?;
        if at != end_of_last {
            p.text(" [|bgp]");
        }
        if length < HEADER {
            write!(p, "\nmessage length {length} < {HEADER} (invalid)");
            return Ok(());
        }
        if rest.len() < length {
            write!(p, "\n[|BGP {}]", message_name(kind).unwrap_or("Unknown Message Type"));
            return Ok(());
        }
        write!(p, "\n\t{} Message ({kind}), length: {length}", message_name(kind).unwrap_or("Unknown"));
        if print_message(p, kind, Cursor::new("bgp", rest), length).is_err() {
            p.text(" [|bgp]");
        }
        at += length;
        end_of_last = at;
    }
    Ok(())
}

fn message_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        OPEN => "Open",
        UPDATE => "Update",
        NOTIFICATION => "Notification",
        KEEPALIVE => "Keepalive",
        ROUTE_REFRESH => "Route Refresh",
        _ => return None,
    })
}

/// Prints a message of `length` bytes; `cursor` begins at its marker and ends with the captured bytes.
fn print_message(p: &mut Printer<'_>, kind: u8, mut cursor: Cursor<'_>, length: usize) -> Printed {
    let whole = cursor;
    cursor.skip(HEADER)?;
    match kind {
        OPEN => open::print(p, &mut cursor, length - HEADER),
        UPDATE => print_update(p, &mut cursor, length - HEADER),
        NOTIFICATION => print_notification(p, &mut cursor, length - HEADER),
        KEEPALIVE => Ok(()),
        ROUTE_REFRESH => {
            cursor.need(4)?;
            if length < HEADER + 4 {
                return Ok(());
            }
            let afi = cursor.u16()?;
            cursor.skip(1)?;
            p.text("\n\t ");
            print_family(p, afi, cursor.u8()?);
            Ok(())
        }
        _ => {
            write!(p, "\n\t  no Message {kind} decoder");
            p.hex("\n\t  ", { whole }.take(length)?);
            Ok(())
        }
    }
}

/// Prints an address family as messages other than updates show it.
fn print_family(p: &mut Printer<'_>, afi: u16, safi: u8) {
    let afi_name = crate::decode::address::family_name(afi).unwrap_or("Unknown");
    let safi_name = names::subsequent_family(safi).unwrap_or("Unknown");
    write!(p, " AFI {afi_name} ({afi}), SAFI {safi_name} ({safi})");
}

/// Prints the three lists of an UPDATE; `length` are its bytes after the header.
fn print_update(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, mut length: usize) -> Printed {
    let withdrawn = read_length(cursor, &mut length)?;
    if withdrawn > 1 {
        cursor.need(withdrawn)?;
        if withdrawn > length {
            return Err(cursor.truncated());
        }
        p.text("\n\t  Withdrawn routes:");
        length -= print_routes(p, cursor, withdrawn)?;
    } else {
        cursor.skip(withdrawn)?;
        length = length.saturating_sub(withdrawn);
    }
    let attributes = read_length(cursor, &mut length)?;
    if attributes == 0 && length == 0 {
        p.text("\n\t  End-of-Rib Marker (empty NLRI)");
        return Ok(());
    }
    if attributes > 0 {
        cursor.need(attributes)?;
        if attributes > length {
            return Err(cursor.truncated());
        }
        attributes::print(p, *cursor, attributes)?;
        cursor.skip(attributes)?;
        length -= attributes;
    }
    if length > 0 {
        p.text("\n\t  Updated routes:");
        print_routes(p, cursor, length)?;
    }
    Ok(())
}

/// Reads the length of a list, which takes two of the message's `length` bytes.
fn read_length(cursor: &mut Cursor<'_>, length: &mut usize) -> Result<usize, Truncated> {
    *length = length.checked_sub(2).ok_or(cursor.truncated())?;
    cursor.u16().map(usize::from)
}

/// Prints IPv4 prefixes in `length` bytes; returns how many bytes were read.
fn print_routes(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, length: usize) -> Result<usize, Truncated> {
    let path_ids = nlri::has_path_ids(cursor.rest(), length, 32);
    let start = cursor.at();
    let end = start + length;
    while cursor.at() < end {
        let mut item = *cursor;
        let id = if path_ids { Some(item.u32()?) } else { None };
        let Some(prefix) = nlri::read_prefix4(&mut item)? else {
            p.text("\n\t    (illegal prefix length)");
            break;
        };
        if item.at() > end {
            return Err(cursor.truncated());
        }
        *cursor = item;
        write!(p, "\n\t    {prefix}");
        nlri::print_path_id(p, id);
    }
    Ok(cursor.at() - start)
}

const CEASE: u8 = 6;
const MAXIMUM_PREFIXES: u8 = 1;
const ADMINISTRATIVE_SHUTDOWN: u8 = 2;
const ADMINISTRATIVE_RESET: u8 = 4;

fn print_notification(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, length: usize) -> Printed {
    let (code, subcode) = (cursor.u8()?, cursor.u8()?);
    if length < 2 {
        return Ok(());
    }
    write!(p, ", {} ({code})", names::error(code).unwrap_or("Unknown Error"));
    let separator = match code {
        1 | 2 | 3 | CEASE => ", ",
        5 | 7 => " ",
        _ => return Ok(()),
    };
    let name = names::suberror(code, subcode).unwrap_or("Unknown");
    write!(p, "{separator}subcode {name} ({subcode})");
    let data = length - 2;
    if code == CEASE && subcode == MAXIMUM_PREFIXES && data >= 7 {
        let (afi, safi) = (cursor.u16()?, cursor.u8()?);
        p.text(",");
        print_family(p, afi, safi);
        write!(p, ", Max Prefixes: {}", cursor.u32()?);
    }
    if code == CEASE && matches!(subcode, ADMINISTRATIVE_SHUTDOWN | ADMINISTRATIVE_RESET) && data > 0 {
        print_communication(p, Cursor::new("bgp", cursor.take(data)?))?;
    }
    Ok(())
}

/// Prints the reason for a shutdown (RFC 9003) and bytes after it.
fn print_communication(p: &mut Printer<'_>, mut cursor: Cursor<'_>) -> Printed {
    let all = cursor;
    let len = usize::from(cursor.u8()?);
    if len == 0 {
        p.text(", empty Shutdown Communication");
    } else if len > cursor.rest().len() {
        p.text(", invalid Shutdown Communication length");
        cursor = all;
    } else {
        write!(p, ", Shutdown Communication (length: {len}): \"");
        p.escaped(cursor.take(len)?);
        p.text("\"");
    }
    let data = cursor.rest();
    if !data.is_empty() {
        write!(p, ", Data: (length: {})", data.len());
        p.hex("\n\t\t", data);
    }
    Ok(())
}

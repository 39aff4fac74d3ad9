//! OSPF, versions 2 (RFC 2328) and 3 (RFC 5340).

mod engineering;
mod lls;
mod lsa;
mod lsa6;
mod opaque;
mod v2;
mod v3;

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const HELLO: u8 = 1;
const DATABASE_DESCRIPTION: u8 = 2;
const REQUEST: u8 = 3;
const UPDATE: u8 = 4;
const ACKNOWLEDGEMENT: u8 = 5;

/// The authentication type whose trailer is not counted in the packet's length (RFC 2328 appendix D.3).
const CRYPTOGRAPHIC: u16 = 2;
/// Bytes of such a trailer.
const TRAILER: usize = 16;

/// Flags of database descriptions; version 2 and 3 use the others for different things.
const INIT: (u32, &str) = (0x04, "Init");
const MORE: (u32, &str) = (0x02, "More");
const MASTER: (u32, &str) = (0x01, "Master");

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, is_v6: bool, layer: Layer<'_>) -> Printed {
    if is_v6 {
        return v3::print(p, layer);
    }
    let mut cursor = layer.cursor("ospf2");
    cursor.need(16)?;
    let head = v2::Head { version: cursor.u8()?, kind: cursor.u8()?, len: cursor.u16()?.into() };
    let mut authentication = layer.skip(14).cursor("ospf2");
    let layer = match authentication.u16() {
        // tcpdump takes the trailer from what was captured, even if it was not.
        Ok(CRYPTOGRAPHIC) => {
            let captured = layer.bytes.len().saturating_sub(TRAILER);
            let bytes = layer.bytes.get(..captured).unwrap_or_default();
            Layer { bytes, len: layer.len.saturating_sub(TRAILER) }
        }
        _ => layer,
    };
    v2::print(p, &head, layer)
}

fn type_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        HELLO => "Hello",
        DATABASE_DESCRIPTION => "Database Description",
        REQUEST => "LS-Request",
        UPDATE => "LS-Update",
        ACKNOWLEDGEMENT => "LS-Ack",
        _ => return None,
    })
}

/// Prints the router and the area of a packet.
fn print_router(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    write!(p, "\n\tRouter-ID {}", Ipv4::read(cursor)?);
    match Ipv4::read(cursor)? {
        Ipv4([0, 0, 0, 0]) => p.text(", Backbone Area"),
        area => write!(p, ", Area {area}"),
    }
    Ok(())
}

/// Prints the designated routers of a hello.
fn print_designated(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let router = Ipv4::read(cursor)?;
    if router.0 != [0; 4] {
        write!(p, "\n\t  Designated Router {router}");
    }
    let backup = Ipv4::read(cursor)?;
    if backup.0 != [0; 4] {
        write!(p, ", Backup Designated Router {backup}");
    }
    Ok(())
}

/// Prints neighbors that were heard, up to `end` of the hello.
fn print_neighbors(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, end: usize) -> Printed {
    p.text("\n\t  Neighbor List:");
    while cursor.at() < end {
        write!(p, "\n\t    {}", Ipv4::read(cursor)?);
    }
    Ok(())
}

//! Virtual router redundancy, versions 2 (RFC 3768) and 3 (RFC 5798).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, ttl: u8, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("vrrp");
    let first = cursor.u8()?;
    let (version, kind) = (first >> 4, first & 15);
    write!(p, "VRRPv{version}, ");
    if kind == 1 {
        p.text("Advertisement");
    } else {
        write!(p, "unknown type ({kind})");
    }
    // The protocol requires 255, so that a router cannot be impersonated from another network.
    if ttl != 255 {
        write!(p, ", (ttl {ttl})");
    }
    if kind != 1 || !(version == 2 || version == 3) {
        return Ok(());
    }
    let (router, priority) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(1)?;
    write!(p, ", vrid {router}, prio {priority}");
    if version == 2 {
        match cursor.u8()? {
            0 => p.text(", authtype none"),
            1 => p.text(", authtype simple"),
            2 => p.text(", authtype ah"),
            other => write!(p, ", authtype #{other}"),
        }
        write!(p, ", intvl {}s, length {}", cursor.u8()?, layer.len);
    } else {
        write!(p, ", intvl {}cs, length {}", cursor.u16()? & 0xfff, layer.len);
    }
    Ok(())
}

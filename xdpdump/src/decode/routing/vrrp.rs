//! Virtual router redundancy, versions 2 (RFC 3768) and 3 (RFC 5798).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::checksum::Checksum;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::network::ip;
use crate::decode::printer::Printer;

const SIMPLE: u8 = 1;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("vrrp");
    p.text("VRRP");
    let first = cursor.u8()?;
    let (version, kind) = (first >> 4, first & 15);
    write!(p, "v{version}, ");
    if kind == 1 {
        p.text("Advertisement");
    } else {
        write!(p, "unknown type ({kind})");
    }
    // The protocol requires 255, so that a router cannot be impersonated from another network.
    if header.ttl != 255 {
        write!(p, ", (ttl {})", header.ttl);
    }
    if kind != 1 || !(version == 2 || version == 3) {
        return Ok(());
    }
    let (router, priority) = (cursor.u8()?, cursor.u8()?);
    write!(p, ", vrid {router}, prio {priority}");
    let count = cursor.u8()?;
    let mut authentication = 0;
    if version == 2 {
        authentication = cursor.u8()?;
        match authentication {
            0 => p.text(", authtype none"),
            SIMPLE => p.text(", authtype simple"),
            2 => p.text(", authtype ah"),
            other => write!(p, ", authtype #{other}"),
        }
        write!(p, ", intvl {}s, length {}", cursor.u8()?, layer.len);
    } else {
        write!(p, ", intvl {}cs, length {}", cursor.u16()? & 0xfff, layer.len);
    }
    if !p.verbose() {
        return Ok(());
    }
    let field = cursor.u16()?;
    let sum = if version == 2 {
        layer.bytes.get(..layer.len).map(|bytes| Checksum::default().add(bytes).finish())
    } else {
        header.sum(ip::VRRP, layer.bytes, layer.len)
    };
    if sum.is_some_and(|sum| sum != 0) {
        write!(p, ", (bad vrrp cksum {field:x})");
    }
    print_addresses(p, header.is_v6() && version == 3, count, &mut cursor)?;
    if authentication == SIMPLE {
        p.text(" auth \"");
        let password = cursor.take(8)?;
        p.escaped_until_nul(password);
        p.text("\"");
    }
    Ok(())
}

fn print_addresses(p: &mut Printer<'_>, is_v6: bool, count: u8, cursor: &mut Cursor<'_>) -> Printed {
    p.text(", addrs");
    if count > 1 {
        write!(p, "({count})");
    }
    p.text(":");
    for i in 0..count {
        cursor.need(if is_v6 { 16 } else { 4 })?;
        p.text(if i == 0 { " " } else { "," });
        if is_v6 {
            write!(p, "{}", Ipv6::read(cursor)?);
        } else {
            write!(p, "{}", Ipv4::read(cursor)?);
        }
    }
    Ok(())
}

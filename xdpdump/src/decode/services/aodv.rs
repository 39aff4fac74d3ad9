//! Ad hoc on-demand distance vector routing (RFC 3561, and a draft for IPv6).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, v6: bool, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cut_to(layer.len).cursor("aodv");
    let kind = layer.cursor("aodv").u8()?;
    cursor.skip(1)?;
    p.text(" aodv");
    match kind {
        // The draft for IPv6 has numbers of its own.
        1 | 16 => print_request(p, &mut cursor, v6 || kind == 16, layer.len),
        2 | 17 => print_reply(p, &mut cursor, v6 || kind == 17, layer.len),
        3 | 18 => print_error(p, &mut cursor, v6 || kind == 18, layer.len),
        4 => {
            write!(p, " rrep-ack {}", layer.len);
            Ok(())
        }
        _ => {
            write!(p, " type {kind} {}", layer.len);
            Ok(())
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

fn print_request(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, v6: bool, len: usize) -> Printed {
    cursor.need(if v6 { 47 } else { 23 })?;
    cursor.skip(2)?;
    let hops = cursor.u8()?;
    write!(p, " rreq {len}  hops {hops} id 0x{:08x}\n\tdst ", cursor.u32()?);
    print_sequenced(p, cursor, v6, "seq", " src ")?;
    print_sequenced(p, cursor, v6, "seq", "")?;
    print_extension(p, cursor, len)
}

fn print_sequenced(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    v6: bool,
    name: &str,
    after: &str,
) -> Printed {
    print_address(p, cursor, v6)?;
    write!(p, " {name} {}{after}", cursor.u32()?);
    Ok(())
}

fn print_reply(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, v6: bool, len: usize) -> Printed {
    cursor.need(if v6 { 43 } else { 19 })?;
    cursor.skip(1)?;
    let (prefix, hops) = (cursor.u8()?, cursor.u8()?);
    write!(p, " rrep {len}  prefix {} hops {hops}\n\tdst ", prefix & 0x1f);
    print_sequenced(p, cursor, v6, "dseq", " src ")?;
    print_address(p, cursor, v6)?;
    write!(p, " {} ms", cursor.u32()?);
    print_extension(p, cursor, len)
}

fn print_error(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, v6: bool, len: usize) -> Printed {
    let flags = cursor.u8()?;
    cursor.skip(1)?;
    let count = cursor.u8()?;
    write!(p, " rerr {} [items {count}] [{len}]:", if flags & 0x80 != 0 { "[D]" } else { "" });
    for _ in 0..count {
        cursor.need(if v6 { 20 } else { 8 })?;
        p.text(" {");
        print_address(p, cursor, v6)?;
        write!(p, "}}({})", cursor.u32()?);
    }
    Ok(())
}

fn print_extension(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    if cursor.at() >= len {
        return Ok(());
    }
    let (kind, len) = (cursor.u8()?, cursor.u8()?);
    if kind != 1 {
        write!(p, "\n\text {kind} {len}");
        return Ok(());
    }
    p.text("\n\text HELLO ");
    if len < 4 {
        write!(p, "- bad length {len}");
        return Err(Truncated("aodv"));
    }
    write!(p, "{} ms", cursor.u32()?);
    Ok(())
}

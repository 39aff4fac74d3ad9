//! Protocol independent multicast, version 1, which was carried in IGMP messages.

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::ipv4;
use crate::decode::printer::Printer;
use crate::decode::routing::duration::Seconds;

const HEADER: usize = 8;

/// Prints a message, which begins with its IGMP header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let cursor = layer.cursor("pimv1");
    let mut header = cursor;
    header.skip(1)?;
    let kind = header.u8()?;
    match kind {
        0 => p.text(" Query"),
        1 => p.text(" Register"),
        2 => p.text(" Register-Stop"),
        3 => p.text(" Join/Prune"),
        4 => p.text(" RP-reachable"),
        5 => p.text(" Assert"),
        6 => p.text(" Graft"),
        7 => p.text(" Graft-ACK"),
        _ => write!(p, " [type {kind}]"),
    }
    let mut body = cursor;
    body.skip(HEADER)?;
    match kind {
        0 => print_query(p, body)?,
        1 => {
            body.need(20)?;
            p.nested(|p| ipv4::print(p, layer.skip(HEADER)))?;
        }
        2 => write!(p, " for {} > {}", Ipv4::read(&mut body)?, Ipv4::read(&mut body)?),
        3 | 6 | 7 if p.verbose() => print_groups(p, body)?,
        4 if p.verbose() => {
            write!(p, " group {}", Ipv4::read(&mut body)?);
            print_mask(p, &mut body)?;
            write!(p, " RP {} hold ", Ipv4::read(&mut body)?);
            body.skip(2)?;
            write!(p, "{}", Seconds(body.u16()?.into()));
        }
        5 => {
            let group = Ipv4::read(&mut body)?;
            let mut mask = body;
            body.skip(4)?;
            write!(p, " for {} > {group}", Ipv4::read(&mut body)?);
            print_mask(p, &mut mask)?;
            let preference = body.u32()?;
            let tree = if preference & 0x8000_0000 == 0 { "SPT" } else { "RP-tree" };
            write!(p, " {tree} pref {} metric {}", preference & 0x7fff_ffff, body.u32()?);
        }
        _ => {}
    }
    let mut version = cursor;
    version.skip(4)?;
    match version.u8()? >> 4 {
        1 => {}
        version => write!(p, " [v{version}]"),
    }
    Ok(())
}

fn print_query(p: &mut Printer<'_>, mut body: Cursor<'_>) -> Printed {
    if let Ok(mode) = { body }.u8() {
        match mode >> 4 {
            0 => p.text(" Dense-mode"),
            1 => p.text(" Sparse-mode"),
            2 => p.text(" Sparse-Dense-mode"),
            mode => write!(p, " mode-{mode}"),
        }
    }
    if p.verbose() {
        p.text(" (Hold-time ");
        body.skip(2)?;
        write!(p, "{})", Seconds(body.u16()?.into()));
    }
    Ok(())
}

fn print_mask(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let mask = Ipv4::read(cursor)?;
    if mask.0 != [0xff; 4] {
        write!(p, "/{mask}");
    }
    Ok(())
}

/// Prints the neighbor that is asked; a single source is shown in the same line.
fn print_groups(p: &mut Printer<'_>, mut body: Cursor<'_>) -> Printed {
    let neighbor = Ipv4::read(&mut body)?;
    body.skip(2)?;
    let hold = Seconds(body.u16()?.into());
    body.skip(3)?;
    let groups = body.u8()?;
    let mut fields = || {
        let group = Ipv4::read(&mut body)?;
        let mask = Ipv4::read(&mut body)?;
        let (joined, pruned) = (body.u16()?, body.u16()?);
        let (flags, bits) = (body.u8()?, body.u8()?);
        Ok::<_, Truncated>((group, mask, [joined, pruned], flags, bits, Ipv4::read(&mut body)?))
    };
    let (group, mask, counts, flags, bits, source) = match fields() {
        Ok(fields) if groups == 1 && matches!(fields.2, [1, 0] | [0, 1]) => fields,
        _ => {
            write!(p, " Upstream Nbr: {neighbor} Hold time: {hold}");
            return Ok(());
        }
    };
    let what = if counts == [1, 0] { "Join" } else { "Prune" };
    write!(p, " RPF {neighbor} Hold {hold}{what} ({source}/{bits}, {group}");
    if mask.0 != [0xff; 4] {
        write!(p, "/{mask}");
    }
    p.text(")");
    p.text(if flags & 1 != 0 { " Sparse" } else { " Dense" });
    p.text(" SPT");
    Ok(())
}

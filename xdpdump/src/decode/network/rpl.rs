//! Routing for low-power and lossy networks (RFC 6550); the fields are shown with `-v`, the options with `-vv`.

use crate::decode::address::Ipv6;
use crate::decode::cursor::{Cursor, Element, Field, Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const RPL: u8 = 155;

const SECURE: u8 = 0x80;
const PAD1: u8 = 0;
const OPTION: Element = Element { field: Field::Byte, counts_header: false };
/// Bytes of an information object before its options.
const OBJECT: usize = 24;

/// Prints a message; `layer` begins with its ICMPv6 header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("RPL, ");
    let code = layer.skip(1).cursor("icmp6").u8()?;
    if code & SECURE != 0 {
        p.text("(SEC) [worktodo]");
        return Ok(());
    }
    p.text("(CLR)");
    let body = layer.skip(4);
    match code {
        0 => {
            p.text("DODAG Information Solicitation");
            Ok(())
        }
        1 => {
            p.text("DODAG Information Object");
            if p.verbose() { print_object(p, body) } else { Ok(()) }
        }
        2 => {
            p.text("Destination Advertisement Object");
            if p.verbose() { print_destination(p, body) } else { Ok(()) }
        }
        3 => {
            p.text("Destination Advertisement Object Ack");
            if p.verbose() { print_acknowledgment(p, body) } else { Ok(()) }
        }
        _ => {
            write!(p, "RPL message, unknown code {code}");
            Ok(())
        }
    }
}

fn print_object(p: &mut Printer<'_>, body: Layer<'_>) -> Printed {
    if body.len < OBJECT {
        write!(p, " [length {} < {OBJECT}]", body.len);
        return p.invalid(body, "icmp6");
    }
    let mut cursor = body.cursor("icmp6");
    cursor.need(OBJECT)?;
    let instance = cursor.u8()?;
    cursor.skip(1)?;
    let rank = cursor.u16()?;
    let mode = cursor.u8()?;
    let sequence = cursor.u8()?;
    cursor.skip(2)?;
    write!(p, " [dagid:{},seq:{sequence},instance:{instance},rank:{rank},", Ipv6::read(&mut cursor)?);
    if mode & 0x80 != 0 {
        p.text("grounded,");
    }
    match mode >> 3 & 7 {
        0 => p.text("mop:nonstoring"),
        1 => p.text("mop:storing"),
        2 => p.text("mop:nonstoring-multicast"),
        3 => p.text("mop:storing-multicast"),
        other => write!(p, "mop:mop{other}"),
    }
    write!(p, ",prf:{}]", mode & 7);
    print_options(p, body.skip(OBJECT))
}

/// Prints the identifier of the graph if the message has it.
fn print_graph(p: &mut Printer<'_>, present: bool, cursor: &mut Cursor<'_>) -> Printed {
    p.text(" [dagid:");
    if present {
        write!(p, "{}", Ipv6::read(cursor)?);
    } else {
        p.text("<elided>");
    }
    Ok(())
}

fn print_destination(p: &mut Printer<'_>, body: Layer<'_>) -> Printed {
    let mut cursor = body.cursor("icmp6");
    cursor.need(4)?;
    let (instance, flags) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(1)?;
    let sequence = cursor.u8()?;
    let graph = flags & 0x40 != 0;
    if graph && body.len < 20 {
        p.text(" [|dao-length too short]");
        return Ok(());
    }
    if graph {
        cursor.need(16)?;
    }
    print_graph(p, graph, &mut cursor)?;
    write!(p, ",seq:{sequence},instance:{instance}");
    if flags & 0x80 != 0 {
        p.text(",acK");
    }
    if graph {
        p.text(",Dagid");
    }
    write!(p, ",{flags:02x}]");
    print_options(p, body.skip(cursor.at()))
}

fn print_acknowledgment(p: &mut Printer<'_>, body: Layer<'_>) -> Printed {
    let mut cursor = body.cursor("icmp6");
    cursor.need(4)?;
    let (instance, flags) = (cursor.u8()?, cursor.u8()?);
    let (sequence, status) = (cursor.u8()?, cursor.u8()?);
    let graph = flags & 0x80 != 0;
    if graph && body.len < 20 {
        p.text(" [|dao-length too short]");
        return Ok(());
    }
    if graph {
        cursor.need(16)?;
    }
    print_graph(p, graph, &mut cursor)?;
    write!(p, ",seq:{sequence},instance:{instance},status:{status}]");
    print_options(p, body.skip(cursor.at()))
}

fn print_options(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if p.style.verbosity < 2 {
        return Ok(());
    }
    let mut cursor = layer.cursor("icmp6");
    while cursor.at() < layer.len {
        let (kind, len) = if cursor.rest().first() == Some(&PAD1) {
            // The first kind of padding has no length.
            (cursor.u8()?.into(), 1)
        } else {
            let (kind, value) = cursor.element(OPTION)?;
            (kind, value.rest().len() + 2)
        };
        match option_name(kind) {
            Some(name) => write!(p, " opt:{name} len:{len} "),
            None => write!(p, " opt:subopt:{kind} len:{len} "),
        }
    }
    Ok(())
}

fn option_name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        0 => "pad1",
        1 => "padN",
        2 => "metrics",
        3 => "routinginfo",
        4 => "config",
        5 => "rpltarget",
        6 => "transitinfo",
        8 => "destprefix",
        9 => "rpltargetdesc",
        _ => return None,
    })
}

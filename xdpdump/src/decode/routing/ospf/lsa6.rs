//! Link state advertisements of OSPF version 3 (RFC 5340 appendix A.4).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::ospf::{lsa, opaque};

/// The option that announces link-local signaling.
pub(super) const SIGNALING: u32 = 0x0200;

const OPTIONS: [(u32, &str); 9] = [
    (0x0001, "V6"),
    (0x0002, "External"),
    (0x0004, "Deprecated"),
    (0x0008, "NSSA"),
    (0x0010, "Router"),
    (0x0020, "Demand Circuit"),
    (0x0100, "AFs Support"),
    (SIGNALING, "LLS"),
    (0x0400, "Authentication Trailer"),
];

const ROUTER_FLAGS: [(u32, &str); 5] = [
    (0x01, "ABR"),
    (0x02, "External"),
    (0x04, "Virtual-Link Endpoint"),
    (0x08, "Deprecated"),
    (0x10, "NSSA Translator"),
];

const FORWARDING: u32 = 0x0200_0000;
const TAG: u32 = 0x0100_0000;
const EXTERNAL_FLAGS: [(u32, &str); 2] = [(FORWARDING, "Forwarding"), (TAG, "Tag")];

const PREFIX_OPTIONS: [(u32, &str); 6] = [
    (0x01, "No Unicast"),
    (0x02, "Local address"),
    (0x04, "Deprecated"),
    (0x08, "Propagate"),
    (0x10, "Down"),
    (0x20, "N-bit"),
];

/// Prints the three bytes of options, if they were captured, after `before`; returns them.
pub(super) fn print_options(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    before: &str,
) -> Result<u32, Truncated> {
    let options = cursor.u24()?;
    write!(p, "{before}Options [");
    p.flags(options, &OPTIONS, ", ");
    p.text("]");
    Ok(options)
}

/// Prints type, scope and identifier of an advertisement.
pub(super) fn print_type(p: &mut Printer<'_>, kind: u16, id: Ipv4) {
    let number = kind & 0x1fff;
    let name = match number {
        1 => "Router",
        2 => "Network",
        3 => "Inter-Area Prefix",
        4 => "Inter-Area Router",
        5 => "External",
        6 => "Deprecated",
        7 => "NSSA",
        8 => "Link",
        9 => "Intra-Area Prefix",
        10 => "Intra-Area TE",
        11 => "Grace",
        12 => "Router Information",
        _ => "Unknown",
    };
    let scope = match kind & 0x6000 {
        0 => "Link Local",
        0x2000 => "Area Local",
        0x4000 => "Domain Wide",
        _ => "Unknown",
    };
    let transitive = if kind & 0x8000 == 0 { "" } else { ", transitive" };
    write!(p, "\n\t    {name} LSA ({number}), {scope} Scope{transitive}, LSA-ID {id}");
}

/// Prints the header of an advertisement; returns its type and the bytes after the header, `None` if there are fewer than
/// a header's.
pub(super) fn print_header(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
) -> Result<(u16, Option<usize>), Truncated> {
    cursor.need(lsa::HEADER)?;
    let (age, kind) = (cursor.u16()?, cursor.u16()?);
    let (id, router) = (Ipv4::read(cursor)?, Ipv4::read(cursor)?);
    let sequence = cursor.u32()?;
    cursor.skip(2)?;
    let length = usize::from(cursor.u16()?);
    // tcpdump prints a negative length as a large one.
    let len = (length as u64).wrapping_sub(lsa::HEADER as u64);
    write!(p, "\n\t  Advertising Router {router}, seq 0x{sequence:08x}, age {age}s, length {len}");
    print_type(p, kind, id);
    Ok((kind, length.checked_sub(lsa::HEADER)))
}

/// Prints an advertisement.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let (kind, len) = print_header(p, cursor)?;
    let len = len.ok_or(cursor.truncated())?;
    let mut body = Cursor::new("ospf3", cursor.take(len)?);
    match kind {
        0x2001 => print_links(p, &mut body),
        0x2002 => {
            body.skip(1)?;
            print_options(p, &mut body, "\n\t      ")?;
            p.text("\n\t      Connected Routers:");
            while !body.rest().is_empty() {
                write!(p, "\n\t\t{}", Ipv4::read(&mut body)?);
            }
            Ok(())
        }
        0x2003 => {
            write!(p, ", metric {}", body.u32()? & 0xff_ffff);
            while !body.rest().is_empty() {
                print_prefix(p, &mut body)?;
            }
            Ok(())
        }
        0x4005 => print_external(p, &mut body),
        0x0008 => {
            let priority = body.u8()?;
            print_options(p, &mut body, "\n\t      ")?;
            let address = Ipv6::read(&mut body)?;
            let count = body.u32()?;
            write!(p, "\n\t      Priority {priority}, Link-local address {address}, Prefixes {count}:");
            print_prefixes(p, &mut body, count)
        }
        0x2009 => {
            let count = u32::from(body.u16()?);
            let kind = body.u16()?;
            let id = Ipv4::read(&mut body)?;
            body.skip(4)?;
            print_type(p, kind, id);
            write!(p, "\n\t      Prefixes {count}:");
            print_prefixes(p, &mut body, count)
        }
        0x000b => opaque::print_grace(p, body, len).map(|_| ()),
        _ => {
            p.hex("\n\t      ", body.rest());
            Ok(())
        }
    }
}

fn print_links(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Printed {
    body.need(4)?;
    let flags = body.u8()?;
    print_options(p, body, "\n\t      ")?;
    p.text(", RLA-Flags [");
    p.flags(u32::from(flags), &ROUTER_FLAGS, ", ");
    p.text("]");
    while !body.rest().is_empty() {
        body.need(16)?;
        let kind = body.u8()?;
        body.skip(1)?;
        let metric = body.u16()?;
        let (interface, theirs) = (Ipv4::read(body)?, Ipv4::read(body)?);
        let neighbor = Ipv4::read(body)?;
        p.text("\n\t      ");
        match kind {
            1 => write!(p, "Neighbor Router-ID {neighbor}"),
            2 => write!(p, "Neighbor Network-ID {neighbor}"),
            4 => write!(p, "Virtual Link: Neighbor Router-ID {neighbor}"),
            _ => {
                write!(p, "Unknown Router Links Type 0x{kind:02x}");
                return Ok(());
            }
        }
        write!(p, "\n\t      Neighbor Interface-ID {theirs}, Interface {interface}, metric {metric}");
    }
    Ok(())
}

fn print_external(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Printed {
    let field = body.u32()?;
    p.text("\n\t     Flags [");
    p.flags(field, &EXTERNAL_FLAGS, ", ");
    write!(p, "] metric {}", field & 0xff_ffff);
    let referenced = print_prefix(p, body)?;
    if field & FORWARDING != 0 {
        write!(p, " forward {}", Ipv6::read(body)?);
    }
    if field & TAG != 0 {
        write!(p, " tag {}", Ipv4::read(body)?);
    }
    if referenced != 0 {
        write!(p, " RefLSID: {}", Ipv4::read(body)?);
    }
    Ok(())
}

fn print_prefixes(p: &mut Printer<'_>, body: &mut Cursor<'_>, count: u32) -> Printed {
    for _ in 0..count {
        print_prefix(p, body)?;
    }
    Ok(())
}

/// Prints a prefix; returns the field after its options, which is a metric or a type, depending on the advertisement.
fn print_prefix(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Result<u16, Truncated> {
    body.need(4)?;
    let (bits, options) = (body.u8()?, body.u8()?);
    let field = body.u16()?;
    let len = usize::from(bits).div_ceil(32) * 4;
    let mut address = [0; 16];
    if len > address.len() {
        write!(p, " bogus prefixlen /{bits}");
        return Err(body.truncated());
    }
    for (to, from) in address.iter_mut().zip(body.take(len)?) {
        *to = *from;
    }
    write!(p, "\n\t\t{}/{bits}", Ipv6(address));
    if options != 0 {
        p.text(", Options [");
        p.flags(u32::from(options), &PREFIX_OPTIONS, ", ");
        p.text("]");
    }
    write!(p, ", metric {field}");
    Ok(field)
}

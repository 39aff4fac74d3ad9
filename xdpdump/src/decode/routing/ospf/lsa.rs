//! Link state advertisements of OSPF version 2 (RFC 2328 appendix A.4, RFC 3101, RFC 1584, RFC 4915).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::ospf::opaque;
use crate::decode::routing::ospf::v2::OPTIONS;

/// Bytes of an advertisement's header.
pub(super) const HEADER: usize = 20;

const ROUTER: u8 = 1;
const NETWORK: u8 = 2;
const SUMMARY: u8 = 3;
const BORDER_SUMMARY: u8 = 4;
const EXTERNAL: u8 = 5;
const MULTICAST_GROUP: u8 = 6;
const NSSA: u8 = 7;

const ROUTER_FLAGS: [(u32, &str); 6] =
    [(0x01, "ABR"), (0x02, "ASBR"), (0x04, "Virtual"), (0x08, "Wildcard"), (0x10, "Nt"), (0x80, "Host")];

pub(super) fn name(kind: u8) -> &'static str {
    match kind {
        ROUTER => "Router",
        NETWORK => "Network",
        SUMMARY => "Summary",
        BORDER_SUMMARY => "ASBR Summary",
        EXTERNAL => "External",
        MULTICAST_GROUP => "Multicast Group",
        NSSA => "NSSA",
        9 => "Link Local Opaque",
        10 => "Area Local Opaque",
        11 => "Domain Wide Opaque",
        _ => "unknown",
    }
}

/// The fields of a header that tell what follows.
pub(super) struct Header {
    kind: u8,
    id: Ipv4,
    /// Bytes after the header.
    len: usize,
}

/// Prints the header of an advertisement.
pub(super) fn print_header(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<Header, Truncated> {
    cursor.need(HEADER)?;
    let age = cursor.u16()?;
    let (options, kind) = (cursor.u8()?, cursor.u8()?);
    let (id, router) = (Ipv4::read(cursor)?, Ipv4::read(cursor)?);
    let sequence = cursor.u32()?;
    cursor.skip(2)?;
    let length = usize::from(cursor.u16()?);
    let Some(len) = length.checked_sub(HEADER) else {
        write!(p, "\n\t    Bogus length {length} < header ({HEADER})");
        return Err(cursor.truncated());
    };
    write!(p, "\n\t  Advertising Router {router}, seq 0x{sequence:08x}, age {age}s, length {len}");
    write!(p, "\n\t    {} LSA ({kind})", name(kind));
    if opaque::is_opaque(kind) {
        let (kind, id) = opaque::split(id);
        write!(p, ", Opaque-Type {} LSA ({kind}), Opaque-ID {id}", opaque::name(kind));
    } else {
        write!(p, ", LSA-ID: {id}");
    }
    p.text("\n\t    Options: [");
    p.flags(u32::from(options), &OPTIONS, ", ");
    p.text("]");
    Ok(Header { kind, id, len })
}

/// Prints an advertisement.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let header = print_header(p, cursor)?;
    let whole = print_body(p, &header, *cursor)?;
    if whole && p.style.verbosity > 1 {
        p.hex("\n\t    ", { *cursor }.take(header.len)?);
    }
    // If it was cut, the header of the next one is missing too.
    cursor.skip_to_end(header.len)
}

/// Prints what follows the header; whether all of it was understood. Fields at the end may lie beyond the advertisement.
fn print_body(p: &mut Printer<'_>, header: &Header, mut cursor: Cursor<'_>) -> Result<bool, Truncated> {
    let end = cursor.at() + header.len;
    match header.kind {
        ROUTER => return print_links(p, &mut cursor),
        NETWORK => {
            write!(p, "\n\t    Mask {}", Ipv4::read(&mut cursor)?);
            p.text("\n\t    Connected Routers:");
            while cursor.at() < end {
                write!(p, "\n\t      {}", Ipv4::read(&mut cursor)?);
            }
        }
        SUMMARY | BORDER_SUMMARY => {
            let mask = Ipv4::read(&mut cursor)?;
            if header.kind == SUMMARY {
                write!(p, "\n\t    Mask {mask}");
            }
            while cursor.at() < end {
                let field = cursor.u32()?;
                p.text("\n\t\t");
                print_topology(p, (field >> 24) as u8 & 0x7f);
                write!(p, " metric {}", field & 0xff_ffff);
            }
        }
        EXTERNAL | NSSA => {
            write!(p, "\n\t    Mask {}", Ipv4::read(&mut cursor)?);
            while cursor.at() < end {
                print_external(p, &mut cursor)?;
            }
        }
        MULTICAST_GROUP => {
            while cursor.at() < end {
                let kind = cursor.u32()?;
                match kind {
                    1 => write!(p, "\n\t    Router Router-ID {}", Ipv4::read(&mut cursor)?),
                    2 => write!(p, "\n\t    Network Designated Router {}", Ipv4::read(&mut cursor)?),
                    _ => {
                        write!(p, "\n\t    unknown VertexType ({kind})");
                        return Ok(false);
                    }
                }
            }
        }
        kind if opaque::is_opaque(kind) => {
            let (kind, _) = opaque::split(header.id);
            return opaque::print(p, kind, cursor, header.len);
        }
        _ => {}
    }
    Ok(true)
}

fn print_topology(p: &mut Printer<'_>, topology: u8) {
    let name = match topology {
        0 => "default",
        1 => "multicast",
        2 => "management",
        _ => "Unknown",
    };
    write!(p, "topology {name} ({topology})");
}

/// Prints the links of a router.
fn print_links(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<bool, Truncated> {
    let flags = cursor.u8()?;
    p.text("\n\t    Router LSA Options: [");
    p.flags(u32::from(flags), &ROUTER_FLAGS, ", ");
    p.text("]");
    // tcpdump requires the space of a link even if there is none.
    cursor.need(15)?;
    cursor.skip(1)?;
    let count = cursor.u16()?;
    for _ in 0..count {
        cursor.need(12)?;
        let (id, data) = (Ipv4::read(cursor)?, Ipv4::read(cursor)?);
        let kind = cursor.u8()?;
        p.text("\n\t      ");
        match kind {
            1 => write!(p, "Neighbor Router-ID: {id}, Interface Address: {data}"),
            2 => write!(p, "Neighbor Network-ID: {id}, Interface Address: {data}"),
            3 => write!(p, "Stub Network: {id}, Mask: {data}"),
            4 => write!(p, "Virtual Link: Neighbor Router-ID: {id}, Interface Address: {data}"),
            _ => {
                write!(p, "Unknown Router Link Type ({kind})");
                return Ok(false);
            }
        }
        let topologies = cursor.u8()?;
        p.text("\n\t\t");
        print_topology(p, 0);
        write!(p, ", metric {}", cursor.u16()?);
        for _ in 0..topologies {
            let topology = cursor.u8()?;
            cursor.skip(1)?;
            let metric = cursor.u16()?;
            p.text("\n\t\t");
            print_topology(p, topology);
            write!(p, ", metric {metric}");
        }
    }
    Ok(true)
}

fn print_external(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    /// A destination that became unreachable.
    const INFINITE: u32 = 0xff_ffff;
    let field = cursor.u32()?;
    p.text("\n\t\t");
    print_topology(p, (field >> 24) as u8 & 0x7f);
    let kind = if field & 0x8000_0000 == 0 { 1 } else { 2 };
    write!(p, ", type {kind}, metric");
    match field & 0xff_ffff {
        INFINITE => p.text(" infinite"),
        metric => write!(p, " {metric}"),
    }
    let forward = Ipv4::read(cursor)?;
    if forward.0 != [0; 4] {
        write!(p, ", forward {forward}");
    }
    let tag = Ipv4::read(cursor)?;
    if tag.0 != [0; 4] {
        write!(p, ", tag {tag}");
    }
    Ok(())
}

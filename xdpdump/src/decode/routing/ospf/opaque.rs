//! Opaque link state advertisements (RFC 5250): graceful restart (RFC 3623) and router information (RFC 7770).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::ospf::engineering;

const ENGINEERING: u8 = 1;
const GRACE: u8 = 3;
const ROUTER_INFORMATION: u8 = 4;

/// Whether an advertisement of this type is opaque.
pub(super) fn is_opaque(kind: u8) -> bool {
    (9..=11).contains(&kind)
}

/// The opaque type and the identifier, which share a field.
pub(super) fn split(id: Ipv4) -> (u8, u32) {
    let [kind, a, b, c] = id.0;
    (kind, u32::from_be_bytes([0, a, b, c]))
}

pub(super) fn name(kind: u8) -> &'static str {
    match kind {
        ENGINEERING => "Traffic Engineering",
        GRACE => "Graceful restart",
        ROUTER_INFORMATION => "Router Information",
        _ => "unknown",
    }
}

/// Prints the data of an advertisement; whether all of it was understood.
pub(super) fn print(
    p: &mut Printer<'_>,
    kind: u8,
    mut cursor: Cursor<'_>,
    len: usize,
) -> Result<bool, Truncated> {
    match kind {
        ENGINEERING => engineering::print(p, cursor, len),
        GRACE => print_grace(p, cursor, len),
        ROUTER_INFORMATION => print_router_information(p, cursor, len),
        _ => {
            if p.style.verbosity <= 1 {
                p.hex("\n\t    ", cursor.take(len)?);
            }
            Ok(true)
        }
    }
}

/// Reads type and length of an element, if `left` bytes have space for them.
pub(super) fn read_element(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    left: usize,
) -> Result<Option<(u16, usize)>, Truncated> {
    if cursor.need(4).is_err() {
        return Ok(None);
    }
    if left < 4 {
        write!(p, "\n\t    Remaining LS length {left} < 4");
        return Ok(None);
    }
    Ok(Some((cursor.u16()?, usize::from(cursor.u16()?))))
}

/// Prints the reason and the duration of a restart; whether all of it was understood.
pub(super) fn print_grace(
    p: &mut Printer<'_>,
    mut cursor: Cursor<'_>,
    len: usize,
) -> Result<bool, Truncated> {
    let end = cursor.at() + len;
    while cursor.at() < end {
        let left = end - cursor.at();
        let Some((kind, len)) = read_element(p, &mut cursor, left)? else { return Ok(false) };
        let name = match kind {
            1 => "Grace Period",
            2 => "Graceful restart Reason",
            3 => "IPv4 interface address",
            _ => "unknown",
        };
        write!(p, "\n\t    {name} TLV ({kind}), length {len}, value: ");
        let left = end - cursor.at();
        if len > left {
            write!(p, "\n\t    Bogus length {len} > {left}");
            return Ok(false);
        }
        if kind == 0 || len == 0 {
            return Ok(false);
        }
        let required = match kind {
            1 | 3 => 4,
            2 => 1,
            _ => len,
        };
        if len != required {
            write!(p, "\n\t    Bogus length {len} != {required}");
            return Ok(false);
        }
        let mut value = cursor;
        match kind {
            1 => write!(p, "{}s", value.u32()?),
            2 => {
                let reason = value.u8()?;
                let name = match reason {
                    1 => "Software Restart",
                    2 => "Software Reload/Upgrade",
                    3 => "Control Processor Switch",
                    _ => "Unknown",
                };
                write!(p, "{name} ({reason})");
            }
            3 => write!(p, "{}", Ipv4::read(&mut value)?),
            _ if p.style.verbosity <= 1 => p.hex("\n\t      ", value.take(len)?),
            _ => {}
        }
        cursor.skip(len.next_multiple_of(4))?;
    }
    Ok(true)
}

const CAPABILITIES: [(u32, &str); 10] = [
    (0x001, "Reserved"),
    (0x002, "Reserved"),
    (0x004, "Reserved"),
    (0x008, "Reserved"),
    (0x010, "graceful restart capable"),
    (0x020, "graceful restart helper"),
    (0x040, "Stub router support"),
    (0x080, "Traffic engineering"),
    (0x100, "p2p over LAN"),
    (0x200, "path computation server"),
];

fn print_router_information(
    p: &mut Printer<'_>,
    mut cursor: Cursor<'_>,
    len: usize,
) -> Result<bool, Truncated> {
    let end = cursor.at() + len;
    while cursor.at() < end {
        let left = end - cursor.at();
        let Some((kind, len)) = read_element(p, &mut cursor, left)? else { return Ok(false) };
        let name = if kind == 1 { "Router Capabilities" } else { "unknown" };
        write!(p, "\n\t    {name} TLV ({kind}), length: {len}, value: ");
        let left = end - cursor.at();
        if len > left {
            write!(p, "\n\t    Bogus length {len} > remaining LS length {left}");
            return Ok(false);
        }
        let value = cursor.take(len)?;
        if kind != 1 {
            if p.style.verbosity <= 1 {
                p.hex("\n\t      ", value);
            }
            continue;
        }
        if len != 4 {
            write!(p, "\n\t    Bogus length {len} != 4");
            return Ok(false);
        }
        p.text("Capabilities: ");
        let bits = Cursor::new("ospf2", value).u32()?;
        p.flags_or(bits, &CAPABILITIES, ", ", "Unknown");
    }
    Ok(true)
}

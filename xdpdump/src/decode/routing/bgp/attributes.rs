//! Path attributes of an UPDATE (RFC 4271 §4.3 and the RFCs that added more).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::bgp::{communities, names, reach};

const ORIGIN: u8 = 1;
const AS_PATH: u8 = 2;
const NEXT_HOP: u8 = 3;
const MULTI_EXIT: u8 = 4;
const LOCAL_PREFERENCE: u8 = 5;
const ATOMIC_AGGREGATE: u8 = 6;
const AGGREGATOR: u8 = 7;
const COMMUNITY: u8 = 8;
const ORIGINATOR: u8 = 9;
const CLUSTERS: u8 = 10;
const REACH: u8 = 14;
const UNREACH: u8 = 15;
const EXTENDED_COMMUNITY: u8 = 16;
const AS4_PATH: u8 = 17;
const AGGREGATOR4: u8 = 18;
const PMSI_TUNNEL: u8 = 22;
const AIGP: u8 = 26;
const LARGE_COMMUNITY: u8 = 32;
const ATTRIBUTE_SET: u8 = 128;

const EXTENDED_LENGTH: u8 = 0x10;
/// Attribute sets inside attribute sets that are followed.
const MAX_LEVEL: u8 = 10;

/// Prints the attributes in `len` bytes.
pub(super) fn print(p: &mut Printer<'_>, cursor: Cursor<'_>, len: usize) -> Printed {
    print_list(p, cursor, len, 0).map(|_| ())
}

/// Prints attributes; those of an attribute set are indented (`level` above 0). Returns the number of bytes that were left.
fn print_list(
    p: &mut Printer<'_>,
    mut cursor: Cursor<'_>,
    len: usize,
    level: u8,
) -> Result<usize, Truncated> {
    let end = cursor.at() + len;
    let (indent, too_short) = match level {
        0 => ("\n\t  ", " [path attrs too short]"),
        _ => ("\n\t      ", " [path attr too short]"),
    };
    while cursor.at() < end {
        let mut header = cursor;
        let (flags, kind) = (header.u8()?, header.u8()?);
        let len =
            if flags & EXTENDED_LENGTH == 0 { usize::from(header.u8()?) } else { usize::from(header.u16()?) };
        if header.at() > end {
            p.text(if level == 0 { "\n\t  [path attrs too short]" } else { too_short });
            return Ok(end.saturating_sub(cursor.at()));
        }
        cursor = header;
        let name = names::attribute(kind).unwrap_or("Unknown Attribute");
        write!(p, "{indent}{name} ({kind}), length: {len}");
        print_flags(p, flags, level);
        if cursor.at() + len > end {
            p.text(too_short);
            return Ok(end - cursor.at());
        }
        let undecoded = print_value(p, kind, cursor, len, level)?;
        let value = cursor.take(len)?;
        if p.style.verbosity > 1
            && let Some(undecoded @ [_, ..]) = value.get(..undecoded)
        {
            p.hex("\n\t    ", undecoded);
        }
    }
    Ok(0)
}

/// Optional, transitive, partial, extended length (RFC 4271 §4.3).
fn print_flags(p: &mut Printer<'_>, flags: u8, level: u8) {
    if flags == 0 {
        // tcpdump leaves the colon out with the flags.
        p.text(if level == 0 { "" } else { ": " });
        return;
    }
    p.text(", Flags [");
    for (bit, letter) in [(0x80, "O"), (0x40, "T"), (0x20, "P"), (EXTENDED_LENGTH, "E")] {
        if flags & bit != 0 {
            p.text(letter);
        }
    }
    if flags & 0xf != 0 {
        write!(p, "+{:x}", flags & 0xf);
    }
    p.text("]: ");
}

/// Whether a value can have this length.
fn is_valid_length(kind: u8, len: usize) -> bool {
    match kind {
        ORIGIN => len == 1,
        AS_PATH | AS4_PATH => len.is_multiple_of(2),
        NEXT_HOP | MULTI_EXIT | LOCAL_PREFERENCE | ORIGINATOR => len == 4,
        ATOMIC_AGGREGATE => len == 0,
        AGGREGATOR => len == 6 || len == 8,
        AGGREGATOR4 => len == 8,
        COMMUNITY | CLUSTERS => len.is_multiple_of(4),
        EXTENDED_COMMUNITY => len.is_multiple_of(8),
        LARGE_COMMUNITY => len > 0 && len.is_multiple_of(12),
        _ => true,
    }
}

/// Prints a value; returns how many bytes of it tcpdump prints in hex too with `-vv`.
fn print_value(
    p: &mut Printer<'_>,
    kind: u8,
    mut cursor: Cursor<'_>,
    len: usize,
    level: u8,
) -> Result<usize, Truncated> {
    if !is_valid_length(kind, len) {
        p.text("invalid len");
        return Ok(len);
    }
    match kind {
        ORIGIN => p.text(match cursor.u8()? {
            0 => "IGP",
            1 => "EGP",
            2 => "Incomplete",
            _ => "Unknown Origin Typecode",
        }),
        AS_PATH | AS4_PATH => print_path(p, kind, cursor, len)?,
        NEXT_HOP | ORIGINATOR => write!(p, "{}", Ipv4::read(&mut cursor)?),
        MULTI_EXIT | LOCAL_PREFERENCE => write!(p, "{}", cursor.u32()?),
        ATOMIC_AGGREGATE => {}
        AGGREGATOR | AGGREGATOR4 => {
            let system = if len == 6 { u32::from(cursor.u16()?) } else { cursor.u32()? };
            write!(p, " AS #{system}, origin {}", Ipv4::read(&mut cursor)?);
        }
        COMMUNITY => communities::print(p, &mut cursor, len)?,
        CLUSTERS => {
            for left in (1..=len / 4).rev() {
                write!(p, "{}{}", Ipv4::read(&mut cursor)?, if left > 1 { ", " } else { "" });
            }
        }
        REACH => reach::print(p, cursor, len)?,
        UNREACH => reach::print_unreach(p, cursor, len)?,
        EXTENDED_COMMUNITY => communities::print_extended(p, &mut cursor, len)?,
        PMSI_TUNNEL => print_pmsi_tunnel(p, cursor, len)?,
        AIGP => print_igp_metric(p, cursor, len)?,
        LARGE_COMMUNITY => {
            communities::print_large(p, &mut cursor, len)?;
            return Ok(0);
        }
        ATTRIBUTE_SET => {
            let inner = len.checked_sub(4).ok_or(cursor.truncated())?;
            write!(p, "\n\t    Origin AS: {}", cursor.u32()?);
            if level >= MAX_LEVEL {
                p.text("(too many nested levels, not recursing)");
            } else {
                return print_list(p, cursor, inner, level + 1);
            }
        }
        _ => {
            write!(p, "\n\t    no Attribute {kind} decoder");
            if p.style.verbosity <= 1 {
                p.hex("\n\t    ", cursor.take(len)?);
            }
        }
    }
    Ok(len)
}

fn print_path(p: &mut Printer<'_>, kind: u8, mut cursor: Cursor<'_>, len: usize) -> Printed {
    if len == 0 {
        p.text("empty");
        return Ok(());
    }
    let end = cursor.at() + len;
    let wide = kind == AS4_PATH || is_wide(cursor, len);
    while cursor.at() < end {
        let segment = cursor.u8()?;
        p.text(match segment {
            1 => "{ ",
            2 => "",
            3 => "( ",
            4 => "({ ",
            _ => "?",
        });
        let count = cursor.u8()?;
        for _ in 0..count {
            let system = if wide { cursor.u32()? } else { u32::from(cursor.u16()?) };
            write!(p, "{system} ");
        }
        p.text(match segment {
            1 => "}",
            2 => "",
            3 => ")",
            4 => "})",
            _ => "?",
        });
    }
    Ok(())
}

/// Whether the numbers of an AS path take four bytes, which only the peers know (RFC 6793 §4): it is assumed if the path
/// would not be made of segments otherwise.
fn is_wide(mut cursor: Cursor<'_>, len: usize) -> bool {
    let end = cursor.at() + len;
    while cursor.at() < end {
        let (Ok(segment), Ok(count)) = (cursor.u8(), cursor.u8()) else { return true };
        if !(1..=4).contains(&segment) || cursor.skip(usize::from(count) * 2).is_err() || cursor.at() > end {
            return true;
        }
    }
    false
}

/// RFC 6514 §5.
fn print_pmsi_tunnel(p: &mut Printer<'_>, mut cursor: Cursor<'_>, len: usize) -> Printed {
    cursor.need(5)?;
    let rest = len.checked_sub(5).ok_or(cursor.truncated())?;
    let (flags, kind) = (cursor.u8()?, cursor.u8()?);
    let label = cursor.u24()? >> 4;
    let name = match kind {
        1 => "RSVP-TE P2MP LSP",
        2 => "LDP P2MP LSP",
        3 => "PIM-SSM Tree",
        4 => "PIM-SM Tree",
        5 => "PIM-Bidir Tree",
        6 => "Ingress Replication",
        7 => "LDP MP2MP LSP",
        _ => "Unknown",
    };
    let flags = if flags & 1 == 0 { "none" } else { "Leaf Information required" };
    write!(p, "\n\t    Tunnel-type {name} ({kind}), Flags [{flags}], MPLS Label {label}");
    let indent = "\n\t      ";
    match kind {
        6 => {
            let endpoint = Ipv4::read(&mut cursor)?;
            write!(p, "{indent}Tunnel-Endpoint {endpoint}");
        }
        1..=5 | 7 => {
            cursor.need(8)?;
            let first = Ipv4::read(&mut cursor)?;
            let number = cursor.u32()?;
            let second = Ipv4(number.to_be_bytes());
            match kind {
                1 => write!(p, "{indent}Extended-Tunnel-ID {first}, P2MP-ID 0x{number:08x}"),
                3 => write!(p, "{indent}Root-Node {first}, P-Group {second}"),
                4 | 5 => write!(p, "{indent}Sender {first}, P-Group {second}"),
                _ => write!(p, "{indent}Root-Node {first}, LSP-ID 0x{number:08x}"),
            }
        }
        _ if p.style.verbosity <= 1 => p.hex(indent, cursor.take(rest)?),
        _ => {}
    }
    Ok(())
}

/// RFC 7311 §3.
fn print_igp_metric(p: &mut Printer<'_>, mut cursor: Cursor<'_>, len: usize) -> Printed {
    let end = cursor.at() + len;
    while end.saturating_sub(cursor.at()) >= 3 {
        let (kind, length) = (cursor.u8()?, cursor.u16()?);
        let name = if kind == 1 { "AIGP" } else { "Unknown" };
        write!(p, "\n\t    {name} TLV ({kind}), length {length}");
        let len = usize::from(length).checked_sub(3).ok_or(cursor.truncated())?;
        let mut value = cursor;
        if kind == 1 {
            if len < 8 {
                return Err(cursor.truncated());
            }
            write!(p, ", metric {}", value.u64()?);
        } else if p.style.verbosity <= 1 {
            p.hex("\n\t      ", value.take(len)?);
        }
        cursor.skip(len)?;
    }
    Ok(())
}

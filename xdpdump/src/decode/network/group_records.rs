//! Group records of multicast listeners, which IGMP and MLD have in the same form (RFC 3376 §4.2.4, RFC 3810 §5.2.5).

use std::fmt::Display;

use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;

/// Reads an address.
type Read<A> = fn(&mut Cursor<'_>) -> Result<A, Truncated>;

/// Prints the number of records, then, with `-v`, each of them; a record of an unknown kind is one of a `report`.
pub(in crate::decode) fn print<A: Display>(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    report: &str,
    read: Read<A>,
) -> Printed {
    let groups = cursor.u16()?;
    write!(p, ", {groups} group record(s)");
    if !p.verbose() {
        return Ok(());
    }
    for _ in 0..groups {
        let kind = cursor.u8()?;
        let auxiliary = usize::from(cursor.u8()?) * 4;
        let sources = cursor.u16()?;
        let before = cursor.at();
        write!(p, " [gaddr {}", read(cursor)?);
        let address_len = cursor.at() - before;
        match kind_name(kind) {
            Some(name) => write!(p, " {name}"),
            None => write!(p, "  [{report}-#{kind}]"),
        }
        if p.style.verbosity > 1 {
            print_sources(p, cursor, sources, read)?;
        } else {
            write!(p, ", {sources} source(s)");
            cursor.skip_to_end(usize::from(sources) * address_len)?;
        }
        cursor.skip_to_end(auxiliary)?;
        p.text("]");
    }
    Ok(())
}

/// Prints a list of sources.
pub(in crate::decode) fn print_sources<A: Display>(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    sources: u16,
    read: Read<A>,
) -> Printed {
    p.text(" {");
    for _ in 0..sources {
        write!(p, " {}", read(cursor)?);
    }
    p.text(" }");
    Ok(())
}

/// Name of a kind of group record; the numbers are the same in `IGMPv3` and `MLDv2`.
fn kind_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "is_in",
        2 => "is_ex",
        3 => "to_in",
        4 => "to_ex",
        5 => "allow",
        6 => "block",
        _ => return None,
    })
}

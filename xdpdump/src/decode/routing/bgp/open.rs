//! OPEN messages and capabilities (RFC 4271 §4.2, RFC 5492).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::bgp::print_family;

const CAPABILITIES: u8 = 2;

const MULTIPROTOCOL: u8 = 1;
const ROUTE_REFRESH: u8 = 2;
const MULTIPLE_LABELS: u8 = 8;
const GRACEFUL_RESTART: u8 = 64;
const FOUR_BYTE_AS: u8 = 65;
const ADD_PATH: u8 = 69;
const LONG_LIVED_RESTART: u8 = 71;
const ROUTE_REFRESH_CISCO: u8 = 128;

/// Prints an OPEN of `length` bytes after the header.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, length: usize) -> Printed {
    cursor.need(10)?;
    if length < 10 {
        return Err(cursor.truncated());
    }
    let version = cursor.u8()?;
    let (system, hold) = (cursor.u16()?, cursor.u16()?);
    let router = Ipv4::read(cursor)?;
    let options = usize::from(cursor.u8()?);
    write!(p, "\n\t  Version {version}, my AS {system}, Holdtime {hold}s, ID {router}");
    write!(p, "\n\t  Optional parameters, length: {options}");
    let end = cursor.at() + options;
    while cursor.at() < end {
        cursor.need(2)?;
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        if cursor.at() + len > end {
            write!(p, "\n\t     Option {kind}, length: {len}, goes past the end of the options");
            return Ok(());
        }
        let name = match kind {
            1 => "Authentication Information",
            CAPABILITIES => "Capabilities Advertisement",
            _ => "Unknown",
        };
        write!(p, "\n\t    Option {name} ({kind}), length: {len}");
        if kind == CAPABILITIES {
            print_capabilities(p, *cursor, len)?;
        } else {
            write!(p, "\n\t      no decoder for option {kind}");
        }
        cursor.skip(len)?;
    }
    Ok(())
}

fn print_capabilities(p: &mut Printer<'_>, mut cursor: Cursor<'_>, len: usize) -> Printed {
    let end = cursor.at() + len;
    while cursor.at() < end {
        cursor.need(2)?;
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        write!(p, "\n\t      {} ({kind}), length: {len}", name(kind));
        let value = cursor.take(len)?;
        if !print_capability(p, kind, Cursor::new("bgp", value))? {
            return Ok(());
        }
        if p.style.verbosity > 1 && len > 0 {
            p.hex("\n\t\t", value);
        }
    }
    Ok(())
}

/// Prints the value of a capability; whether the next one can be read.
fn print_capability(p: &mut Printer<'_>, kind: u8, mut value: Cursor<'_>) -> Result<bool, Truncated> {
    let shortest = match kind {
        MULTIPROTOCOL | FOUR_BYTE_AS => 4,
        GRACEFUL_RESTART => 2,
        _ => 0,
    };
    if value.rest().len() < shortest {
        write!(p, " (too short, < {shortest})");
        return Ok(false);
    }
    match kind {
        MULTIPROTOCOL => {
            let afi = value.u16()?;
            value.skip(1)?;
            p.text("\n\t\t");
            print_bare_family(p, afi, value.u8()?);
        }
        GRACEFUL_RESTART => {
            let field = value.u16()?;
            let flags = if field & 0x8000 == 0 { "none" } else { "R" };
            write!(p, "\n\t\tRestart Flags: [{flags}], Restart Time {}s", field & 0xfff);
            while value.rest().len() >= 4 {
                let (afi, safi, flags) = (value.u16()?, value.u8()?, value.u8()?);
                p.text("\n\t\t ");
                print_family(p, afi, safi);
                let preserved = if flags & 0x80 == 0 { "no" } else { "yes" };
                write!(p, ", Forwarding state preserved: {preserved}");
            }
        }
        ROUTE_REFRESH | LONG_LIVED_RESTART | ROUTE_REFRESH_CISCO => {}
        FOUR_BYTE_AS => write!(p, "\n\t\t 4 Byte AS {}", value.u32()?),
        ADD_PATH | MULTIPLE_LABELS => print_tuples(p, kind, &mut value)?,
        _ => {
            write!(p, "\n\t\tno decoder for Capability {kind}");
            if p.style.verbosity <= 1 {
                p.hex("\n\t\t", value.rest());
            }
        }
    }
    Ok(true)
}

/// Prints address families, each with a byte that says what is supported for it (RFC 7911 §4, RFC 8277 §2.1).
fn print_tuples(p: &mut Printer<'_>, kind: u8, value: &mut Cursor<'_>) -> Printed {
    if kind == ADD_PATH && value.rest().is_empty() {
        p.text(" (invalid)");
    }
    while !value.rest().is_empty() {
        if value.rest().len() < 4 {
            if kind == ADD_PATH {
                p.text(" (invalid)");
            }
            return Ok(());
        }
        let (afi, safi, what) = (value.u16()?, value.u8()?, value.u8()?);
        p.text("\n\t\t");
        print_bare_family(p, afi, safi);
        match (kind, what) {
            (MULTIPLE_LABELS, count) => write!(p, ", Count: {count}"),
            (_, 1) => p.text(", Send/Receive: Receive"),
            (_, 2) => p.text(", Send/Receive: Send"),
            (_, 3) => p.text(", Send/Receive: Both"),
            (_, other) => write!(p, ", Send/Receive: Bogus (0x{other:02x})"),
        }
    }
    Ok(())
}

/// Prints an address family at the beginning of a line.
fn print_bare_family(p: &mut Printer<'_>, afi: u16, safi: u8) {
    let afi_name = crate::decode::address::family_name(afi).unwrap_or("Unknown");
    let safi_name = super::names::subsequent_family(safi).unwrap_or("Unknown");
    write!(p, "AFI {afi_name} ({afi}), SAFI {safi_name} ({safi})");
}

/// Names of capabilities (IANA).
fn name(kind: u8) -> &'static str {
    match kind {
        MULTIPROTOCOL => "Multiprotocol Extensions",
        ROUTE_REFRESH => "Route Refresh",
        3 => "Cooperative Route Filtering",
        4 => "Multiple Routes to a Destination",
        5 => "Extended Next Hop Encoding",
        MULTIPLE_LABELS => "Multiple Labels",
        GRACEFUL_RESTART => "Graceful Restart",
        FOUR_BYTE_AS => "32-Bit AS Number",
        67 => "Dynamic Capability",
        68 => "Multisession BGP",
        ADD_PATH => "Multiple Paths",
        70 => "Enhanced Route Refresh",
        LONG_LIVED_RESTART => "Long-lived Graceful Restart",
        ROUTE_REFRESH_CISCO => "Route Refresh (Cisco)",
        _ => "Unknown",
    }
}

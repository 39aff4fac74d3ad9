//! Link layer discovery (IEEE 802.1AB). The fields are shown with `-v`; those of organizations have a file each.

mod dcbx;
mod ieee8021;
mod ieee8023;
mod med;

use crate::decode::address::family_name;
use crate::decode::address::{Ipv4, Ipv6, Mac};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::link::oui;
use crate::decode::printer::Printer;

const END: u16 = 0;
const CHASSIS: u16 = 1;
const PORT: u16 = 2;
const TIME_TO_LIVE: u16 = 3;
const SYSTEM_NAME: u16 = 5;
const SYSTEM_DESCRIPTION: u16 = 6;
const CAPABILITIES: u16 = 7;
const MANAGEMENT: u16 = 8;
const ORGANIZATION: u16 = 127;

const IANA: u32 = 0x00_005e;
const IEEE_8021: u32 = 0x00_80c2;
const IEEE_8023: u32 = 0x00_120f;
const TIA: u32 = 0x00_12bb;
const DCBX: u32 = 0x00_1b21;

const CAPABILITY: [(u32, &str); 8] = [
    (0x01, "Other"),
    (0x02, "Repeater"),
    (0x04, "Bridge"),
    (0x08, "WLAN AP"),
    (0x10, "Router"),
    (0x20, "Telephone"),
    (0x40, "Docsis"),
    (0x80, "Station Only"),
];
/// The state of a link aggregation (IEEE 802.1AX), in elements of two organizations.
const AGGREGATION: [(u32, &str); 2] = [(1, "supported"), (2, "enabled")];

/// Whether an element is shown in hex besides what was printed of it.
type Hex = bool;

/// Prints an LLDP frame.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    write!(p, "LLDP, length {}", layer.len);
    let mut cursor = layer.cursor("lldp");
    while cursor.at() + 2 <= layer.len {
        let head = cursor.u16()?;
        let (kind, len) = (head >> 9, usize::from(head & 0x1ff));
        if p.verbose() {
            write!(p, "\n\t{} TLV ({kind}), length {len}", name(kind));
        }
        if kind == END {
            break;
        }
        let value = cursor.take(len)?;
        if !p.verbose() {
            if kind == SYSTEM_NAME && len > 0 {
                p.text(": ");
                p.escaped_until_nul(value);
            }
            continue;
        }
        let hex = if value.is_empty() { false } else { print_value(p, kind, value)? };
        if hex || p.style.verbosity > 1 {
            p.hex("\n\t  ", value);
        }
    }
    Ok(())
}

fn name(kind: u16) -> &'static str {
    match kind {
        END => "End",
        CHASSIS => "Chassis ID",
        PORT => "Port ID",
        TIME_TO_LIVE => "Time to Live",
        4 => "Port Description",
        SYSTEM_NAME => "System Name",
        SYSTEM_DESCRIPTION => "System Description",
        CAPABILITIES => "System Capabilities",
        MANAGEMENT => "Management Address",
        ORGANIZATION => "Organization specific",
        _ => "Unknown",
    }
}

fn print_value(
    p: &mut Printer<'_>,
    kind: u16,
    value: &[u8],
) -> Result<Hex, crate::decode::cursor::Truncated> {
    let mut cursor = Cursor::new("lldp", value);
    match kind {
        CHASSIS | PORT => {
            cursor.need(2)?;
            let subtype = cursor.u8()?;
            let (name, form) = if kind == CHASSIS { chassis(subtype) } else { port(subtype) };
            write!(p, "\n\t  Subtype {name} ({subtype}): ");
            match form {
                Form::Text => p.escaped_until_nul(cursor.rest()),
                // The error comes behind the space.
                Form::Mac => write!(p, "{}", Mac(cursor.take(6)?)),
                Form::Address => print_address(p, cursor.rest())?,
                Form::Unknown => return Ok(true),
            }
        }
        TIME_TO_LIVE => write!(p, ": TTL {}s", cursor.u16()?),
        SYSTEM_DESCRIPTION => {
            p.text("\n\t  ");
            p.escaped_until_nul(value);
        }
        4 | SYSTEM_NAME => {
            p.text(": ");
            p.escaped_until_nul(value);
        }
        CAPABILITIES => {
            cursor.need(4)?;
            for name in ["System ", "Enabled"] {
                let capabilities = cursor.u16()?;
                write!(p, "\n\t  {name} Capabilities [");
                p.flags(u32::from(capabilities), &CAPABILITY, ", ");
                write!(p, "] (0x{capabilities:04x})");
            }
        }
        MANAGEMENT => print_management(p, &mut cursor)?,
        ORGANIZATION => return print_organization(p, value),
        _ => return Ok(true),
    }
    Ok(false)
}

/// Prints a network address: its family (IANA) and bytes.
fn print_address(p: &mut Printer<'_>, value: &[u8]) -> Printed {
    let mut cursor = Cursor::new("lldp", value);
    cursor.need(1)?;
    let family = cursor.u8()?;
    write!(p, "AFI {} ({family})", family_name(family.into()).unwrap_or("Unknown"));
    match family {
        1 => write!(p, ": {}", Ipv4::read(&mut cursor)?),
        2 => write!(p, ": {}", Ipv6::read(&mut cursor)?),
        6 => write!(p, ": {}", Mac(cursor.take(6)?)),
        _ => p.text(", no AF printer !"),
    }
    Ok(())
}

fn print_management(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let len = usize::from(cursor.u8()?);
    cursor.need(len)?;
    let address = cursor.take(len)?;
    // A family and at least one byte.
    if len < 2 {
        return Err(cursor.truncated());
    }
    write!(p, "\n\t  Management Address length {len}, ");
    print_address(p, address)?;
    cursor.need(5)?;
    let numbering = cursor.u8()?;
    let name = match numbering {
        2 => "Interface Index",
        3 => "System Port Number",
        _ => "Unknown",
    };
    write!(p, "\n\t  {name} Interface Numbering ({numbering}): {}", cursor.u32()?);
    let len = usize::from(cursor.u8()?);
    if len > 0 {
        let identifier = cursor.take(len)?;
        write!(p, "\n\t  OID length {len}");
        p.escaped_until_nul(identifier);
    }
    Ok(())
}

fn print_organization(p: &mut Printer<'_>, value: &[u8]) -> Result<Hex, crate::decode::cursor::Truncated> {
    let mut cursor = Cursor::new("lldp", value);
    // A subtype always follows.
    cursor.need(4)?;
    let organization = cursor.u24()?;
    write!(p, ": OUI {} (0x{organization:06x})", oui::name(organization));
    let subtype = cursor.u8()?;
    match organization {
        IANA => {
            if subtype == 1 {
                p.text("\n\t  MUD-URL Subtype (1)\n\t  MUD-URL=");
                p.escaped(cursor.rest());
            }
            Ok(false)
        }
        IEEE_8021 => Ok(ieee8021::print(p, subtype, &mut cursor)),
        IEEE_8023 => Ok(ieee8023::print(p, subtype, &mut cursor)),
        TIA => Ok(med::print(p, subtype, &mut cursor)),
        DCBX => dcbx::print(p, subtype, &mut cursor),
        _ => Ok(true),
    }
}

/// Prints the name of an organization's element; `None` if it is not known.
fn print_subtype(p: &mut Printer<'_>, name: Option<&str>, subtype: u8) {
    write!(p, "\n\t  {} Subtype ({subtype})", name.unwrap_or("unknown"));
}

/// Prints the state of a link aggregation.
fn print_aggregation(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    cursor.need(5)?;
    p.text("\n\t    aggregation status [");
    p.flags(u32::from(cursor.u8()?), &AGGREGATION, ", ");
    write!(p, "], aggregation port ID {}", cursor.u32()?);
    Ok(())
}

/// How an identifier is printed.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Mac,
    Address,
    Unknown,
}

fn chassis(subtype: u8) -> (&'static str, Form) {
    match subtype {
        1 => ("Chassis component", Form::Text),
        2 => ("Interface alias", Form::Text),
        3 => ("Port component", Form::Text),
        4 => ("MAC address", Form::Mac),
        5 => ("Network address", Form::Address),
        6 => ("Interface name", Form::Text),
        7 => ("Local", Form::Text),
        _ => ("Unknown", Form::Unknown),
    }
}

fn port(subtype: u8) -> (&'static str, Form) {
    match subtype {
        1 => ("Interface alias", Form::Text),
        2 => ("Port component", Form::Text),
        3 => ("MAC address", Form::Mac),
        4 => ("Network Address", Form::Address),
        5 => ("Interface Name", Form::Text),
        6 => ("Agent circuit ID", Form::Text),
        7 => ("Local", Form::Text),
        _ => ("Unknown", Form::Unknown),
    }
}

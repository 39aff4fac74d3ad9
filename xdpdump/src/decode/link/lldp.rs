//! Link layer discovery (IEEE 802.1AB). The fields are shown with `-v`.

use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const END: u16 = 0;
const CHASSIS: u16 = 1;
const PORT: u16 = 2;
const TIME_TO_LIVE: u16 = 3;
const SYSTEM_DESCRIPTION: u16 = 6;
/// IANA's address family number of IPv4.
const IPV4_FAMILY: u8 = 1;

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
        let value = cursor.take(len)?;
        if p.verbose() {
            print_value(p, kind, value)?;
        }
        if p.style.verbosity > 1 && kind != END {
            p.hex("\n\t  ", value);
        }
        if kind == END {
            break;
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
        5 => "System Name",
        SYSTEM_DESCRIPTION => "System Description",
        7 => "System Capabilities",
        8 => "Management Address",
        127 => "Organization specific",
        _ => "Unknown",
    }
}

fn print_value(p: &mut Printer<'_>, kind: u16, value: &[u8]) -> Printed {
    let mut cursor = Cursor::new("lldp", value);
    match kind {
        CHASSIS | PORT => {
            let subtype = cursor.u8()?;
            let (name, form) = if kind == CHASSIS { chassis(subtype) } else { port(subtype) };
            write!(p, "\n\t  Subtype {name} ({subtype}): ");
            match (form, cursor.rest()) {
                (Form::Mac, mac) if mac.len() == 6 => write!(p, "{}", Mac(mac)),
                (Form::Address, [IPV4_FAMILY, address @ ..]) if address.len() == 4 => {
                    write!(p, "{}", Ipv4::read(&mut Cursor::new("lldp", address))?);
                }
                (_, rest) => p.escaped(rest),
            }
        }
        TIME_TO_LIVE => write!(p, ": TTL {}s", cursor.u16()?),
        SYSTEM_DESCRIPTION => {
            p.text("\n\t  ");
            p.escaped(value);
        }
        4 | 5 => {
            p.text(": ");
            p.escaped(value);
        }
        _ => {}
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Mac,
    Address,
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
        _ => ("Reserved", Form::Text),
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
        _ => ("Reserved", Form::Text),
    }
}

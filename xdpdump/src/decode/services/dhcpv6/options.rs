//! The options of DHCPv6 (RFC 8415 §21).

use crate::decode::address::Ipv6;
use crate::decode::cursor::{Cursor, Element, Field, Printed};
use crate::decode::printer::Printer;
use crate::decode::services::dhcpv6::{authentication, end_within, names, print_message};
use crate::decode::services::dns_name;

const OPTION: Element = Element { field: Field::Word, counts_header: false };
const RELAY_MESSAGE: u16 = 9;

/// Prints all options that are left.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    while !cursor.rest().is_empty() {
        let (kind, mut value) = cursor.element(OPTION)?;
        p.text(" (");
        p.name(names::option(kind), format_args!("opt_{kind}"));
        print_value(p, kind, &mut value)?;
        // tcpdump leaves this one open.
        if kind != RELAY_MESSAGE {
            p.text(")");
        }
    }
    Ok(())
}

/// Prints options inside an option.
fn print_inner(p: &mut Printer<'_>, value: &mut Cursor<'_>) {
    end_within(p, |p| p.nested(|p| print(p, value)));
}

/// Whether the value has the right length; says `?` otherwise.
fn checked(p: &mut Printer<'_>, right: bool) -> bool {
    if !right {
        p.text(" ?");
    }
    right
}

fn print_value(p: &mut Printer<'_>, kind: u16, value: &mut Cursor<'_>) -> Printed {
    let len = value.rest().len();
    match kind {
        1 | 2 => print_unique_identifier(p, value)?,
        3 | 25 if checked(p, len >= 12) => {
            write!(p, " IAID:{} T1:{} T2:{}", value.u32()?, value.u32()?, value.u32()?);
            print_inner(p, value);
        }
        4 if checked(p, len >= 4) => {
            write!(p, " IAID:{}", value.u32()?);
            print_inner(p, value);
        }
        5 if checked(p, len >= 24) => {
            write!(p, " {} pltime:{} vltime:{}", Ipv6::read(value)?, value.u32()?, value.u32()?);
            print_inner(p, value);
        }
        6 | 43 if checked(p, len.is_multiple_of(2)) => {
            while !value.rest().is_empty() {
                let requested = value.u16()?;
                p.text(" ");
                p.name(names::option(requested), format_args!("opt_{requested}"));
            }
        }
        7 if checked(p, len == 1) => number(p, u32::from(value.u8()?)),
        8 if checked(p, len == 2) => number(p, u32::from(value.u16()?)),
        32 | 46 if checked(p, len == 4) => number(p, value.u32()?),
        RELAY_MESSAGE => {
            p.text(" (");
            end_within(p, |p| p.nested(|p| print_message(p, value.rest())));
            p.text(")");
        }
        11 => authentication::print(p, value)?,
        13 if checked(p, len >= 2) => {
            let code = value.u16()?;
            p.text(" ");
            p.name(names::status(code), format_args!("code{code}"));
        }
        18 | 38 => print_beginning(p, value),
        19 if checked(p, len == 1) => {
            let message = value.u8()?;
            p.text(" for ");
            let name = names::message(message).filter(|_| matches!(message, 5 | 11));
            p.name(name, format_args!("???({message:02x})"));
        }
        21 | 24 => print_names(p, value)?,
        22 | 23 | 27 | 28 | 31 | 34 | 40 | 48 if checked(p, len.is_multiple_of(16)) => {
            while !value.rest().is_empty() {
                write!(p, " {}", Ipv6::read(value)?);
            }
        }
        26 if checked(p, len >= 25) => {
            let (preferred, valid, width) = (value.u32()?, value.u32()?, value.u8()?);
            write!(p, " {}/{width} pltime:{preferred} vltime:{valid}", Ipv6::read(value)?);
            print_inner(p, value);
        }
        37 if checked(p, len >= 4) => {
            write!(p, " {}", value.u32()?);
            print_beginning(p, value);
        }
        41 | 42 | 112 if checked(p, len >= 5) => {
            let text = value.rest();
            p.text(" ");
            p.escaped(text.split(|byte| *byte == 0).next().unwrap_or_default());
        }
        44 if checked(p, len >= 17) => {
            let query = value.u8()?;
            p.text(" ");
            let name = match query {
                1 => Some("by-address"),
                2 => Some("by-clientID"),
                _ => None,
            };
            p.name(name, format_args!("type_{query}"));
            write!(p, " {}", Ipv6::read(value)?);
            print_inner(p, value);
        }
        45 => {
            print_inner(p, value);
        }
        47 if checked(p, len >= 16) => {
            write!(p, " {}", Ipv6::read(value)?);
            print_beginning(p, value);
        }
        56 if checked(p, len >= 4) => print_time_servers(p, value)?,
        64 if checked(p, len >= 3) => {
            print_labels(p, value.rest());
        }
        _ => {}
    }
    Ok(())
}

fn number(p: &mut Printer<'_>, value: u32) {
    write!(p, " {value}");
}

/// Prints the first bytes in hex.
fn print_beginning(p: &mut Printer<'_>, value: &Cursor<'_>) {
    let bytes = value.rest();
    p.text(" ");
    p.digits(bytes.get(..10).unwrap_or(bytes));
    p.text("...");
}

/// Prints who a client or server is (RFC 8415 §11).
fn print_unique_identifier(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let len = value.rest().len();
    if len < 2 {
        p.text(" ?");
        return Ok(());
    }
    let kind = value.u16()?;
    match kind {
        1 if len >= 8 => {
            write!(p, " hwaddr/time type {} time {} ", value.u16()?, value.u32()?);
            p.digits(value.rest());
        }
        2 if len >= 10 => {
            p.text(" vid ");
            p.digits(value.take(8)?);
        }
        3 if len >= 4 => {
            write!(p, " hwaddr type {} ", value.u16()?);
            p.digits(value.rest());
        }
        1..=3 => p.text(" ?"),
        _ => write!(p, " type {kind}"),
    }
    Ok(())
}

fn print_names(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let message = value.rest();
    while !value.rest().is_empty() {
        p.text(" ");
        dns_name::print(p, message, value)?;
    }
    Ok(())
}

fn print_time_servers(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    while value.rest().len() > 4 {
        let (kind, mut server) = value.element(OPTION)?;
        write!(p, " subopt:{kind}");
        match kind {
            1 | 2 if server.rest().len() == 16 => write!(p, " {}", Ipv6::read(&mut server)?),
            3 => {
                p.text(" ");
                let message = server.rest();
                dns_name::print(p, message, &mut server)?;
            }
            _ => p.text(" ?"),
        }
    }
    Ok(())
}

/// Prints a name without the dot of the root; ` ?` where a label is longer than what is left.
fn print_labels(p: &mut Printer<'_>, mut name: &[u8]) {
    p.text(" ");
    while let Some((len, rest)) = name.split_first().filter(|(len, _)| **len != 0) {
        let Some((label, next)) =
            rest.split_at_checked(usize::from(*len)).filter(|(_, next)| !next.is_empty())
        else {
            p.text(" ?");
            return;
        };
        p.escaped(label);
        if next.first() != Some(&0) {
            p.text(".");
        }
        name = next;
    }
}

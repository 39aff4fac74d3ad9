//! Traffic engineering in opaque link state advertisements (RFC 3630, RFC 4203, RFC 4124).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::gmpls;
use crate::decode::routing::ospf::opaque::read_element;

const ROUTER: u16 = 1;
const LINK: u16 = 2;

/// Prints the elements of an advertisement; whether all of it was understood.
pub(super) fn print(p: &mut Printer<'_>, mut cursor: Cursor<'_>, len: usize) -> Result<bool, Truncated> {
    let end = cursor.at() + len;
    while cursor.at() < end {
        let left = end - cursor.at();
        let Some((kind, len)) = read_element(p, &mut cursor, left)? else { return Ok(false) };
        let name = match kind {
            ROUTER => "Router Address",
            LINK => "Link",
            _ => "unknown",
        };
        write!(p, "\n\t    {name} TLV ({kind}), length: {len}");
        let left = end - cursor.at();
        if len > left {
            write!(p, "\n\t    Bogus length {len} > {left}");
            return Ok(false);
        }
        let padded = len.next_multiple_of(4);
        if padded > left {
            write!(p, "\n\t    Bogus padded length {padded} > {left}");
            return Ok(false);
        }
        let value = Cursor::new("ospf2", cursor.take(len)?);
        cursor.skip(padded - len)?;
        match kind {
            ROUTER if len < 4 => {
                write!(p, "\n\t    TLV length {len} < 4");
                return Ok(false);
            }
            ROUTER => write!(p, ", {}", Ipv4::read(&mut { value })?),
            LINK if !print_link(p, value)? => return Ok(false),
            LINK => {}
            _ if p.style.verbosity <= 1 => p.hex("\n\t      ", value.rest()),
            _ => {}
        }
    }
    Ok(true)
}

fn name(kind: u16) -> &'static str {
    match kind {
        1 => "Link Type",
        2 => "Link ID",
        3 => "Local Interface IP address",
        4 => "Remote Interface IP address",
        5 => "Traffic Engineering Metric",
        6 => "Maximum Bandwidth",
        7 => "Maximum Reservable Bandwidth",
        8 => "Unreserved Bandwidth",
        9 => "Administrative Group",
        11 => "Link Local/Remote Identifier",
        14 => "Link Protection Type",
        15 => "Interface Switching Capability",
        16 => "Shared Risk Link Group",
        17 => "Bandwidth Constraints",
        _ => "unknown",
    }
}

/// What is wrong with the length of a link's element, as text.
fn wrong_length(kind: u16, len: usize) -> Option<&'static str> {
    match kind {
        1 if len != 1 => Some(" != 1"),
        2 | 11 if len != 4 && len != 8 => Some(" != 4 && != 8"),
        3..=7 | 9 | 14 if len != 4 => Some(" != 4"),
        8 if len != 32 => Some(" != 32"),
        15 if len < 36 => Some(" < 36"),
        _ => None,
    }
}

/// Prints the elements of a link; whether all of it was understood.
fn print_link(p: &mut Printer<'_>, mut cursor: Cursor<'_>) -> Result<bool, Truncated> {
    while !cursor.rest().is_empty() {
        let left = cursor.rest().len();
        if left < 4 {
            write!(p, "\n\t    Remaining TLV length {left} < 4");
            return Ok(false);
        }
        let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
        if kind == 0 || len == 0 {
            p.text(" (invalid)");
            return Ok(false);
        }
        write!(p, "\n\t      {} subTLV ({kind}), length: {len}", name(kind));
        if left < 4 + len {
            write!(p, "\n\t    Remaining TLV length {left} < {}", 4 + len);
            return Ok(false);
        }
        if let Some(what) = wrong_length(kind, len) {
            write!(p, "{what} (invalid)");
            return Ok(false);
        }
        if !print_value(p, kind, Cursor::new("ospf2", cursor.take(len)?))? {
            return Ok(false);
        }
        cursor.skip_to_end(len.next_multiple_of(4) - len)?;
    }
    Ok(true)
}

fn print_value(p: &mut Printer<'_>, kind: u16, mut value: Cursor<'_>) -> Result<bool, Truncated> {
    let len = value.rest().len();
    match kind {
        1 => {
            let kind = value.u8()?;
            let name = match kind {
                1 => "Point-to-point",
                2 => "Multi-Access",
                _ => "unknown",
            };
            write!(p, ", {name} ({kind})");
        }
        2 | 11 => {
            while !value.rest().is_empty() {
                let id = value.u32()?;
                write!(p, ", {} (0x{id:08x})", Ipv4(id.to_be_bytes()));
            }
        }
        3 | 4 => write!(p, ", {}", Ipv4::read(&mut value)?),
        5 => write!(p, ", Metric {}", value.u32()?),
        6 | 7 => write!(p, ", {:.3} Mbps", gmpls::megabits(value.u32()?)),
        8 => print_bandwidths(p, "\n\t\tTE-Class ", &mut value)?,
        9 => write!(p, ", 0x{:08x}", value.u32()?),
        14 => {
            let bits = value.u8()?;
            p.text(", ");
            p.flags(u32::from(bits), &gmpls::LINK_PROTECTION, ", ");
        }
        15 => {
            let (capability, encoding) = (value.u8()?, value.u8()?);
            let name = gmpls::switching_capability(capability);
            write!(p, "\n\t\tInterface Switching Capability: {name}");
            write!(p, "\n\t\tLSP Encoding: {}\n\t\tMax LSP Bandwidth:", gmpls::lsp_encoding(encoding));
            value.skip(2)?;
            let mut bandwidths = Cursor::new("ospf2", value.take(32)?);
            print_bandwidths(p, "\n\t\t  priority level ", &mut bandwidths)?;
        }
        16 => {
            if !len.is_multiple_of(4) {
                write!(p, "\n\t\tlength {len} != N x 4 (invalid)");
                return Ok(false);
            }
            p.text("\n\t\t  Shared risk group: ");
            while !value.rest().is_empty() {
                let group = value.u32()?;
                write!(p, "{group}{}", if value.rest().is_empty() { "" } else { ", " });
            }
        }
        17 => {
            if !len.is_multiple_of(4) {
                write!(p, "\n\t\tlength {len} != N x 4 (invalid)");
                return Ok(false);
            }
            if len > 36 {
                write!(p, "\n\t\tlength {len} > 36 (invalid)");
                return Ok(false);
            }
            let model = value.u8()?;
            let name = gmpls::bandwidth_constraints(model);
            write!(p, "\n\t\tBandwidth Constraints Model ID: {name} ({model})");
            value.skip(3)?;
            print_bandwidths(p, "\n\t\t  Bandwidth constraint CT", &mut value)?;
        }
        _ if p.style.verbosity <= 1 => p.hex("\n\t\t", value.rest()),
        _ => {}
    }
    Ok(true)
}

/// Prints a line for each bandwidth that is left, numbered from 0.
fn print_bandwidths(p: &mut Printer<'_>, label: &str, cursor: &mut Cursor<'_>) -> Printed {
    let mut number = 0;
    while !cursor.rest().is_empty() {
        write!(p, "{label}{number}: {:.3} Mbps", gmpls::megabits(cursor.u32()?));
        number += 1;
    }
    Ok(())
}

//! Connectivity fault management (IEEE 802.1Q clause 20). The fields are shown with `-v`.

use crate::decode::address::family_name;
use crate::decode::address::{Ipv4, Ipv6, Mac};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::link::oui;
use crate::decode::printer::Printer;

const HEADER: usize = 4;
const CONTINUITY: u8 = 1;
const TRACE_REPLY: u8 = 4;
const TRACE: u8 = 5;
/// The least offsets of the first element, after the header.
const CONTINUITY_LEN: usize = 70;
const TRACE_LEN: usize = 17;
const TRACE_REPLY_LEN: usize = 6;
const TRACE_REPLY_FLAGS: [(u32, &str); 3] = [(0x80, "UseFDB Only"), (0x40, "FwdYes"), (0x20, "Terminal MEP")];
const TRACE_FLAGS: [(u32, &str); 1] = [(0x80, "Use Forwarding-DB only")];
/// The maintenance association's identifier, of which names leave the rest unused.
const ASSOCIATION: usize = 48;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if layer.len < HEADER {
        print_too_short(p);
        return Ok(());
    }
    let mut cursor = layer.cursor("cfm");
    cursor.need(HEADER)?;
    let (first, kind, flags, offset) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let version = first & 31;
    if version != 0 {
        write!(p, "CFMv{version} not supported, length {}", layer.len);
        return Ok(());
    }
    write!(p, "CFMv{version} ");
    match kind {
        CONTINUITY => p.text("Continuity Check Message"),
        2 => p.text("Loopback Reply"),
        3 => p.text("Loopback Message"),
        TRACE_REPLY => p.text("Linktrace Reply"),
        TRACE => p.text("Linktrace Message"),
        _ => write!(p, "unknown ({kind})"),
    }
    write!(p, ", MD Level {}, length {}", first >> 5, layer.len);
    if !p.verbose() {
        return Ok(());
    }
    let body = layer.skip(HEADER);
    let offset = usize::from(offset);
    write!(p, "\n\tFirst TLV offset {offset}");
    if offset > body.len {
        write!(p, " (too large, must be <= {})", body.len);
        return Ok(());
    }
    let least = match kind {
        CONTINUITY => CONTINUITY_LEN,
        TRACE => TRACE_LEN,
        TRACE_REPLY => TRACE_REPLY_LEN,
        _ => 0,
    };
    if offset < least {
        let shown = match kind {
            CONTINUITY => 1,
            TRACE => 4,
            _ => 5,
        };
        write!(p, " (too small {shown}, must be >= {least})");
        return Ok(());
    }
    match kind {
        CONTINUITY => print_continuity(p, flags, body)?,
        TRACE => print_trace(p, flags, body)?,
        TRACE_REPLY => print_trace_reply(p, flags, body)?,
        // tcpdump shows as many bytes as the elements have.
        _ if p.style.verbosity < 2 => p.hex("\n\t  ", body.cut(body.len - offset).bytes),
        _ => {}
    }
    print_elements(p, body.skip(offset))
}

fn print_too_short(p: &mut Printer<'_>) {
    p.text("\n\t\t packet is too short");
}

fn print_continuity(p: &mut Printer<'_>, flags: u8, body: Layer<'_>) -> Printed {
    let interval = flags & 7;
    write!(p, ", Flags [CCM Interval {interval}");
    p.text(if flags & 0x80 == 0 { "]" } else { ", RDI]" });
    // In milliseconds; the first is 300 a second.
    let seconds = match interval {
        1 => Some(1.0 / 300.0),
        2 => Some(0.01),
        3 => Some(0.1),
        4 => Some(1.0),
        5 => Some(10.0),
        6 => Some(60.0),
        7 => Some(600.0),
        _ => None,
    };
    if let Some(seconds) = seconds {
        // A lifetime of 32.5 ms is rounded down.
        write!(p, "\n\t  CCM Interval {seconds:.3}s, min CCM Lifetime {:.3}s, ", seconds * 3.25 - 1e-9);
        write!(p, "max CCM Lifetime {:.3}s", seconds * 3.5);
    }
    let mut cursor = body.cursor("cfm");
    write!(p, "\n\t  Sequence Number 0x{:08x}", cursor.u32()?);
    write!(p, ", MA-End-Point-ID 0x{:04x}", cursor.u16()?);
    cursor.need(ASSOCIATION)?;
    let mut names = body.skip(6).cut(ASSOCIATION).cursor("cfm");
    print_domain(p, &mut names)?;
    print_association(p, &mut names)
}

fn print_domain(p: &mut Printer<'_>, names: &mut Cursor<'_>) -> Printed {
    let format = names.u8()?;
    let name = match format {
        0 => "IEEE 802.1",
        1 => "No MD Name present",
        2 => "DNS string",
        3 => "MAC + 16Bit Integer",
        4 => "Character string",
        _ => "Unknown",
    };
    write!(p, "\n\t  MD Name Format {name} ({format})");
    if format == 1 {
        return Ok(());
    }
    let len = usize::from(names.u8()?);
    write!(p, ", MD Name length {len}");
    let value = names.take(len)?;
    p.text("\n\t  MD Name: ");
    match (format, len) {
        (2 | 4, _) => p.escaped(value),
        (3, 6) => write!(p, "\n\t  MAC {}", Mac(value)),
        (3, _) => p.text("\n\t  MAC (length invalid)"),
        _ => p.hex("\n\t    ", value),
    }
    Ok(())
}

fn print_association(p: &mut Printer<'_>, names: &mut Cursor<'_>) -> Printed {
    let (format, len) = (names.u8()?, usize::from(names.u8()?));
    let name = match format {
        0 => "IEEE 802.1",
        1 => "Primary VID",
        2 => "Character string",
        3 => "16Bit Integer",
        4 => "RFC2685 VPN-ID",
        _ => "Unknown",
    };
    write!(p, "\n\t  MA Name-Format {name} ({format}), MA name length {len}");
    let value = names.take(len)?;
    p.text("\n\t  MA Name: ");
    if format == 2 {
        p.escaped(value);
    } else {
        p.hex("\n\t    ", value);
    }
    Ok(())
}

fn print_trace(p: &mut Printer<'_>, flags: u8, body: Layer<'_>) -> Printed {
    p.text(", Flags [");
    p.flags(u32::from(flags), &TRACE_FLAGS, ", ");
    p.text("]");
    let mut cursor = body.cursor("cfm");
    write!(p, "\n\t  Transaction-ID 0x{:08x}", cursor.u32()?);
    write!(p, ", ttl {}", cursor.u8()?);
    let original = Mac(cursor.take(6)?);
    write!(p, "\n\t  Original-MAC {original}, Target-MAC {}", Mac(cursor.take(6)?));
    Ok(())
}

fn print_trace_reply(p: &mut Printer<'_>, flags: u8, body: Layer<'_>) -> Printed {
    p.text(", Flags [");
    p.flags(u32::from(flags), &TRACE_REPLY_FLAGS, ", ");
    p.text("]");
    let mut cursor = body.cursor("cfm");
    write!(p, "\n\t  Transaction-ID 0x{:08x}", cursor.u32()?);
    write!(p, ", ttl {}", cursor.u8()?);
    let action = cursor.u8()?;
    let name = match action {
        1 => "Exact Match",
        2 => "Filtering DB",
        3 => "MIP CCM DB",
        _ => "Unknown",
    };
    write!(p, "\n\t  Replay-Action {name} ({action})");
    Ok(())
}

fn print_elements(p: &mut Printer<'_>, mut layer: Layer<'_>) -> Printed {
    while layer.len > 0 {
        let mut cursor = layer.cursor("cfm");
        let kind = cursor.u8()?;
        write!(p, "\n\t{} TLV (0x{kind:02x})", element_name(kind));
        if kind == 0 {
            return Ok(());
        }
        if layer.len < 3 {
            print_too_short(p);
            return Ok(());
        }
        let len = usize::from(cursor.u16()?);
        write!(p, ", length {len}");
        if layer.len < 3 + len {
            print_too_short(p);
            return Ok(());
        }
        let value = cursor.take(len)?;
        let mut next = 3 + len;
        match print_element(p, kind, value) {
            After::Next if p.style.verbosity > 1 => p.hex("\n\t  ", value),
            After::Next => {}
            After::Hex(len) => p.hex("\n\t  ", value.get(..len).unwrap_or(value)),
            After::Back => next -= 1,
            After::Stop => return Ok(()),
        }
        layer = layer.skip(next);
    }
    Ok(())
}

/// What follows an element's fields.
enum After {
    /// The next element.
    Next,
    /// As many bytes of the value in hex.
    Hex(usize),
    /// What tcpdump takes for the next element: the value's last byte and what follows.
    Back,
    /// Nothing.
    Stop,
}

fn element_name(kind: u8) -> &'static str {
    match kind {
        0 => "End",
        1 => "Sender ID",
        2 => "Port status",
        3 => "Interface status",
        4 => "Data",
        5 => "Reply Ingress",
        6 => "Reply Egress",
        31 => "Organization Specific",
        _ => "Unknown",
    }
}

fn print_element(p: &mut Printer<'_>, kind: u8, value: &[u8]) -> After {
    match (kind, value) {
        (1, &[]) => {
            p.text(" (too short, must be >= 1)");
            After::Next
        }
        (1, _) => {
            let mut cursor = Cursor::new("cfm", value);
            print_sender(p, &mut cursor).unwrap_or(After::Stop)
        }
        (2 | 3, &[]) => {
            p.text(" (too short, must be >= 1)");
            After::Stop
        }
        (2 | 3, &[status, ..]) => {
            let name = match (kind, status) {
                (2, 1) => "Blocked",
                (_, 1) | (2, 2) => "Up",
                (_, 2) => "Down",
                (3, 3) => "Testing",
                (3, 5) => "Dormant",
                (3, 6) => "not present",
                (3, 7) => "lower Layer down",
                _ => "Unknown",
            };
            write!(p, ", Status: {name} ({status})");
            After::Next
        }
        (31, &[a, b, c, subtype, ..]) => {
            let vendor = u32::from_be_bytes([0, a, b, c]);
            write!(p, ", Vendor: {} ({vendor}), Sub-Type {subtype}", oui::name(vendor));
            After::Hex(value.len())
        }
        (31, _) => {
            p.text(" (too short, must be >= 4)");
            After::Stop
        }
        _ => After::Hex(value.len()),
    }
}

fn print_sender(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<After, Truncated> {
    const SHORT: &str = "\n\t  (TLV too short)";
    let chassis = usize::from(cursor.u8()?);
    let mut known = true;
    if chassis > 0 {
        if cursor.rest().is_empty() {
            p.text(SHORT);
            return Ok(After::Next);
        }
        let kind = cursor.u8()?;
        write!(p, "\n\t  Chassis-ID Type {} ({kind}), Chassis-ID length {chassis}", chassis_name(kind));
        if cursor.rest().len() < chassis {
            p.text(SHORT);
            return Ok(After::Back);
        }
        known = print_chassis(p, kind, cursor.take(chassis)?)?;
    }
    if cursor.rest().is_empty() {
        return Ok(After::Next);
    }
    let domain = usize::from(cursor.u8()?);
    write!(p, "\n\t  Management Address Domain Length {domain}");
    if domain > 0 {
        if cursor.rest().len() < domain {
            p.text(SHORT);
            return Ok(After::Next);
        }
        p.text("\n\t  Management Address Domain: ");
        p.hex("", cursor.take(domain)?);
        if cursor.rest().is_empty() {
            p.text(" (Management Address Length is missing)");
            return Ok(After::Next);
        }
        let len = usize::from(cursor.u8()?);
        write!(p, "\n\t  Management Address Length {len}");
        if cursor.rest().len() < len {
            p.text(SHORT);
            return Ok(After::Stop);
        }
        if len > 0 {
            p.text("\n\t  Management Address: ");
            p.hex("", cursor.take(len)?);
        }
    }
    // tcpdump shows as many bytes as it did not read, but from the first.
    Ok(if known { After::Next } else { After::Hex(cursor.rest().len()) })
}

fn chassis_name(kind: u8) -> &'static str {
    const NAMES: [&str; 8] = [
        "Reserved",
        "Chassis component",
        "Interface alias",
        "Port component",
        "MAC address",
        "Network address",
        "Interface name",
        "Locally assigned",
    ];
    NAMES.get(usize::from(kind)).unwrap_or(&"Unknown")
}

/// Prints the chassis' name; returns whether its kind and length are known.
fn print_chassis(p: &mut Printer<'_>, kind: u8, value: &[u8]) -> Result<bool, Truncated> {
    match (kind, value) {
        (4, value) if value.len() == 6 => write!(p, "\n\t  MAC {}", Mac(value)),
        (4, _) => {
            p.text(" (invalid MAC address length)");
            return Ok(false);
        }
        (5, [family, address @ ..]) => {
            let mut cursor = Cursor::new("cfm", address);
            write!(
                p,
                "\n\t  Network Address Type {} ({family})",
                family_name(u16::from(*family)).unwrap_or("Unknown")
            );
            match (family, address.len()) {
                (1, 4) => write!(p, ", {}", Ipv4::read(&mut cursor)?),
                (2, 16) => write!(p, ", {}", Ipv6::read(&mut cursor)?),
                (1, len) => {
                    write!(p, "(invalid IPv4 address length {len})");
                    return Ok(false);
                }
                (2, len) => {
                    write!(p, "(invalid IPv6 address length {len})");
                    return Ok(false);
                }
                _ => return Ok(false),
            }
        }
        (1 | 2 | 3 | 6 | 7, value) => p.escaped_until_nul(value),
        _ => return Ok(false),
    }
    Ok(true)
}

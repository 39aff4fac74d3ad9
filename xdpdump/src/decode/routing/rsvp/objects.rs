//! The objects of a message.

use std::fmt;

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::link::ethertype;
use crate::decode::printer::Printer;
use crate::decode::routing::gmpls;
use crate::decode::routing::rsvp::integrated::{self, General};
use crate::decode::routing::rsvp::{names, route};

/// Prints the objects in `left` bytes; those of a bundled message are indented more.
pub(super) fn print(p: &mut Printer<'_>, mut cursor: Cursor<'_>, mut left: usize, bundled: bool) -> Printed {
    let (outer, inner) = if bundled { ("\n\t    ", "\n\t      ") } else { ("\n\t  ", "\n\t    ") };
    while left >= 4 {
        cursor.need(4)?;
        let len = usize::from(cursor.u16()?);
        let (class, kind) = (cursor.u8()?, cursor.u8()?);
        if len % 4 != 0 {
            write!(p, "{outer}ERROR: object header size {len} not a multiple of 4");
            return Ok(());
        }
        if len < 4 {
            write!(p, "{outer}ERROR: object header too short {len} < 4");
            return Ok(());
        }
        let action = match class {
            0..0x80 => "reject",
            0x80..0xc0 => "ignore silently",
            _ => "ignore and forward",
        };
        write!(p, "{outer}{} Object ({class}) Flags: [{action} if unknown]", names::object(class));
        match names::class_type(class, kind) {
            Some(name) => write!(p, ", Class-Type: {name} ({kind}), length: {len}"),
            None => write!(p, ", Class-Type: {kind} ({kind}), length: {len}"),
        }
        if len > left {
            write!(p, "{outer}ERROR: object goes past end of objects TLV");
            return Ok(());
        }
        left -= len;
        let bytes = cursor.take(len - 4)?;
        let mut value = Cursor::new("rsvp", bytes);
        let Ok(known) = print_object(p, class, kind, &mut value, inner) else {
            write!(p, "{outer}ERROR: object is too short");
            return Ok(());
        };
        if p.style.verbosity > 1 || !known {
            p.hex(inner, bytes);
        }
    }
    Ok(())
}

/// A byte as C's `%#x` writes it: zero has no prefix.
pub(super) struct Hex(pub(super) u8);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("0") } else { write!(f, "0x{:x}", self.0) }
    }
}

const STATUS: [(u32, &str); 4] =
    [(0x8000_0000, "Reflect"), (0x4, "Testing"), (0x2, "Admin-down"), (0x1, "Delete-in-progress")];

const CAPABILITIES: [(u32, &str); 3] = [
    (0x4, "RecoveryPath Transmit Enabled"),
    (0x2, "RecoveryPath Desired"),
    (0x1, "RecoveryPath Srefresh Capable"),
];

const SESSION_FLAGS: [(u32, &str); 5] = [
    (0x01, "Local Protection"),
    (0x02, "Label Recording"),
    (0x04, "SE Style"),
    (0x08, "Bandwidth protection"),
    (0x10, "Node protection"),
];

/// Prints an object; false if it should be shown in hex.
fn print_object(
    p: &mut Printer<'_>,
    class: u8,
    kind: u8,
    value: &mut Cursor<'_>,
    indent: &str,
) -> Result<bool, Truncated> {
    let v = value;
    match (class, kind) {
        (1, _) => return print_session(p, kind, v, indent),
        (3, 1 | 3) => {
            v.need(8)?;
            write!(p, "{indent}Previous/Next Interface: {}", Ipv4::read(v)?);
            write!(p, ", Logical Interface Handle: 0x{:08x}", v.u32()?);
            return Ok(kind == 1);
        }
        (3, 2 | 4) => {
            v.need(20)?;
            write!(p, "{indent}Previous/Next Interface: {}", Ipv6::read(v)?);
            write!(p, ", Logical Interface Handle: 0x{:08x}", v.u32()?);
            return Ok(false);
        }
        (4, 1) => {
            let flags = v.u8()?;
            v.skip(1)?;
            let (key_high, key_low) = (v.u16()?, v.u32()?);
            write!(p, "{indent}Key-ID 0x{key_high:04x}{key_low:08x}");
            write!(p, ", Sequence 0x{:08x}{:08x}", v.u32()?, v.u32()?);
            let flags = if flags & 0x40 == 0 { "none" } else { "Handshake" };
            write!(p, ", Flags [{flags}]{indent}MD5-sum 0x");
            p.digits(v.take(16)?);
            p.text("  (unchecked)");
        }
        (5, 1) => write!(p, "{indent}Refresh Period: {}ms", v.u32()?),
        (6, 1..=4) => print_error(p, kind.is_multiple_of(2), v, indent)?,
        (8, 1) => {
            let field = v.u32()?;
            let name = match field & 0xff_ffff {
                10 => "Fixed Filter",
                17 => "Wildcard Filter",
                18 => "Shared Explicit",
                _ => "Unknown",
            };
            write!(p, "{indent}Reservation Style: {name}, Flags: [0x{:02x}]", field >> 24);
        }
        (9 | 12 | 13, 2) => integrated::print(p, *v, indent)?,
        (10 | 11, _) => return print_sender(p, class, kind, v, indent),
        (15, 1) => write!(p, "{indent}IPv4 Receiver Address: {}", Ipv4::read(v)?),
        (15, 2) => write!(p, "{indent}IPv6 Receiver Address: {}", Ipv6::read(v)?),
        (16 | 34 | 35 | 129, 1) => {
            while !v.rest().is_empty() {
                write!(p, "{indent}Label: {}", v.u32()?);
            }
        }
        (16 | 34 | 35 | 129, 2) => write!(p, "{indent}Generalized Label: {}", v.u32()?),
        (19, 1..=4) => print_label_request(p, kind, v, indent)?,
        (20 | 21, 1) => route::print(p, *v, indent)?,
        (22, 1 | 2) => {
            let (source, destination) = (v.u32()?, v.u32()?);
            write!(p, "{indent}Source Instance: 0x{source:08x}, Destination Instance: 0x{destination:08x}");
        }
        (23 | 25, 1) | (24, 1 | 2) => {
            let flags = v.u8()?;
            write!(p, "{indent}Flags [0x{flags:02x}], epoch: {}", v.u24()?);
            while v.rest().len() >= 4 {
                let id = v.u32()?;
                write!(p, "{indent}  Message-ID 0x{id:08x} ({id})");
                if class != 25 {
                    break;
                }
            }
        }
        _ => return print_path_object(p, class, kind, v, indent),
    }
    Ok(true)
}

/// Prints an object of label switched paths; false if it should be shown in hex.
fn print_path_object(
    p: &mut Printer<'_>,
    class: u8,
    kind: u8,
    v: &mut Cursor<'_>,
    indent: &str,
) -> Result<bool, Truncated> {
    match (class, kind) {
        (36, 1) => print_label_set(p, v, indent)?,
        (50, 1) => write!(p, "{indent}Sub-LSP destination address: {}", Ipv4::read(v)?),
        (50, 2) => write!(p, "{indent}Sub-LSP destination address: {}", Ipv6::read(v)?),
        (63, 7) => {
            while v.rest().len() >= 8 {
                write!(p, "{indent}PLR-ID: {}, Avoid-Node-ID: {}", Ipv4::read(v)?, Ipv4::read(v)?);
            }
        }
        (66 | 125, 1) => write!(p, "{indent}CT: {}", v.u32()? & 7),
        (131, 1) => {
            write!(p, "{indent}Restart  Time: {}ms, Recovery Time: {}ms", v.u32()?, v.u32()?);
        }
        (134, 1) => {
            let flags = v.u32()?;
            if flags & !7 != 0 {
                write!(p, "{indent}[reserved=0x{:08x} must be zero]", flags & !7);
            }
            write!(p, "{indent}Flags: [");
            p.flags(flags, &CAPABILITIES, ", ");
            p.text("]");
        }
        (195, 1) => write!(p, "{indent}IPv4 Notify Node Address: {}", Ipv4::read(v)?),
        (195, 2) => write!(p, "{indent}IPv6 Notify Node Address: {}", Ipv6::read(v)?),
        (196, 1) => {
            write!(p, "{indent}Flags [");
            p.flags(v.u32()?, &STATUS, ", ");
            p.text("]");
        }
        (205, 1 | 7) => {
            v.need(if kind == 1 { 20 } else { 16 })?;
            write!(p, "{indent}Setup Priority: {}, Holding Priority: {}", v.u8()?, v.u8()?);
            write!(p, ", Hop-limit: {}, Bandwidth: ", v.u8()?);
            v.skip(1)?;
            write!(p, "{} Mbps", General(gmpls::megabits(v.u32()?)));
            if kind == 1 {
                write!(p, "{indent}Include-any: 0x{:08x}", v.u32()?);
                write!(p, ", Exclude-any: 0x{:08x}, Include-all: 0x{:08x}", v.u32()?, v.u32()?);
            } else {
                write!(p, "{indent}Include Colors: 0x{:08x}", v.u32()?);
                write!(p, ", Exclude Colors: 0x{:08x}", v.u32()?);
            }
        }
        (207, 7) => {
            let (setup, holding, flags) = (v.u8()?, v.u8()?, v.u8()?);
            let len = usize::from(v.u8()?);
            write!(p, "{indent}Session Name: ");
            p.escaped(v.take(len)?);
            write!(p, "{indent}Setup Priority: {setup}, Holding Priority: {holding}, Flags: [");
            p.flags(flags.into(), &SESSION_FLAGS, ", ");
            write!(p, "] ({})", Hex(flags));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn print_session(p: &mut Printer<'_>, kind: u8, v: &mut Cursor<'_>, indent: &str) -> Result<bool, Truncated> {
    match kind {
        1 | 2 => {
            v.need(if kind == 1 { 8 } else { 20 })?;
            if kind == 1 {
                write!(p, "{indent}IPv4 DestAddress: {}", Ipv4::read(v)?);
            } else {
                write!(p, "{indent}IPv6 DestAddress: {}", Ipv6::read(v)?);
            }
            write!(p, ", Protocol ID: 0x{:02x}", v.u8()?);
            write!(p, "{indent}Flags: [0x{:02x}], DestPort {}", v.u8()?, v.u16()?);
        }
        7 | 11 | 13 | 14 => {
            // tcpdump expects 32 bytes of the IPv6 kind.
            v.need(if kind == 14 { 26 } else { 12 })?;
            let first = Ipv4::read(v)?;
            v.skip(2)?;
            let tunnel = v.u16()?;
            let label = if kind == 7 || kind == 11 { "IPv4 Tunnel EndPoint" } else { "IPv4 P2MP LSP ID" };
            write!(p, "{indent}{label}: {first}, Tunnel ID: 0x{tunnel:04x}");
            write!(p, ", Extended Tunnel ID: {}", Ipv4::read(v)?);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn print_sender(
    p: &mut Printer<'_>,
    class: u8,
    kind: u8,
    v: &mut Cursor<'_>,
    indent: &str,
) -> Result<bool, Truncated> {
    const FILTER: u8 = 10;
    match kind {
        1 | 2 => {
            v.need(if kind == 1 { 8 } else { 20 })?;
            if kind == 1 {
                write!(p, "{indent}Source Address: {}", Ipv4::read(v)?);
            } else {
                write!(p, "{indent}Source Address: {}", Ipv6::read(v)?);
            }
            v.skip(2)?;
            write!(p, ", Source Port: {}", v.u16()?);
        }
        3 if class == FILTER => {
            v.need(20)?;
            write!(p, "{indent}Source Address: {}", Ipv6::read(v)?);
            v.skip(1)?;
            write!(p, ", Flow Label: {}", v.u24()?);
        }
        7 => {
            v.need(8)?;
            let label = if class == FILTER { "Source Address" } else { "IPv4 Tunnel Sender Address" };
            write!(p, "{indent}{label}: {}", Ipv4::read(v)?);
            v.skip(2)?;
            write!(p, ", LSP-ID: 0x{:04x}", v.u16()?);
        }
        12 => {
            v.need(16)?;
            write!(p, "{indent}IPv4 Tunnel Sender Address: {}", Ipv4::read(v)?);
            v.skip(2)?;
            write!(p, ", LSP ID: 0x{:04x}", v.u16()?);
            write!(p, "{indent}Sub-Group Originator ID: {}", Ipv4::read(v)?);
            // tcpdump reads the reserved bytes before it.
            write!(p, ", Sub-Group ID: 0x{:04x}", v.u16()?);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn print_error(p: &mut Printer<'_>, is_v6: bool, v: &mut Cursor<'_>, indent: &str) -> Printed {
    v.need(if is_v6 { 20 } else { 8 })?;
    if is_v6 {
        write!(p, "{indent}Error Node Address: {}", Ipv6::read(v)?);
    } else {
        write!(p, "{indent}Error Node Address: {}", Ipv4::read(v)?);
    }
    let (flags, code, number) = (v.u8()?, v.u8()?, v.u16()?);
    write!(p, ", Flags: [0x{flags:02x}]{indent}Error Code: {} ({code})", names::error(code));
    match names::error_value(code, number) {
        Some(name) => write!(p, ", Error Value: {name} ({number})"),
        None if is_v6 => {}
        None => write!(p, ", Unknown Error Value ({number})"),
    }
    Ok(())
}

/// RFC 3209 §4.2, RFC 3471 §3.1.
fn print_label_request(p: &mut Printer<'_>, kind: u8, v: &mut Cursor<'_>, indent: &str) -> Printed {
    if kind == 4 {
        let (encoding, switching, payload) = (v.u8()?, v.u8()?, v.u16()?);
        write!(p, "{indent}LSP Encoding Type: {} ({encoding})", gmpls::lsp_encoding(encoding));
        let name = gmpls::switching_capability(switching);
        write!(p, "{indent}Switching Type: {name} ({switching}), Payload ID: Unknown (0x{payload:04x})");
        return Ok(());
    }
    v.need(if kind == 1 { 4 } else { 12 })?;
    v.skip(2)?;
    let protocol = v.u16()?;
    match ethertype::name(protocol) {
        Some(name) => write!(p, "{indent}L3 Protocol ID: {name}"),
        None => write!(p, "{indent}L3 Protocol ID: Unknown Protocol (0x{protocol:04x})"),
    }
    if kind == 2 {
        let [low, low_channel, high, high_channel] = [v.u16()?, v.u16()?, v.u16()?, v.u16()?];
        p.text(if low & 0x8000 == 0 { "" } else { ",no merge capability" });
        write!(p, "{indent}Minimum VPI/VCI: {}/{}", low & 0xfff, low_channel & 0xfff);
        write!(p, "{indent}Maximum VPI/VCI: {}/{}", high & 0xfff, high_channel & 0xfff);
    } else if kind == 3 {
        let (low, high) = (v.u32()?, v.u32()?);
        let width = match low >> 23 & 3 {
            0 => "10 bit DLCI",
            2 => "23 bit DLCI",
            _ => "unknown",
        };
        write!(p, "{indent}Minimum/Maximum DLCI: {}/{}, {width}", low & 0x7f_ffff, high & 0x7f_ffff);
    }
    Ok(())
}

fn print_label_set(p: &mut Printer<'_>, v: &mut Cursor<'_>, indent: &str) -> Printed {
    let field = v.u32()?;
    let action = field >> 24;
    let name = match action {
        0 => "Inclusive list",
        1 => "Exclusive list",
        2 => "Inclusive range",
        3 => "Exclusive range",
        _ => "Unknown",
    };
    write!(p, "{indent}Action: {name} ({action}), Label type: {}", field & 0x3fff);
    if action == 2 || action == 3 {
        v.need(8)?;
        write!(p, "{indent}Start range: {}, End range: {}", v.u32()?, v.u32()?);
        return Ok(());
    }
    let mut number = 1;
    while !v.rest().is_empty() {
        write!(p, "{indent}Subchannel #{number}: {}", v.u32()?);
        number += 1;
    }
    Ok(())
}

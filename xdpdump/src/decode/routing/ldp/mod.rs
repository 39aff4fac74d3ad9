//! Label distribution protocol (RFC 5036, RFC 3479, RFC 4447).

mod fec;

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Element, Field, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

pub(in crate::decode) const PORT: u16 = 646;

/// Version, length, router and label space.
const HEADER: usize = 10;
/// Type, length and identifier of a message.
const MESSAGE: usize = 8;

/// Prints the packets of a datagram or segment.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut left = layer;
    // tcpdump prints nothing of a packet with a single message that has no elements.
    while left.len > HEADER + MESSAGE {
        let used = print_packet(p, left)?;
        if used == 0 {
            break;
        }
        left = left.skip(used);
    }
    Ok(())
}

/// Prints a packet; returns its length, 0 if no other one is printed.
fn print_packet(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<usize, Truncated> {
    let mut cursor = layer.cursor("ldp");
    let indent = if p.verbose() { "\n\t" } else { "" };
    cursor.need(HEADER)?;
    let version = cursor.u16()?;
    if version != 1 {
        write!(p, "{indent}LDP version {version} packet not supported");
        return Ok(0);
    }
    let len = usize::from(cursor.u16()?);
    if len < HEADER - 4 {
        write!(p, "{indent}LDP, pdu-length: {len} (too short, < {})", HEADER - 4);
        return Ok(0);
    }
    let (router, space) = (Ipv4::read(&mut cursor)?, cursor.u16()?);
    write!(p, "{indent}LDP, Label-Space-ID: {router}:{space}, pdu-length: {len}");
    if !p.verbose() {
        return Ok(0);
    }
    let mut left = len + 4 - HEADER;
    while left > 0 {
        cursor.need(MESSAGE)?;
        let used = print_message(p, &mut cursor)?;
        if used == 0 {
            break;
        }
        left = left.saturating_sub(used);
    }
    Ok(len + 4)
}

fn message_name(kind: u16) -> &'static str {
    match kind {
        0x0001 => "Notification",
        0x0100 => "Hello",
        0x0200 => "Initialization",
        0x0201 => "Keepalive",
        0x0300 => "Address",
        0x0301 => "Address Withdraw",
        0x0400 => "Label Mapping",
        0x0401 => "Label Request",
        0x0402 => "Label Withdraw",
        0x0403 => "Label Release",
        0x0404 => "Label Abort Request",
        _ => "Unknown",
    }
}

/// Prints a message; returns its length, 0 if it is impossible.
fn print_message(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<usize, Truncated> {
    let field = cursor.u16()?;
    let kind = field & 0x7fff;
    let len = usize::from(cursor.u16()?);
    write!(p, "\n\t  {} Message (0x{kind:04x}), length: {len}", message_name(kind));
    if len < 4 {
        p.text(" (too short, < 4)");
        return Ok(0);
    }
    write!(p, ", Message ID: 0x{:08x}", cursor.u32()?);
    let flag = if field & 0x8000 == 0 { "ignore" } else { "continue processing" };
    write!(p, ", Flags: [{flag} if unknown]");
    let body = cursor.take(len - 4)?;
    // tcpdump shows the elements of these messages only.
    let known = matches!(kind, 0x0001 | 0x0100 | 0x0200 | 0x0201 | 0x0300 | 0x0301 | 0x0400 | 0x0402);
    if known {
        print_elements(p, Cursor::new("ldp", body))?;
    }
    if p.style.verbosity > 1 || !known {
        p.hex("\n\t  ", body);
    }
    Ok(len + 4)
}

fn print_elements(p: &mut Printer<'_>, mut cursor: Cursor<'_>) -> Printed {
    const SHAPE: Element = Element { field: Field::Word, counts_header: false };
    while cursor.rest().len() >= 4 {
        let Ok((field, value)) = cursor.element(SHAPE) else {
            p.text("\n\t\t TLV contents go past end of message");
            break;
        };
        let (kind, len) = (field & 0x3fff, value.rest().len());
        let processing = if field & 0x8000 == 0 { "ignore" } else { "continue processing" };
        let forwarding = if field & 0x4000 == 0 { "don't" } else { "do" };
        write!(p, "\n\t    {} TLV (0x{kind:04x}), length: {len}", element_name(kind));
        write!(p, ", Flags: [{processing} and {forwarding} forward if unknown]");
        print_value(p, kind, value)?;
    }
    Ok(())
}

const FEC: u16 = 0x0100;
const ADDRESSES: u16 = 0x0101;
const LABEL: u16 = 0x0200;
const STATUS: u16 = 0x0300;
const HELLO: u16 = 0x0400;
const IPV4: u16 = 0x0401;
const SEQUENCE: u16 = 0x0402;
const IPV6: u16 = 0x0403;
const SESSION: u16 = 0x0500;
const FAULT_TOLERANT: u16 = 0x0503;
const MTU: u16 = 0x0601;

fn element_name(kind: u16) -> &'static str {
    match kind {
        FEC => "FEC",
        ADDRESSES => "Address List",
        0x0103 => "Hop Count",
        0x0104 => "Path Vector",
        LABEL => "Generic Label",
        0x0201 => "ATM Label",
        0x0202 => "Frame-Relay Label",
        STATUS => "Status",
        0x0301 => "Extended Status",
        0x0302 => "Returned PDU",
        0x0303 => "Returned Message",
        HELLO => "Common Hello Parameters",
        IPV4 => "IPv4 Transport Address",
        SEQUENCE => "Configuration Sequence Number",
        IPV6 => "IPv6 Transport Address",
        SESSION => "Common Session Parameters",
        0x0501 => "ATM Session Parameters",
        0x0502 => "Frame-Relay Session Parameters",
        FAULT_TOLERANT => "Fault-Tolerant Session Parameters",
        0x0600 => "Label Request Message ID",
        MTU => "MTU",
        _ => "Unknown",
    }
}

/// Says that a value is too short.
fn print_short(p: &mut Printer<'_>, value: &Cursor<'_>, required: usize) -> bool {
    let len = value.rest().len();
    if len < required {
        write!(p, " [tlv length {len} < {required}] (invalid)");
    }
    len < required
}

fn print_value(p: &mut Printer<'_>, kind: u16, mut value: Cursor<'_>) -> Printed {
    let required = match kind {
        FEC => 1,
        ADDRESSES | MTU => 2,
        LABEL | HELLO | IPV4 | SEQUENCE => 4,
        STATUS | SESSION => 8,
        IPV6 => 16,
        FAULT_TOLERANT => 12,
        _ => 0,
    };
    let v = &mut value;
    if print_short(p, v, required) {
        return Ok(());
    }
    match kind {
        FEC => return fec::print(p, v),
        ADDRESSES => {
            let family = v.u16()?;
            p.text("\n\t      Address Family: ");
            match crate::decode::address::family_name(family) {
                Some(name) => p.text(name),
                None => write!(p, "Unknown ({family})"),
            }
            p.text(", addresses");
            while family == 1 && v.rest().len() >= 4 {
                write!(p, " {}", Ipv4::read(v)?);
            }
            while family == 2 && v.rest().len() >= 16 {
                write!(p, " {}", Ipv6::read(v)?);
            }
        }
        LABEL => write!(p, "\n\t      Label: {}", v.u32()? & 0xf_ffff),
        STATUS => {
            let field = v.u32()?;
            let cause = v.u32()?;
            let severity = if field & 0x8000_0000 == 0 { "Advisory Notification" } else { "Fatal error" };
            let forward = if field & 0x4000_0000 == 0 { "don't" } else { "do" };
            write!(p, "\n\t      Status: 0x{:02x}", field & 0x3fff_ffff);
            write!(p, ", Flags: [{severity} and {forward} forward]");
            if cause != 0 {
                write!(p, ", causing Message ID: 0x{cause:08x}");
            }
        }
        HELLO => {
            let (hold, flags) = (v.u16()?, v.u16()?);
            let kind = if flags & 0x8000 == 0 { "Link" } else { "Targeted" };
            let request = if flags & 0x4000 == 0 { "" } else { ", Request for targeted Hellos" };
            write!(p, "\n\t      Hold Time: {hold}s, Flags: [{kind} Hello{request}]");
        }
        IPV4 => write!(p, "\n\t      IPv4 Transport Address: {}", Ipv4::read(v)?),
        SEQUENCE => write!(p, "\n\t      Sequence Number: {}", v.u32()?),
        IPV6 => write!(p, "\n\t      IPv6 Transport Address: {}", Ipv6::read(v)?),
        SESSION => {
            let (version, keepalive) = (v.u16()?, v.u16()?);
            // tcpdump looks for the flags two bytes later than they are.
            v.skip(2)?;
            let flags = v.u16()?;
            let downstream = if flags & 0x8000 == 0 { "Unsolicited" } else { "On Demand" };
            let detection = if flags & 0x4000 == 0 { "Disabled" } else { "Enabled" };
            write!(p, "\n\t      Version: {version}, Keepalive: {keepalive}s");
            write!(p, ", Flags: [Downstream {downstream}, Loop Detection {detection}]");
        }
        FAULT_TOLERANT => print_fault_tolerance(p, v)?,
        MTU => write!(p, "\n\t      MTU: {}", v.u16()?),
        _ if p.style.verbosity <= 1 => p.hex("\n\t      ", v.rest()),
        _ => {}
    }
    Ok(())
}

/// RFC 3479 §8.1.
fn print_fault_tolerance(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let flags = value.u16()?;
    value.skip(2)?;
    let (reconnect, recovery) = (value.u32()?, value.u32()?);
    let not = |bit: u16, text: &'static str| if flags & bit == 0 { text } else { "" };
    write!(p, "\n\t      Flags: [{}Reconnect", not(0x8000, "No "));
    write!(p, ", {}Save State, {}All-Label Protection", not(0x8, "Don't "), not(0x4, "No "));
    let checkpoint = if flags & 0x2 == 0 { "All Labels" } else { "Sequence Numbered Label" };
    write!(p, ", {checkpoint} Checkpoint, {}Re-Learn State]", not(0x1, "Don't "));
    if reconnect != 0 {
        write!(p, ", Reconnect Timeout: {reconnect}ms");
    }
    if recovery != 0 {
        write!(p, ", Recovery Time: {recovery}ms");
    }
    Ok(())
}

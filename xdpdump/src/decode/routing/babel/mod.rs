//! Babel (RFC 8966, RFC 8967, RFC 7557).

mod prefix;

use std::fmt;

use crate::decode::address::Mac;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::babel::prefix::{Network, Prefixes, read_address, read_prefix};

pub(in crate::decode) const PORT: u16 = 6696;
/// The port of the drafts.
pub(in crate::decode) const OLD_PORT: u16 = 6697;

const MAGIC: u8 = 42;

const PAD: u8 = 0;
const HELLO: u8 = 4;
const NEIGHBOR: u8 = 5;
const UPDATE: u8 = 8;

/// An interval in hundredths of a second.
struct Interval(u16);

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0.0s (bogus)"),
            hundredths => write!(f, "{}.{:02}s", hundredths / 100, hundredths % 100),
        }
    }
}

/// Prints a packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("babel");
    p.text("babel");
    cursor.need(4)?;
    let (magic, version) = (cursor.u8()?, cursor.u8()?);
    let len = usize::from(cursor.u16()?);
    if magic != MAGIC {
        p.text(" invalid header");
        return Ok(());
    }
    write!(p, " {version}");
    if version != 2 {
        p.text(" unknown version");
        return Ok(());
    }
    write!(p, " ({len})");
    if len + 4 > layer.len {
        p.text(" (invalid)");
        return Ok(());
    }
    let mut prefixes = Prefixes::default();
    let whole = cursor.rest().get(..len);
    let body = Cursor::new("babel", whole.unwrap_or(cursor.rest()));
    if !print_messages(p, body, len, &mut prefixes)? {
        p.text(" (invalid)");
        return Ok(());
    }
    if len + 4 < layer.len {
        p.text(if p.verbose() { "\n\t----" } else { " |" });
        cursor.skip(len)?;
        let trailer = layer.len - len - 4;
        let bytes = cursor.rest().get(..trailer).unwrap_or(cursor.rest());
        if !print_messages(p, Cursor::new("babel", bytes), trailer, &mut prefixes)? {
            p.text(" (invalid)");
        }
    }
    Ok(())
}

/// Prints the messages in `len` bytes; false if one is malformed.
fn print_messages(
    p: &mut Printer<'_>,
    mut cursor: Cursor<'_>,
    len: usize,
    prefixes: &mut Prefixes,
) -> Result<bool, Truncated> {
    while cursor.at() < len {
        let kind = cursor.u8()?;
        if kind == PAD {
            p.text(if p.verbose() { "\n\tPad 1" } else { " pad1" });
            continue;
        }
        if cursor.at() >= len {
            return Ok(false);
        }
        let size = usize::from(cursor.u8()?);
        if cursor.at() + size > len {
            return Ok(false);
        }
        let mut value = Cursor::new("babel", cursor.take(size)?);
        let valid = if p.verbose() {
            print_message(p, kind, &mut value, prefixes)
        } else {
            print_name(p, kind, &value)
        };
        if !valid {
            return Ok(false);
        }
    }
    Ok(true)
}

fn print_flags(p: &mut Printer<'_>, flags: u8) {
    for (mask, name) in [(0x80, "/prefix"), (0x40, "/id"), (0x3f, "/unknown")] {
        if flags & mask != 0 {
            p.text(name);
        }
    }
}

/// Prints the name of a message.
fn print_name(p: &mut Printer<'_>, kind: u8, value: &Cursor<'_>) -> bool {
    p.text(match kind {
        1 => " padN",
        2 => " ack-req",
        3 => " ack",
        HELLO => " hello",
        NEIGHBOR => " ihu",
        6 => " router-id",
        7 => " nh",
        UPDATE => " update",
        9 => " route-request",
        10 => " seqno-request",
        11 => " tspc",
        12 => " hmac",
        13 => " ss-update",
        14 => " ss-request",
        15 => " ss-mh-request",
        16 => " mac",
        17 => " pc",
        18 => " challenge_request",
        19 => " challenge_reply",
        _ => " unknown",
    });
    if kind == UPDATE {
        let Some(flags) = value.rest().get(1) else { return false };
        print_flags(p, *flags);
    }
    true
}

/// Prints a message in a line; false if it is malformed.
fn print_message(p: &mut Printer<'_>, kind: u8, value: &mut Cursor<'_>, prefixes: &mut Prefixes) -> bool {
    let len = value.rest().len();
    let (label, shortest) = match kind {
        1 => ("Pad ", 0),
        2 => ("Acknowledgment Request ", 6),
        3 => ("Acknowledgment ", 2),
        HELLO => ("Hello ", 6),
        NEIGHBOR => ("IHU ", 6),
        6 => ("Router Id", 10),
        7 => ("Next Hop", 2),
        UPDATE => ("Update", 10),
        9 => ("Route Request ", 2),
        10 => ("Seqno Request ", 14),
        11 => ("TS/PC ", 6),
        12 => ("HMAC ", 18),
        13 => ("SS-Update", 0),
        14 => ("SS-Request ", 0),
        15 => ("SS-MH-Request ", 0),
        16 => ("MAC ", 0),
        17 => ("PC ", 0),
        18 => ("Challenge Request ", 0),
        19 => ("Challenge Reply ", 0),
        _ => {
            write!(p, "\n\tUnknown message type {kind}");
            return true;
        }
    };
    write!(p, "\n\t{label}");
    if len < shortest {
        return false;
    }
    print_fields(p, kind, value, prefixes).unwrap_or(false)
}

fn print_fields(
    p: &mut Printer<'_>,
    kind: u8,
    value: &mut Cursor<'_>,
    prefixes: &mut Prefixes,
) -> Result<bool, Truncated> {
    let len = value.rest().len();
    match kind {
        1 => write!(p, "{}", len + 2),
        2 => {
            value.skip(2)?;
            write!(p, "{:04x} {}", value.u16()?, Interval(value.u16()?));
        }
        3 => {
            write!(p, "{:04x}", value.u16()?);
        }
        HELLO => {
            let flags = value.u16()?;
            let (sequence, interval) = (value.u16()?, value.u16()?);
            let unicast = if flags & 0x8000 == 0 { "" } else { "(Unicast) " };
            write!(p, "{unicast}seqno {sequence} ");
            if interval == 0 {
                p.text("unscheduled");
            } else {
                write!(p, "interval {}", Interval(interval));
            }
            print_details(p, kind, *value);
        }
        NEIGHBOR => {
            let family = value.u8()?;
            value.skip(1)?;
            let (cost, interval) = (value.u16()?, Interval(value.u16()?));
            let Some(address) = read_address(family, value)? else { return Ok(false) };
            write!(p, "{address} rxcost {cost} interval {interval}");
            print_details(p, kind, *value);
        }
        6 => {
            value.skip(2)?;
            write!(p, " {}", Mac(value.take(8)?));
        }
        7 => {
            let family = value.u8()?;
            value.skip(1)?;
            let Some(address) = read_address(family, value)? else { return Ok(false) };
            write!(p, " {address}");
        }
        UPDATE => return print_update(p, value, prefixes),
        9 => {
            let (family, bits) = (value.u8()?, value.u8()?);
            let Some(network) = read_prefix(family, bits, 0, &mut Prefixes::default(), false, value)? else {
                return Ok(false);
            };
            p.text("for ");
            print_network(p, network, bits);
        }
        10 => {
            let (family, bits, sequence) = (value.u8()?, value.u8()?, value.u16()?);
            let hops = value.u8()?;
            value.skip(1)?;
            let id = Mac(value.take(8)?);
            let network = read_prefix(family, bits, 0, &mut Prefixes::default(), false, value)?;
            write!(p, "({hops} hops) for ");
            match network {
                Some(Network::Any) => p.text("invalid AE 0"),
                Some(network) => print_network(p, network, bits),
                None => return Ok(false),
            }
            write!(p, " seqno {sequence} id {id}");
        }
        11 => {
            let counter = value.u16()?;
            write!(p, "timestamp {} packetcounter {counter}", value.u32()?);
        }
        12 => {
            write!(p, "key-id {} digest-{} ", value.u16()?, len - 2);
            for byte in value.rest() {
                write!(p, "{byte:02X}");
            }
        }
        16 | 18 | 19 => write!(p, "len {len}"),
        17 => write!(p, "value {} index len {}", value.u32()?, len.saturating_sub(4)),
        _ => {}
    }
    Ok(true)
}

fn print_update(
    p: &mut Printer<'_>,
    value: &mut Cursor<'_>,
    prefixes: &mut Prefixes,
) -> Result<bool, Truncated> {
    let (family, flags, bits, omitted) = (value.u8()?, value.u8()?, value.u8()?, value.u8()?);
    let (interval, sequence, metric) = (value.u16()?, value.u16()?, value.u16()?);
    let Some(network) = read_prefix(family, bits, omitted, prefixes, flags & 0x80 != 0, value)? else {
        return Ok(false);
    };
    print_flags(p, flags);
    p.text(" ");
    print_network(p, network, bits);
    write!(p, " metric {metric} seqno {sequence} interval ");
    if interval == 0xffff {
        p.text("infinity");
    } else {
        write!(p, "{}", Interval(interval));
    }
    print_details(p, UPDATE, *value);
    Ok(true)
}

fn print_network(p: &mut Printer<'_>, network: Network, bits: u8) {
    match network {
        // IPv4 prefixes are counted like those of IPv6 that contain them.
        Network::Any => p.text("any"),
        _ => write!(p, "{network}/{bits}"),
    }
}

/// Prints what follows the fields of a message (RFC 8966 §4.4); the next message is printed even if it is malformed.
fn print_details(p: &mut Printer<'_>, kind: u8, value: Cursor<'_>) {
    if !matches!(print_elements(p, kind, value), Ok(true)) {
        p.text(" (invalid)");
    }
}

fn print_elements(p: &mut Printer<'_>, kind: u8, mut value: Cursor<'_>) -> Result<bool, Truncated> {
    while !value.rest().is_empty() {
        let sub = value.u8()?;
        if sub == PAD {
            p.text(" sub-pad1");
            continue;
        }
        if sub & 0x80 != 0 {
            p.text(" (M)");
        }
        let len = usize::from(value.u8()?);
        let mut inner = Cursor::new("babel", value.take(len)?);
        match sub {
            1 => p.text(" sub-padn"),
            2 => {
                p.text(" sub-diversity");
                for (i, channel) in inner.rest().iter().enumerate() {
                    write!(p, "{}{channel}", if i == 0 { " " } else { "-" });
                }
                if len == 0 {
                    p.text(" empty");
                }
            }
            3 => {
                p.text(" sub-timestamp");
                match (kind, len) {
                    (HELLO, 4..) => write!(p, " {}", Timestamp(inner.u32()?)),
                    (NEIGHBOR, 8..) => {
                        write!(p, " {}|{}", Timestamp(inner.u32()?), Timestamp(inner.u32()?));
                    }
                    _ => return Ok(false),
                }
            }
            _ => write!(p, " sub-unknown-0x{sub:02x}"),
        }
    }
    Ok(true)
}

/// A time in microseconds.
struct Timestamp(u32);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

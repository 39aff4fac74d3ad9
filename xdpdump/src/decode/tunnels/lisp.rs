//! The control messages of the locator/identifier separation protocol (RFC 9301): registrations and notifications.

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const REGISTER: u32 = 3;
const NOTIFY: u32 = 4;
const HEADER: usize = 16;
const REGISTER_FLAGS: [(u32, &str); 5] = [
    (0x0800_0000, "P-Proxy-Map-Reply"),
    (0x0400_0000, "S-LISP-SEC-Capable"),
    (0x0200_0000, "I-xTR-ID-Present"),
    (0x0100_0000, "R-Build-For-RTR"),
    (0x0000_0100, "M-Want-Map-Notify"),
];
const NOTIFY_FLAGS: [(u32, &str); 2] = [(0x0800_0000, "I-xTR-ID-Present"), (0x0400_0000, "R-Build-For-RTR")];
const LOCATOR_FLAGS: [(u32, &str); 3] = [(4, "Local-Locator"), (2, "RLoc-Probed"), (1, "Reachable")];
/// Bytes of a record before its identifier's address, and of a locator before its address.
const RECORD: usize = 12;
const LOCATOR: usize = 8;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("lisp");
    cursor.need(HEADER)?;
    let first = cursor.u32()?;
    cursor.skip(8)?;
    let (key, len) = (cursor.u16()?, usize::from(cursor.u16()?));
    let kind = first >> 28;
    p.text(match kind {
        0 => "LISP-Reserved",
        1 => "LISP-Map-Request",
        2 => "LISP-Map-Reply",
        REGISTER => "LISP-Map-Register",
        NOTIFY => "LISP-Map-Notify",
        8 => "LISP-Encapsulated-Contol-Message",
        _ => "unknown-type",
    });
    p.text(",");
    let (table, extended): (&[(u32, &str)], _) = match kind {
        REGISTER => (&REGISTER_FLAGS, 0x0200_0000),
        NOTIFY => (&NOTIFY_FLAGS, 0x0800_0000),
        _ => return Ok(()),
    };
    let records = first & 0xff;
    if p.verbose() {
        p.text(" flags [");
        p.flags(first, table, ", ");
        write!(p, "],\n    {records} record(s), Authentication ");
        p.text(match key {
            0 => "None,",
            1 => "SHA1,",
            2 => "SHA256,",
            _ => "unknown-type,",
        });
        let data = cursor.take(len)?;
        if !data.is_empty() {
            p.hex("\n    Authentication-Data: ", data);
        }
    } else {
        write!(p, " {records} record(s),");
        cursor.skip(len)?;
    }
    let mut left = layer.len.saturating_sub(HEADER + len);
    for _ in 0..records {
        match print_record(p, &mut cursor, left)? {
            Some(used) => left -= used,
            // What is not understood ends the message.
            None => return Ok(()),
        }
    }
    if first & extended != 0 {
        if left < 24 {
            return p.invalid(layer, "lisp");
        }
        p.hex("\n    xTR-ID: ", cursor.take(16)?);
        write!(p, "\n    SITE-ID: {}", cursor.u64()?);
    } else if left > 0 && !cursor.rest().is_empty() {
        p.hex("\n    Data: ", cursor.rest());
    }
    Ok(())
}

/// Prints a record of at most `left` bytes; returns its size, or `None` if the list ends here.
fn print_record(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    left: usize,
) -> Result<Option<usize>, Truncated> {
    if left < RECORD {
        return Ok(None);
    }
    cursor.need(RECORD)?;
    let ttl = cursor.u32()?;
    let (locators, mask, flags) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    let (version, family) = (cursor.u16()?, cursor.u16()?);
    p.text("\n");
    if p.verbose() {
        let authoritative = if flags & 0x1000 == 0 { "Non-Authoritative" } else { "Authoritative" };
        let action = match flags >> 13 {
            0 => "No-Action",
            1 => "Natively-Forward",
            2 => "Send-Map-Request",
            3 => "Drop",
            _ => "unknown",
        };
        write!(p, "      Record TTL {ttl}, {authoritative}, {action}, Map Version: {},", version & 0xfff);
    }
    let mut used = RECORD;
    match family {
        1 => write!(p, " EID {}/{mask},", Ipv4::read(cursor)?),
        2 => write!(p, " EID {}/{mask},", Ipv6::read(cursor)?),
        _ => return Ok(None),
    }
    used += address_len(family);
    write!(p, " {locators} locator(s)");
    for _ in 0..locators {
        if left < used + LOCATOR {
            break;
        }
        cursor.need(LOCATOR)?;
        let [priority, weight, multicast_priority, multicast_weight] = cursor.array()?;
        let (flags, family) = (cursor.u16()?, cursor.u16()?);
        if p.verbose() {
            p.text("\n       ");
        }
        match family {
            1 => write!(p, " LOC {}", Ipv4::read(cursor)?),
            2 => write!(p, " LOC {}", Ipv6::read(cursor)?),
            _ => {}
        }
        used += LOCATOR + address_len(family);
        if p.verbose() {
            write!(p, "\n          Priority/Weight {priority}/{weight}, ");
            write!(p, "Multicast Priority/Weight {multicast_priority}/{multicast_weight}, flags [");
            p.flags(u32::from(flags), &LOCATOR_FLAGS, ", ");
            p.text("],");
        }
    }
    Ok(if used > left { None } else { Some(used) })
}

fn address_len(family: u16) -> usize {
    match family {
        1 => 4,
        2 => 16,
        _ => 0,
    }
}

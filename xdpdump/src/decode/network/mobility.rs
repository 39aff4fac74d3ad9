//! The mobility header of IPv6 (RFC 6275).

use crate::decode::address::Ipv6;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const REFRESH: u8 = 0;
const HOME_TEST_INIT: u8 = 1;
const CARE_OF_TEST_INIT: u8 = 2;
const HOME_TEST: u8 = 3;
const CARE_OF_TEST: u8 = 4;
const UPDATE: u8 = 5;
const ACKNOWLEDGMENT: u8 = 6;
const ERROR: u8 = 7;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.skip(1).cursor("mobility");
    let len = (usize::from(cursor.u8()?) + 1) * 8;
    let kind = cursor.u8()?;
    let least = match kind {
        HOME_TEST_INIT | CARE_OF_TEST_INIT => 16,
        HOME_TEST | CARE_OF_TEST | ERROR => 24,
        UPDATE | ACKNOWLEDGMENT => 12,
        _ => 8,
    };
    if len < least {
        write!(p, "(header length {len} is too small for type {kind})");
        return Err(cursor.truncated());
    }
    p.text("mobility: ");
    match kind {
        REFRESH => p.text("BRR"),
        HOME_TEST_INIT => p.text("HoTI"),
        CARE_OF_TEST_INIT => p.text("CoTI"),
        HOME_TEST => p.text("HoT"),
        CARE_OF_TEST => p.text("CoT"),
        UPDATE => p.text("BU"),
        ACKNOWLEDGMENT => p.text("BA"),
        ERROR => p.text("BE"),
        _ => write!(p, "type-#{kind} len={}", len / 8 - 1),
    }
    if kind > ERROR {
        return Ok(());
    }
    let mut cursor = layer.skip(6).cursor("mobility");
    let options = print_fields(p, kind, &mut cursor)?;
    if p.verbose() && len > options {
        print_options(p, layer.skip(options), len - options)?;
    }
    Ok(())
}

/// Prints the fields of a message from its seventh byte on, and returns where its options begin.
fn print_fields(
    p: &mut Printer<'_>,
    kind: u8,
    cursor: &mut Cursor<'_>,
) -> Result<usize, crate::decode::cursor::Truncated> {
    let test = if matches!(kind, HOME_TEST_INIT | HOME_TEST) { "Home" } else { "Care-of" };
    match kind {
        HOME_TEST_INIT | CARE_OF_TEST_INIT => {
            cursor.skip(2)?;
            if p.verbose() {
                cursor.need(8)?;
                write!(p, " {test} Init Cookie=");
                print_pair(p, cursor)?;
            }
            Ok(16)
        }
        HOME_TEST | CARE_OF_TEST => {
            write!(p, " nonce id=0x{:x}", cursor.u16()?);
            if p.verbose() {
                cursor.need(8)?;
                write!(p, " {test} Init Cookie=");
                print_pair(p, cursor)?;
                cursor.need(8)?;
                write!(p, " {test} Keygen Token=");
                print_pair(p, cursor)?;
            }
            Ok(24)
        }
        UPDATE => {
            write!(p, " seq#={}", cursor.u16()?);
            let flags = cursor.u16()?;
            if flags & 0xf000 != 0 {
                p.text(" ");
                p.flags(u32::from(flags), &[(0x8000, "A"), (0x4000, "H"), (0x2000, "L"), (0x1000, "K")], "");
            }
            // In units of 4 s.
            write!(p, " lifetime={}", u32::from(cursor.u16()?) << 2);
            Ok(12)
        }
        ACKNOWLEDGMENT => {
            write!(p, " status={}", cursor.u8()?);
            if cursor.u8()? & 0x80 != 0 {
                p.text(" K");
            }
            write!(p, " seq#={}", cursor.u16()?);
            write!(p, " lifetime={}", u32::from(cursor.u16()?) << 2);
            Ok(12)
        }
        ERROR => {
            write!(p, " status={}", cursor.u8()?);
            cursor.skip(1)?;
            write!(p, " homeaddr {}", Ipv6::read(cursor)?);
            Ok(24)
        }
        _ => Ok(8),
    }
}

fn print_pair(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let first = cursor.u32()?;
    write!(p, "{first:08x}");
    write!(p, ":{:08x}", cursor.u32()?);
    Ok(())
}

/// Prints the options in the first `len` bytes of the layer.
fn print_options(p: &mut Printer<'_>, layer: Layer<'_>, len: usize) -> Printed {
    let mut at = 0;
    while at < len {
        let option = layer.skip(at);
        let mut cursor = option.cursor("mobility");
        let kind = cursor.u8()?;
        if kind == 0 {
            cursor.need(1)?;
            p.text("(pad1)");
            at += 1;
            continue;
        }
        let known = match kind {
            1 => Some(("padn", 2)),
            2 => Some(("refresh", 4)),
            3 => Some(("altcoa", 18)),
            4 => Some(("ni", 6)),
            5 => Some(("auth", 12)),
            _ => None,
        };
        let size = usize::from(cursor.u8()?) + 2;
        if at + size > len {
            return Err(cursor.truncated());
        }
        // tcpdump wants to see the byte after the option, too.
        option.cursor("mobility").need(size + 1)?;
        match known {
            // tcpdump does not look at the option's own length.
            Some((name, least)) if len - at < least => {
                write!(p, "({name}: trunc)");
                return Err(cursor.truncated());
            }
            Some(("padn", _)) => p.text("(padn)"),
            Some(("refresh", _)) => write!(p, "(refresh: {})", u32::from(cursor.u16()?) << 2),
            Some(("altcoa", _)) => write!(p, "(alt-CoA: {})", Ipv6::read(&mut cursor)?),
            Some(("ni", _)) => write!(p, "(ni: ho=0x{:04x} co=0x{:04x})", cursor.u16()?, cursor.u16()?),
            Some(_) => p.text("(auth)"),
            None => write!(p, "(type-0x{kind:02x}: len={})", size - 2),
        }
        at += size;
    }
    Ok(())
}

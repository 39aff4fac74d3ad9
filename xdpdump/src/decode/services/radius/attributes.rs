//! The attributes of RADIUS (RFC 2865 §5, RFC 2868, RFC 2869, RFC 3162, RFC 4675, RFC 5447, RFC 5580).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::link::eap;
use crate::decode::printer::Printer;
use crate::decode::services::radius::location::{
    print_location, print_mobility, print_operator, print_policy,
};
use crate::decode::services::radius::{names, values};

/// Prints the attributes in the next `len` bytes.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    let mut left = len;
    while left > 0 {
        cursor.need(2)?;
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        let name = names::attribute(kind).unwrap_or("Unknown");
        write!(p, "\n\t  {name} Attribute ({kind}), length: {len}");
        if len < 2 {
            p.text(" (bogus, must be >= 2)");
            return Ok(());
        }
        if len > left {
            p.text(" (bogus, goes past end of packet)");
            return Ok(());
        }
        p.text(", Value: ");
        let value = cursor.take(len - 2)?;
        if !value.is_empty() {
            print_value(p, kind, value)?;
        }
        if p.style.verbosity > 1 {
            p.hex("\n\t    ", value);
        }
        left -= len;
    }
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "a table with a line for each attribute")]
fn print_value(p: &mut Printer<'_>, kind: u8, value: &[u8]) -> Printed {
    let mut cursor = Cursor::new("radius", value);
    match kind {
        4 | 8 | 9 | 14 => print_address(p, kind, &mut cursor),
        5..=7
        | 10
        | 12
        | 13
        | 15
        | 16
        | 23
        | 27..=29
        | 37
        | 38
        | 40..=43
        | 45..=49
        | 51..=53
        | 55..=57
        | 61
        | 62
        | 64
        | 65
        | 72
        | 75
        | 76
        | 83
        | 85
        | 86 => print_number(p, kind, &mut cursor),
        1
        | 11
        | 18..=20
        | 22
        | 24
        | 25
        | 30..=36
        | 39
        | 44
        | 50
        | 60
        | 63
        | 68
        | 73
        | 74
        | 77
        | 78
        | 80
        | 87..=89
        | 92
        | 99
        | 100
        | 103..=122 => {
            print_text(p, value);
            Ok(())
        }
        26 => print_vendor(p, &mut cursor),
        58 => {
            print_vlan_tag(p, cursor.u8()?);
            print_text(p, cursor.rest());
            Ok(())
        }
        66 | 67 | 81 | 82 | 90 | 91 => {
            if value.first().is_some_and(|tag| *tag < 0x20) {
                print_tag(p, u32::from(cursor.u8()?));
            }
            print_text(p, cursor.rest());
            Ok(())
        }
        69 => {
            cursor.need(3)?;
            let tag = cursor.u8()?;
            print_tag(p, if tag < 0x20 { u32::from(tag) } else { 0 });
            write!(p, "Salt {} ", cursor.u16()?);
            print_text(p, cursor.rest());
            Ok(())
        }
        70 | 71 | 84 => print_apple_talk(p, kind, &mut cursor),
        79 => print_eap(p, &mut cursor),
        95 | 98 if sized(p, value, 16) => {
            write!(p, "{}", Ipv6::read(&mut cursor)?);
            Ok(())
        }
        97 | 123 => print_prefix(p, &mut cursor),
        101 => print_error_cause(p, &mut cursor),
        124 if sized(p, value, 8) => {
            print_mobility(p, cursor.u64()?);
            Ok(())
        }
        125 if sized(p, value, 17) => {
            let width = cursor.u8()?;
            if width > 128 {
                write!(p, "ERROR: netmask {width} not in range (0..128)");
            } else {
                write!(p, "{}/{width}", Ipv6::read(&mut cursor)?);
            }
            Ok(())
        }
        126 if at_least(p, value, 2) => print_operator(p, &mut cursor),
        127 if at_least(p, value, 21) => print_location(p, &mut cursor),
        128 if at_least(p, value, 3) => {
            write!(p, "index {}, location", cursor.u16()?);
            p.hex_ascii("\n\t    ", cursor.rest());
            Ok(())
        }
        129 if at_least(p, value, 10) => print_policy(p, &mut cursor),
        _ => Ok(()),
    }
}

/// Whether a value has the only length that is right; says so otherwise.
fn sized(p: &mut Printer<'_>, value: &[u8], len: usize) -> bool {
    if value.len() != len {
        write!(p, "ERROR: length {} != {len}", value.len());
    }
    value.len() == len
}

/// Whether a value is not too short; says so otherwise.
fn at_least(p: &mut Printer<'_>, value: &[u8], len: usize) -> bool {
    if value.len() < len {
        write!(p, "ERROR: length {} < {len}", value.len());
    }
    value.len() >= len
}

/// Prints text up to a zero byte, with dots for what is not printable.
fn print_text(p: &mut Printer<'_>, text: &[u8]) {
    print_bytes(p, text.split(|byte| *byte == 0).next().unwrap_or_default());
}

/// Prints all bytes, with dots for what is not printable.
fn print_bytes(p: &mut Printer<'_>, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b' '..=b'~' => p.escaped(&[*byte]),
            _ => p.text("."),
        }
    }
}

/// Prints the tag by which the attributes of several tunnels are told apart (RFC 2868 §3).
fn print_tag(p: &mut Printer<'_>, tag: u32) {
    if tag == 0 {
        p.text("Tag[Unused] ");
    } else {
        write!(p, "Tag[{tag}] ");
    }
}

/// Prints whether frames of a VLAN are tagged (RFC 4675 §2.1).
fn print_vlan_tag(p: &mut Printer<'_>, tag: u8) {
    let name = match tag {
        0x31 => "Tagged",
        0x32 => "Untagged",
        _ => "Unknown tag",
    };
    write!(p, "{name} (0x{tag:02x}) ");
}

fn print_address(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Printed {
    if !sized(p, cursor.rest(), 4) {
        return Ok(());
    }
    let address = Ipv4::read(cursor)?;
    match u32::from_be_bytes(address.0) {
        0xffff_ffff if matches!(kind, 8 | 14) => p.text("User Selected"),
        0xffff_fffe if matches!(kind, 8 | 14) => p.text("NAS Select"),
        _ => write!(p, "{address}"),
    }
    Ok(())
}

fn print_number(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Printed {
    if !sized(p, cursor.rest(), 4) {
        return Ok(());
    }
    let mut value = cursor.u32()?;
    match kind {
        56 => {
            let [tag, rest @ ..] = value.to_be_bytes();
            print_vlan_tag(p, tag);
            value = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]);
        }
        64 | 65 | 83 => {
            print_tag(p, value >> 24);
            value &= 0x00ff_ffff;
        }
        _ => {}
    }
    match kind {
        23 if value == 0xffff_fffe => p.text("NAS Select"),
        27 | 28 | 41 | 46 | 85 => print_duration(p, value),
        37 if value == 0 => p.text("Unnumbered"),
        38 if value == 0 => p.text("NAS assigned"),
        55 => print_date(p, value),
        _ => match values::of(kind) {
            Some(names) => {
                let name = names.iter().find(|(number, _)| *number == value).map(|(_, name)| *name);
                p.name(name, format_args!("#{value}"));
            }
            None => write!(p, "{value}"),
        },
    }
    Ok(())
}

fn print_duration(p: &mut Printer<'_>, seconds: u32) {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if seconds < 60 {
        write!(p, "{rest:02} secs");
    } else if seconds < 3600 {
        write!(p, "{minutes:02}:{rest:02} min");
    } else {
        write!(p, "{hours:02}:{minutes:02}:{rest:02} hours");
    }
}

/// Prints a point in time, as UTC.
fn print_date(p: &mut Printer<'_>, seconds: u32) {
    if let Some(time) = chrono::DateTime::from_timestamp(i64::from(seconds), 0) {
        write!(p, "{}", time.format("%a %b %e %H:%M:%S %Y"));
    }
}

fn print_vendor(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let vendor = cursor.u32()?;
    write!(p, "Vendor: {} ({vendor})", names::vendor(vendor).unwrap_or("Unknown"));
    while cursor.rest().len() >= 2 {
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        write!(p, "\n\t    Vendor Attribute: {kind}, Length: ");
        let Some(len) = len.checked_sub(2) else {
            write!(p, "{len} (bogus, must be >= 2)");
            return Ok(());
        };
        if len > cursor.rest().len() {
            write!(p, "{} (bogus, goes past end of vendor-specific attribute)", len + 2);
            return Ok(());
        }
        write!(p, "{len}, Value: ");
        print_bytes(p, cursor.take(len)?);
    }
    Ok(())
}

/// Prints the attributes of AppleTalk's remote access (RFC 2869 §5.4, §5.5, §5.15).
fn print_apple_talk(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Printed {
    match kind {
        70 if sized(p, cursor.rest(), 16) => {
            write!(p, "User_challenge ({:016x})", cursor.u64()?);
            write!(p, " User_resp({:016X})", cursor.u64()?);
        }
        71 if sized(p, cursor.rest(), 14) => {
            p.text(if cursor.u8()? == 0 { "User cannot" } else { "User can" });
            write!(p, " change password, Min password length: {}", cursor.u8()?);
            write!(p, ", created at: {:08X}", cursor.u32()?);
            write!(p, ", expires in: {:08X}", cursor.u32()?);
            write!(p, ", Current Time: {:08X}", cursor.u32()?);
        }
        84 if cursor.rest().len() < 8 => {
            sized(p, cursor.rest(), 8);
        }
        84 => p.digits(cursor.take(8)?),
        _ => {}
    }
    Ok(())
}

/// Prints an EAP packet, or says that this is a part of one (RFC 3579 §3.1).
fn print_eap(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let packet = cursor.rest();
    cursor.need(2)?;
    cursor.skip(2)?;
    if packet.len() < 4 || usize::from(cursor.u16()?) != packet.len() {
        cursor.need(if packet.len() < 4 { usize::MAX } else { 0 })?;
        p.text("EAP fragment?");
        return Ok(());
    }
    eap::print(p, Layer { bytes: packet, len: packet.len() })
}

fn print_prefix(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let len = cursor.rest().len();
    if !(2..=18).contains(&len) {
        write!(p, "ERROR: length {len} not in range (2..18)");
        return Ok(());
    }
    cursor.skip(1)?;
    let width = cursor.u8()?;
    if width > 128 {
        write!(p, "ERROR: netmask {width} not in range (0..128)");
        return Ok(());
    }
    let mut address = [0; 16];
    address.iter_mut().zip(cursor.rest()).for_each(|(to, from)| *to = *from);
    write!(p, "{}/{width}", Ipv6(address));
    if usize::from(width) > cursor.rest().len() * 8 {
        p.text(" (inconsistent prefix length)");
    }
    Ok(())
}

fn print_error_cause(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let len = cursor.rest().len();
    if len != 4 {
        write!(p, "Error: length {len} != 4");
        return Ok(());
    }
    let cause = cursor.u32()?;
    write!(p, "Error cause {cause}: ");
    p.name(values::error_cause(cause), format_args!("Error-Cause {cause} not known"));
    Ok(())
}

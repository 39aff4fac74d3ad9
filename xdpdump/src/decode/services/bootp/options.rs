//! The options of DHCP (RFC 2132).

use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::services::bootp::option_names::{Shape, option};

const PAD: u8 = 0;
const END: u8 = 255;

/// Prints options up to the last one.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    while !cursor.rest().is_empty() {
        let kind = cursor.u8()?;
        match kind {
            PAD => continue,
            END => return Ok(()),
            _ => {}
        }
        let known = option(kind);
        write!(p, "\n\t    {} ({kind})", known.map_or("Unknown", |(name, _)| name));
        let len = cursor.u8()?;
        write!(p, ", length {len}");
        if len > 0 {
            p.text(": ");
        }
        let value = cursor.take(usize::from(len))?;
        let shape = known.map_or_else(|| guess(value), |(_, shape)| shape);
        let mut value = Cursor::new("bootp", value);
        print_value(p, &mut value, shape)?;
        let left = value.rest().len();
        if left > 0 {
            write!(p, "\n\t  trailing data length {left}");
        }
    }
    Ok(())
}

/// Unknown options are shown as numbers of the size that their length allows.
fn guess(value: &[u8]) -> Shape {
    if !value.len().is_multiple_of(2) {
        Shape::Bytes
    } else if !value.len().is_multiple_of(4) {
        Shape::Shorts
    } else {
        Shape::Longs
    }
}

fn print_value(p: &mut Printer<'_>, value: &mut Cursor<'_>, shape: Shape) -> Printed {
    match shape {
        Shape::Addresses => list(p, value, 4, |p, value| {
            write!(p, "{}", Ipv4::read(value)?);
            Ok(())
        }),
        Shape::AddressPairs => list(p, value, 8, |p, value| {
            write!(p, "({}:{})", Ipv4::read(value)?, Ipv4::read(value)?);
            Ok(())
        }),
        Shape::Longs => list(p, value, 4, |p, value| {
            write!(p, "{}", value.u32()?);
            Ok(())
        }),
        Shape::SignedLongs => list(p, value, 4, |p, value| {
            write!(p, "{}", value.u32()?.cast_signed());
            Ok(())
        }),
        Shape::Shorts => list(p, value, 2, |p, value| {
            write!(p, "{}", value.u16()?);
            Ok(())
        }),
        Shape::Flags => list(p, value, 1, |p, value| {
            match value.u8()? {
                0 => p.text("N"),
                1 => p.text("Y"),
                other => write!(p, "{other}?"),
            }
            Ok(())
        }),
        Shape::MessageType if value.rest().len() == 1 => print_message_type(p, value),
        Shape::Bytes | Shape::MessageType => {
            for (i, byte) in value.take(value.rest().len())?.iter().enumerate() {
                write!(p, "{}{byte}", if i > 0 { "." } else { "" });
            }
            Ok(())
        }
        Shape::Text => {
            print_text(p, value.take(value.rest().len())?);
            Ok(())
        }
        Shape::Requested => print_requested(p, value),
        Shape::Agent => print_agent(p, value),
        Shape::NodeType | Shape::Overload => print_choice(p, value, shape),
        Shape::FullName => print_full_name(p, value),
        Shape::ClientId => print_client(p, value),
        Shape::UserClass => print_user_class(p, value),
        Shape::Routes => print_routes(p, value),
    }
}

/// Prints items of `size` bytes, separated by commas; what is too short for an item stays.
fn list(
    p: &mut Printer<'_>,
    value: &mut Cursor<'_>,
    size: usize,
    item: fn(&mut Printer<'_>, &mut Cursor<'_>) -> Printed,
) -> Printed {
    let mut before = "";
    while value.need(size).is_ok() {
        p.text(before);
        item(p, value)?;
        before = ",";
    }
    Ok(())
}

fn print_text(p: &mut Printer<'_>, text: &[u8]) {
    p.text("\"");
    p.escaped(text);
    p.text("\"");
}

/// Says that an option is too short for its header, and skips the rest of it.
fn too_short(p: &mut Printer<'_>, value: &mut Cursor<'_>, least: usize) -> Printed {
    write!(p, "[ERROR: length < {least} bytes]");
    value.skip(value.rest().len())
}

fn print_message_type(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let kind = value.u8()?;
    let name = match kind {
        1 => "Discover",
        2 => "Offer",
        3 => "Request",
        4 => "Decline",
        5 => "ACK",
        6 => "NACK",
        7 => "Release",
        8 => "Inform",
        10 => "LeaseQuery",
        11 => "LeaseUnassigned",
        12 => "LeaseUnknown",
        13 => "LeaseActive",
        _ => {
            write!(p, "Unknown ({kind})");
            return Ok(());
        }
    };
    p.text(name);
    Ok(())
}

/// Prints four names a line.
fn print_requested(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    for (i, kind) in value.take(value.rest().len())?.iter().enumerate() {
        let name = match *kind {
            PAD => "PAD",
            END => "END",
            kind => option(kind).map_or("Unknown", |(name, _)| name),
        };
        write!(p, "{}{name} ({kind})", if i % 4 == 0 { "\n\t      " } else { ", " });
    }
    Ok(())
}

fn print_choice(p: &mut Printer<'_>, value: &mut Cursor<'_>, shape: Shape) -> Printed {
    if value.rest().is_empty() {
        return too_short(p, value, 1);
    }
    let choice = value.u8()?;
    let name = match (shape, choice) {
        (Shape::NodeType, 1) => "b-node",
        (Shape::NodeType, 2) => "p-node",
        (Shape::NodeType, 4) => "m-node",
        (Shape::NodeType, 8) => "h-node",
        (Shape::Overload, 1) => "file",
        (Shape::Overload, 2) => "sname",
        (Shape::Overload, 3) => "file+sname",
        _ => {
            write!(p, "#{choice}");
            return Ok(());
        }
    };
    p.text(name);
    Ok(())
}

fn print_agent(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    while value.rest().len() >= 2 {
        let (kind, len) = (value.u8()?, usize::from(value.u8()?));
        let name = match kind {
            1 => "Circuit-ID",
            2 => "Remote-ID",
            6 => "Subscriber-ID",
            _ => "Unknown",
        };
        write!(p, "\n\t      {name} SubOption {kind}, length {len}: ");
        let Ok(data) = value.take(len) else {
            p.text("length goes past end of option");
            return value.skip(value.rest().len());
        };
        if name == "Unknown" {
            p.hex("\n\t\t", data);
        } else {
            p.escaped(data);
        }
    }
    Ok(())
}

fn print_full_name(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if value.rest().len() < 3 {
        return too_short(p, value, 3);
    }
    let flags = value.u8()?;
    if flags & 0xf0 != 0 {
        write!(p, "[ERROR: MBZ nibble 0x{:x} != 0] ", flags >> 4);
    }
    if flags & 0x0f != 0 {
        p.text("[");
        p.flags(u32::from(flags), &[(1, "S"), (2, "O"), (4, "E"), (8, "N")], "");
        p.text("] ");
    }
    // The results of both directions are obsolete (RFC 4702 §2.2).
    let results = (value.u8()?, value.u8()?);
    if results != (0, 0) {
        write!(p, "{}/{} ", results.0, results.1);
    }
    print_text(p, value.take(value.rest().len())?);
    Ok(())
}

fn print_client(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if value.rest().is_empty() {
        return too_short(p, value, 1);
    }
    let hardware = value.u8()?;
    let rest = value.take(value.rest().len())?;
    let name = match hardware {
        0 => {
            print_text(p, rest);
            return Ok(());
        }
        1 => "ether",
        6 => "ieee802",
        7 => "arcnet",
        15 => "frelay",
        23 => "strip",
        24 => "ieee1394",
        _ => {
            write!(p, "hardware-type {hardware}, {}", Mac(rest));
            return Ok(());
        }
    };
    write!(p, "{name} {}", Mac(rest));
    Ok(())
}

fn print_user_class(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if value.rest().len() < 2 {
        return too_short(p, value, 2);
    }
    let mut number = 0_u32;
    while !value.rest().is_empty() {
        number += 1;
        write!(p, "\n\t      instance#{number}: ");
        let len = value.u8()?;
        let text = value.take(usize::from(len));
        match text {
            _ if len == 0 => p.text("[ERROR: suboption length must be non-zero]"),
            Err(Truncated(_)) => p.text("[ERROR: invalid option]"),
            Ok(text) => {
                print_text(p, text);
                write!(p, ", length {len}");
                continue;
            }
        }
        return value.skip(value.rest().len());
    }
    Ok(())
}

/// Each route is the mask's width, as many bytes of the network as it needs, and the router.
fn print_routes(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if value.rest().len() < 5 {
        return too_short(p, value, 5);
    }
    let mut before = "";
    while !value.rest().is_empty() {
        p.text(before);
        before = ",";
        let width = value.u8()?;
        if width > 32 {
            write!(p, "[ERROR: Mask width ({width}) > 32]");
            return value.skip(value.rest().len());
        }
        let significant = usize::from(width).div_ceil(8);
        let (left, least) = (value.rest().len(), significant + 4);
        if left < least {
            write!(p, "[ERROR: Remaining length ({left}) < {least} bytes]");
            return value.skip(value.rest().len());
        }
        let mut network = [0; 4];
        network.iter_mut().zip(value.take(significant)?).for_each(|(to, from)| *to = *from);
        if width == 0 {
            p.text("(default");
        } else {
            write!(p, "({}/{width}", Ipv4(network));
        }
        write!(p, ":{})", Ipv4::read(value)?);
    }
    Ok(())
}

//! Communities of all kinds (RFC 1997, RFC 4360, RFC 8092).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;
use crate::decode::routing::bgp::names;
use crate::decode::routing::{gmpls, numbers};

/// Prints communities of four bytes.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    for left in (1..=len / 4).rev() {
        let value = cursor.u32()?;
        match value {
            0xffff_ff01 => p.text(" NO_EXPORT"),
            0xffff_ff02 => p.text(" NO_ADVERTISE"),
            0xffff_ff03 => p.text(" NO_EXPORT_SUBCONFED"),
            _ => {
                let separator = if left > 1 { ", " } else { "" };
                write!(p, "{}:{}{separator}", value >> 16, value & 0xffff);
            }
        }
    }
    Ok(())
}

/// Prints communities of twelve bytes.
pub(super) fn print_large(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    p.text("\n\t    ");
    for left in (1..=len / 12).rev() {
        let (administrator, first, second) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let separator = if left > 1 { ", " } else { "" };
        write!(p, "{administrator}:{first}:{second}{separator}");
    }
    Ok(())
}

const FLAGS: [(u32, &str); 2] = [(0x8000, "vendor-specific"), (0x4000, "non-transitive")];

/// Prints communities with a type and a value of six bytes, a line each.
pub(super) fn print_extended(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    for _ in 0..len / 8 {
        let kind = cursor.u16()?;
        let value = cursor.array::<6>()?;
        let name = names::extended_community(kind).unwrap_or("unknown extd community typecode");
        write!(p, "\n\t    {name} (0x{kind:04x}), Flags [");
        p.flags(u32::from(kind), &FLAGS, ", ");
        p.text("]: ");
        print_value(p, kind, value);
    }
    Ok(())
}

fn print_value(p: &mut Printer<'_>, kind: u16, value: [u8; 6]) {
    let [a, b, c, d, e, f] = value;
    let (first, last) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([e, f]));
    let address = Ipv4([a, b, c, d]);
    match kind {
        0x0002 | 0x0003 | 0x000a => {
            let number = u32::from_be_bytes([c, d, e, f]);
            write!(p, "{first}:{number} (= {})", Ipv4([c, d, e, f]));
        }
        0x0102 | 0x0103 | 0x010b | 0xf10a => write!(p, "{address}:{last}"),
        0x0202 | 0x0203 => write!(p, "{}:{last}", u32::from_be_bytes([a, b, c, d])),
        0x0005 | 0x0105 | 0x0205 | 0x8005 | 0x0107 | 0x8001 => write!(p, "{address}"),
        0x0009 => write!(p, "AS {first}"),
        0x4004 => {
            let rate = gmpls::megabits(u32::from_be_bytes([c, d, e, f]));
            write!(p, "bandwidth: {rate:.3} Mbps");
        }
        0x0306 | 0x8000 => {
            write!(p, "area:{address}, router-type:");
            match e {
                1 => p.text("Router"),
                2 => p.text("Network"),
                3 => p.text("Summary"),
                5 => p.text("External"),
                7 => p.text("NSSA External"),
                129 => p.text("MPLS-VPN Sham"),
                other => write!(p, "unknown (0x{other:02x})"),
            }
            p.text(", metric-type:");
            if f & 1 != 0 {
                p.text("E2");
            }
            if matches!(e, 5 | 7) {
                p.text("E1");
            }
        }
        0x030c => write!(p, "Tunnel type: {}", names::tunnel(last)),
        0x800a => {
            let name = numbers::l2vpn_encapsulation(a).unwrap_or("unknown encaps");
            write!(p, "{name} Control Flags [0x{b:02x}]:MTU {}", u16::from_be_bytes([c, d]));
        }
        _ => p.digits(&value),
    }
}

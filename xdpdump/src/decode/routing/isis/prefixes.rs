//! Prefixes that a router reaches (RFC 1195, RFC 5305, RFC 5308, RFC 8667).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::isis::{neighbors, topology};

/// Prints the elements 128, 130, 135, 235, 236 and 237; `all` begins with the value of `len` bytes.
pub(super) fn print(p: &mut Printer<'_>, kind: u8, all: &mut Cursor<'_>, len: usize) -> Printed {
    let mut left = len;
    if matches!(kind, 128 | 130) {
        while left >= 12 {
            print_narrow(p, all)?;
            left -= 12;
        }
        if left > 0 {
            write!(p, "short IPv4 Reachability ({left} vs 12)");
        }
        return Ok(());
    }
    if matches!(kind, 235 | 237) {
        topology::print(p, all)?;
        left = left.saturating_sub(2);
    }
    while left > 0 && !p.is_full() {
        let start = all.at();
        print_wide(p, matches!(kind, 236 | 237), all)?;
        let used = all.at() - start;
        if used > left {
            write!(p, " [remaining tlv length {left} < {used}] (invalid)");
            break;
        }
        left -= used;
    }
    Ok(())
}

/// Prints a prefix with its mask and four metrics.
fn print_narrow(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let metrics = cursor.array::<4>()?;
    let address = Ipv4::read(cursor)?;
    let mask = cursor.u32()?;
    let ones = mask.leading_ones();
    if mask.checked_shl(ones).unwrap_or(0) == 0 {
        write!(p, "\n\t      IPv4 prefix: {:>15}/{ones}", address.to_string());
    } else {
        write!(p, "\n\t      IPv4 prefix: {address} mask {}", Ipv4(mask.to_be_bytes()));
    }
    let [default, others @ ..] = metrics;
    let distribution = if default & 0x80 == 0 { "up" } else { "down" };
    write!(p, ", Distribution: {distribution}, Metric: {}", default & 0x3f);
    write!(p, ", {}", neighbors::internal(default));
    for (metric, name) in others.iter().zip(["Delay", "Expense", "Error"]) {
        if metric & 0x80 == 0 {
            let kind = neighbors::internal(*metric);
            write!(p, "\n\t        {name} Metric: {}, {kind}", metric & 0x3f);
        }
    }
    Ok(())
}

/// Prints a prefix with a metric of 32 bits.
fn print_wide(p: &mut Printer<'_>, is_v6: bool, cursor: &mut Cursor<'_>) -> Printed {
    let metric = cursor.u32()?;
    let status = cursor.u8()?;
    let bits = if is_v6 { cursor.u8()? } else { status & 0x3f };
    let (version, longest) = if is_v6 { (6, 128) } else { (4, 32) };
    if bits > longest {
        write!(p, "\n\t      IPv{version} prefix: bad bit length {bits}");
        return Err(cursor.truncated());
    }
    let mut address = [0; 16];
    for (to, from) in address.iter_mut().zip(cursor.take(usize::from(bits).div_ceil(8))?) {
        *to = *from;
    }
    if is_v6 {
        write!(p, "\n\t      IPv6 prefix: {}/{bits}", Ipv6(address));
    } else {
        let [a, b, c, d, ..] = address;
        write!(p, "\n\t      IPv4 prefix: {:>15}/{bits}", Ipv4([a, b, c, d]).to_string());
    }
    let distribution = if status & 0x80 == 0 { "up" } else { "down" };
    write!(p, ", Distribution: {distribution}, Metric: {metric}");
    if is_v6 {
        p.text(if status & 0x40 == 0 { ", Internal" } else { ", External" });
    }
    let has_elements = if is_v6 { status & 0x20 != 0 } else { status & 0x40 != 0 };
    if has_elements {
        let len = usize::from(cursor.u8()?);
        write!(p, ", sub-TLVs present ({len})");
        print_elements(p, cursor, len)?;
    }
    Ok(())
}

const SEGMENT_FLAGS: [(u32, &str); 6] = [
    (0x80, "Readvertisement"),
    (0x40, "Node"),
    (0x20, "No-PHP"),
    (0x10, "Explicit NULL"),
    (0x08, "Value"),
    (0x04, "Local"),
];

/// Prints what is known of a prefix.
fn print_elements(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    let end = cursor.at() + len;
    while cursor.at() < end {
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        let name = match kind {
            1 => "32-Bit Administrative tag",
            2 => "64-Bit Administrative tag",
            3 => "Prefix SID",
            117 => "Management Prefix Color",
            _ => "unknown",
        };
        write!(p, "\n\t        {name} subTLV #{kind}, length: {len}");
        let mut value = *cursor;
        let printed = print_element(p, kind, &mut value, len);
        if printed.is_err() {
            // tcpdump notes it for the prefix, then for the element.
            p.text(" [|isis]");
        }
        printed?;
        cursor.skip(len)?;
    }
    Ok(())
}

fn print_element(
    p: &mut Printer<'_>,
    kind: u8,
    cursor: &mut Cursor<'_>,
    len: usize,
) -> Result<(), Truncated> {
    match kind {
        1 | 117 => {
            for _ in 0..len / 4 {
                let tag = cursor.u32()?;
                write!(p, ", 0x{tag:08x} (={tag})");
            }
        }
        2 => {
            for _ in 0..len / 8 {
                write!(p, ", 0x{:08x}{:08x}", cursor.u32()?, cursor.u32()?);
            }
        }
        3 => {
            let (flags, algorithm) = (u32::from(cursor.u8()?), cursor.u8()?);
            cursor.need(if flags & 0x08 == 0 { 4 } else { 3 })?;
            p.text(", Flags [");
            p.flags_or(flags, &SEGMENT_FLAGS, ", ", "None");
            let name = match algorithm {
                0 => "SPF",
                1 => "strict-SPF",
                _ => "Unknown",
            };
            write!(p, "], Algo {name} ({algorithm})");
            if flags & 0x08 == 0 {
                write!(p, ", index {}", cursor.u32()?);
            } else {
                write!(p, ", label {}", cursor.u24()?);
            }
        }
        _ => p.hex("\n\t\t    ", cursor.take(len)?),
    }
    Ok(())
}

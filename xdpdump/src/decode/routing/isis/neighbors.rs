//! Neighbors of a router: reachability (ISO/IEC 10589, RFC 5305), traffic engineering (RFC 5305, RFC 5307), adjacencies
//! (RFC 5303, RFC 8667).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::isis::{Id, elements};
use crate::decode::routing::{gmpls, nsap::Nsap};

/// What the bit of a narrow metric says.
pub(super) fn internal(metric: u8) -> &'static str {
    if metric & 0x40 == 0 { "Internal" } else { "External" }
}

/// Prints four metrics; those with the high bit are not supported.
fn print_metrics(p: &mut Printer<'_>, metrics: [u8; 4]) {
    let [default, others @ ..] = metrics;
    write!(p, ", Default Metric: {}, {}", default & 0x3f, internal(default));
    for (metric, name) in others.iter().zip(["Delay", "Expense", "Error"]) {
        if metric & 0x80 == 0 {
            write!(p, "\n\t\t  {name} Metric: {}, {}", metric & 0x3f, internal(*metric));
        }
    }
}

/// Prints the elements 2, 3, 5, 6, 22, 24, 138 and 240; `all` begins with the value of `len` bytes.
pub(super) fn print(p: &mut Printer<'_>, kind: u8, all: &mut Cursor<'_>, len: usize) -> Printed {
    let mut value = elements::captured(all, len);
    match kind {
        2 if len > 0 => {
            match value.u8()? {
                0 => p.text("\n\t      IsNotVirtual"),
                1 => p.text("\n\t      IsVirtual"),
                other => write!(p, "\n\t      bogus virtual flag 0x{other:02x}"),
            }
            while value.rest().len() >= 11 {
                let metrics = value.array()?;
                write!(p, "\n\t      IS Neighbor: {}", Id(value.take(7)?));
                print_metrics(p, metrics);
            }
        }
        3 => {
            while value.rest().len() >= 10 {
                let metrics = value.array()?;
                write!(p, "\n\t      ES Neighbor: {}", Id(value.take(6)?));
                print_metrics(p, metrics);
            }
        }
        5 if len >= 4 => {
            p.text("\n\t      Metric Block");
            print_metrics(p, value.array()?);
            while !value.rest().is_empty() {
                // In units of four bits.
                let digits = value.u8()?;
                let Ok(address) = value.take(usize::from(digits / 2)) else { break };
                write!(p, "\n\t\tAddress: {}/{}", Nsap(address), u16::from(digits) * 4);
            }
        }
        6 => {
            while value.rest().len() >= 6 {
                write!(p, "\n\t      SNPA: {}", Id(value.take(6)?));
            }
        }
        22 => {
            let mut left = len;
            while left > 0 {
                all.need(11)?;
                write!(p, "\n\t      IS Neighbor: {}", Id(all.take(7)?));
                write!(p, ", Metric: {}", all.u24()?);
                let elements = usize::from(all.u8()?);
                left = left.saturating_sub(11);
                if !print_elements(p, all, elements, &mut left)? {
                    break;
                }
            }
        }
        24 => {
            all.need(8)?;
            write!(p, "\n\t      IS Neighbor: {}", Id(all.take(7)?));
            let elements = usize::from(all.u8()?);
            print_elements(p, all, elements, &mut len.saturating_sub(8))?;
        }
        138 => print_risk_group(p, &mut value)?,
        240 if len > 0 => print_adjacency(p, all, len)?,
        _ => {}
    }
    Ok(())
}

/// Prints links that fail together (RFC 5307 §1.4).
fn print_risk_group(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if value.rest().len() < 7 {
        return Ok(());
    }
    write!(p, "\n\t      IS Neighbor: {}", Id(value.take(7)?));
    if value.rest().is_empty() {
        return Ok(());
    }
    let numbered = if value.u8()? & 1 == 0 { "unnumbered" } else { "numbered" };
    write!(p, ", Flags: [{numbered}]");
    for name in ["interface", "neighbor"] {
        if value.rest().len() < 4 {
            return Ok(());
        }
        write!(p, "\n\t      IPv4 {name} address: {}", Ipv4::read(value)?);
    }
    while value.rest().len() >= 4 {
        write!(p, "\n\t      Link-ID: 0x{:08x}", value.u32()?);
    }
    Ok(())
}

/// Prints the state of an adjacency, and who the neighbor is if it was heard (RFC 5303).
fn print_adjacency(p: &mut Printer<'_>, all: &mut Cursor<'_>, len: usize) -> Printed {
    let mut fields = *all;
    let state = fields.u8()?;
    let name = match state {
        0 => "Up",
        1 => "Initializing",
        2 => "Down",
        _ => "unknown",
    };
    write!(p, "\n\t      Adjacency State: {name} ({state})");
    let mut left = len - 1;
    if left > 4 {
        write!(p, "\n\t      Extended Local circuit-ID: 0x{:08x}", fields.u32()?);
        left -= 4;
    }
    if left >= 6 {
        write!(p, "\n\t      Neighbor System-ID: {}", Id(fields.take(6)?));
        left -= 6;
    }
    if left >= 4 {
        // tcpdump reads it from its place in a complete element, even if this one is shorter.
        let mut id = *all;
        id.skip(11)?;
        write!(p, "\n\t      Neighbor Extended Local circuit-ID: 0x{:08x}", id.u32()?);
    }
    Ok(())
}

/// Prints what is known of a link in `len` bytes, of the `left` bytes of the outer element; whether another link can follow.
fn print_elements(
    p: &mut Printer<'_>,
    all: &mut Cursor<'_>,
    len: usize,
    left: &mut usize,
) -> Result<bool, Truncated> {
    if len == 0 {
        p.text(", no sub-TLVs present");
        return Ok(true);
    }
    write!(p, ", sub-TLVs present ({len})");
    let mut sum = len;
    while sum > 0 {
        all.need(2)?;
        let (kind, len) = (all.u8()?, usize::from(all.u8()?));
        sum = sum.saturating_sub(2);
        *left = left.saturating_sub(2);
        write!(p, "\n\t        {} subTLV #{kind}, length: {len}", element_name(kind));
        if len > sum {
            p.text(" (remaining data in subTLVs shorter than the current subTLV)");
            return Ok(false);
        }
        if len > *left {
            p.text(" (> remaining tlv length)");
            return Ok(false);
        }
        print_element(p, kind, Cursor::new("isis", all.take(len)?))?;
        sum -= len;
        *left -= len;
    }
    Ok(true)
}

fn element_name(kind: u8) -> &'static str {
    match kind {
        3 => "Administrative groups",
        4 => "Link Local/Remote Identifier",
        5 => "Link Remote Identifier",
        6 => "IPv4 interface address",
        8 => "IPv4 neighbor address",
        9 => "Maximum link bandwidth",
        10 => "Reservable link bandwidth",
        11 => "Unreserved bandwidth",
        12 => "Bandwidth Constraints (old)",
        18 => "Traffic Engineering Metric",
        19 => "Link Attribute",
        20 => "Link Protection Type",
        21 => "Interface Switching Capability",
        22 => "Bandwidth Constraints",
        29 => "SPB Metric",
        32 => "LAN Adjacency Segment Identifier",
        250..=254 => "Reserved for cisco specific extensions",
        255 => "Reserved for future expansion",
        _ => "unknown",
    }
}

const ADJACENCY_FLAGS: [(u32, &str); 6] = [
    (0x80, "Address family IPv6"),
    (0x40, "Backup"),
    (0x20, "Value"),
    (0x10, "Local significance"),
    (0x08, "Set of adjacencies"),
    (0x04, "Persistent"),
];

const LINK_ATTRIBUTES: [(u32, &str); 2] =
    [(1, "Local Protection Available"), (2, "Link excluded from local protection path")];

fn print_element(p: &mut Printer<'_>, kind: u8, mut value: Cursor<'_>) -> Printed {
    let v = &mut value;
    let len = v.rest().len();
    match kind {
        3..=5 => {
            while v.rest().len() >= 4 {
                write!(p, ", 0x{:08x}", v.u32()?);
            }
        }
        6 | 8 if len >= 4 => write!(p, ", {}", Ipv4::read(v)?),
        9 | 10 if len >= 4 => write!(p, ", {:.3} Mbps", gmpls::megabits(v.u32()?)),
        11 if len >= 32 => {
            for class in 0..8 {
                write!(p, "\n\t          TE-Class {class}: {:.3} Mbps", gmpls::megabits(v.u32()?));
            }
        }
        12 | 22 if len > 0 => {
            let model = v.u8()?;
            let name = gmpls::bandwidth_constraints(model);
            write!(p, "\n\t        Bandwidth Constraints Model ID: {name} ({model})");
            // tcpdump does not skip the three reserved bytes.
            let mut class = 0;
            while v.rest().len() >= 4 {
                let rate = gmpls::megabits(v.u32()?);
                write!(p, "\n\t          Bandwidth constraint CT{class}: {rate:.3} Mbps");
                class += 1;
            }
        }
        18 if len >= 3 => write!(p, ", {}", v.u24()?),
        19 if len == 2 => {
            let bits = v.u16()?;
            p.text(", [ ");
            p.flags_or(bits.into(), &LINK_ATTRIBUTES, ", ", "Unknown");
            write!(p, " ] (0x{bits:04x})");
        }
        20 if len >= 2 => {
            let bits = v.u8()?;
            p.text(", ");
            p.flags(u32::from(bits), &gmpls::LINK_PROTECTION, ", ");
            write!(p, ", Priority {}", v.u8()?);
        }
        21 if len >= 36 => print_switching(p, v)?,
        29 if len >= 6 => {
            write!(p, ", LM: {}, P: {}, P-ID: {}", v.u24()?, v.u8()?, v.u16()?);
        }
        32 if len >= 8 => {
            let (flags, weight) = (u32::from(v.u8()?), v.u8()?);
            p.text("\n\t          Flags: [");
            p.flags(flags, &ADJACENCY_FLAGS, ", ");
            write!(p, "]\n\t          Weight: {weight}");
            write!(p, "\n\t          Neighbor System-ID: {}", Id(v.take(6)?));
            if flags & 0x20 == 0 {
                write!(p, "\n\t          Index: {}", v.u32()?);
            } else {
                write!(p, "\n\t          Label: {}", v.u24()?);
            }
        }
        // Known elements that are too short.
        6 | 8..=12 | 18..=22 | 29 | 32 => {}
        _ => p.hex("\n\t\t    ", v.rest()),
    }
    Ok(())
}

/// RFC 5307 §1.3.
fn print_switching(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let (capability, encoding) = (value.u8()?, value.u8()?);
    let name = gmpls::switching_capability(capability);
    // tcpdump writes no space.
    write!(p, "\n\t          Interface Switching Capability:{name}");
    write!(p, ", LSP Encoding: {}", gmpls::lsp_encoding(encoding));
    value.skip(2)?;
    p.text("\n\t          Max LSP Bandwidth:");
    for priority in 0..8 {
        let rate = gmpls::megabits(value.u32()?);
        write!(p, "\n\t            priority level {priority}: {rate:.3} Mbps");
    }
    match capability {
        1..=4 if value.rest().len() >= 6 => {
            let rate = gmpls::megabits(value.u32()?);
            write!(p, "\n\t          Min LSP Bandwidth: {rate:.3} Mbps");
            write!(p, "\n\t          Interface MTU: {}", value.u16()?);
        }
        100 if value.rest().len() >= 5 => {
            let rate = gmpls::megabits(value.u32()?);
            write!(p, "\n\t          Min LSP Bandwidth: {rate:.3} Mbps");
            let indication = match value.u8()? {
                0 => "Standard SONET/SDH",
                1 => "Arbitrary SONET/SDH",
                _ => "Unknown",
            };
            write!(p, "\n\t          Indication {indication}");
        }
        1..=4 | 100 => {}
        _ => p.hex("\n\t\t    ", value.rest()),
    }
    Ok(())
}

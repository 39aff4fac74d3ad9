//! The type-length-value elements of a packet.

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;
use crate::decode::routing::isis::{Id, authentication, capability, neighbors, prefixes, topology};
use crate::decode::routing::{nsap::Nsap, osi};

/// Prints the elements in the `left` bytes that follow a packet's fixed part.
pub(super) fn print(
    p: &mut Printer<'_>,
    layer: Layer<'_>,
    mut cursor: Cursor<'_>,
    mut left: usize,
) -> Printed {
    while left > 0 && cursor.at() < layer.len {
        cursor.need(2)?;
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        left = left.saturating_sub(2);
        write!(p, "\n\t    {} TLV #{kind}, length: {len}", name(kind));
        if len > left {
            return Err(cursor.truncated());
        }
        print_value(p, kind, layer, cursor, len)?;
        let value = cursor.take(len)?;
        if p.style.verbosity > 1 && len > 0 {
            p.hex("\n\t      ", value);
        }
        left -= len;
    }
    Ok(())
}

/// The captured part of the next `len` bytes. What was cut off is noticed when they are skipped.
pub(super) fn captured<'a>(cursor: &Cursor<'a>, len: usize) -> Cursor<'a> {
    let rest = cursor.rest();
    Cursor::new("isis", rest.get(..len).unwrap_or(rest))
}

fn name(kind: u8) -> &'static str {
    match kind {
        1 => "Area address(es)",
        2 => "IS Reachability",
        3 => "ES Neighbor(s)",
        4 => "Partition DIS",
        5 => "Prefix Neighbors",
        6 => "IS Neighbor(s)",
        7 => "Instance Identifier",
        8 => "Padding",
        9 => "LSP entries",
        10 => "Authentication",
        12 => "Checksum",
        13 => "Purge Originator Identifier",
        14 => "LSP Buffersize",
        22 => "Extended IS Reachability",
        24 => "IS Alias ID",
        42 => "DECnet Phase IV",
        66 => "Lucent Proprietary",
        128 => "IPv4 Internal Reachability",
        129 => "Protocols supported",
        130 => "IPv4 External Reachability",
        131 => "Inter-Domain Information Type",
        132 => "IPv4 Interface address(es)",
        133 => "IPv4 authentication (deprecated)",
        134 => "Traffic Engineering Router ID",
        135 => "Extended IPv4 Reachability",
        137 => "Hostname",
        138 => "Shared Risk Link Group",
        143 => "Multi-Topology-Aware Port Capability",
        144 => "Multi-Topology Capability",
        176 | 177 => "Nortel Proprietary",
        211 => "Restart Signaling",
        222 => "Multi Topology IS Reachability",
        229 => "Multi Topology",
        232 => "IPv6 Interface address(es)",
        235 => "Multi-Topology IPv4 Reachability",
        236 => "IPv6 reachability",
        237 => "Multi-Topology IP6 Reachability",
        240 => "Point-to-point Adjacency State",
        241 => "Hello PDU Sequence Number",
        242 => "IS-IS Router Capability",
        250 => "Vendor Private",
        _ => "unknown",
    }
}

const RESTART_FLAGS: [(u32, &str); 3] =
    [(1, "Restart Request"), (2, "Restart Acknowledgement"), (4, "Suppress adjacency advertisement")];

/// Prints a value of `len` bytes. Fields of the last item may lie beyond it.
fn print_value(p: &mut Printer<'_>, kind: u8, layer: Layer<'_>, mut all: Cursor<'_>, len: usize) -> Printed {
    // The value alone, and the value with everything after it.
    let mut value = captured(&all, len);
    let v = &mut value;
    match kind {
        1 => {
            while !v.rest().is_empty() {
                let len = usize::from(v.u8()?);
                if len > v.rest().len() {
                    break;
                }
                write!(p, "\n\t      Area address (length: {len}): {}", Nsap(v.take(len)?));
            }
        }
        2 | 3 | 5 | 6 | 22 | 24 | 138 | 240 => neighbors::print(p, kind, &mut all, len)?,
        4 if len >= 6 => write!(p, "\n\t      {}", Id(v.take(6)?)),
        7 if len >= 4 => {
            let count = (len - 2) / 2;
            write!(p, "\n\t      Instance ID: {}, ITIDs({count})", v.u16()?);
            for i in 0..count {
                write!(p, "{}{}", if i == 0 { ": " } else { ", " }, v.u16()?);
            }
        }
        9 => {
            while v.rest().len() >= 16 {
                let lifetime = v.u16()?;
                let id = Id(v.take(8)?);
                write!(p, "\n\t      lsp-id: {id}, seq: 0x{:08x}", v.u32()?);
                write!(p, ", lifetime: {lifetime:5}s, chksum: 0x{:04x}", v.u16()?);
            }
        }
        10 if len > 0 => authentication::print(p, v)?,
        12 if len >= 2 => {
            let field = v.u16()?;
            write!(p, "\n\t      checksum: 0x{field:04x} ");
            osi::print_checksum_at(p, layer.bytes.get(..layer.len), field, all.at());
        }
        13 if len > 0 => match v.u8()? {
            0 => p.text(" No system IDs supplied"),
            _ if len < 7 => {}
            count => {
                write!(p, "\n\t      Purge Originator System-ID: {}", Id(v.take(6)?));
                if count == 2 {
                    write!(p, "\n\t      Received from System-ID: {}", Id(v.take(6)?));
                }
            }
        },
        14 if len >= 2 => write!(p, "\n\t      LSP Buffersize: {}", v.u16()?),
        128 | 130 | 135 | 235 | 236 | 237 => prefixes::print(p, kind, &mut all, len)?,
        129 => {
            p.text("\n\t      NLPID(s): ");
            while !v.rest().is_empty() {
                let id = v.u8()?;
                let separator = if v.rest().is_empty() { "" } else { ", " };
                write!(p, "{} (0x{id:02x}){separator}", osi::name(id).unwrap_or("unknown"));
            }
        }
        131 if len > 0 => print_domain(p, v)?,
        132 => {
            while v.rest().len() >= 4 {
                write!(p, "\n\t      IPv4 interface address: {}", Ipv4::read(v)?);
            }
        }
        134 if len >= 4 => write!(p, "\n\t      Traffic Engineering Router ID: {}", Ipv4::read(v)?),
        137 => {
            p.text("\n\t      Hostname: ");
            p.escaped_until_nul(v.rest());
        }
        143 | 144 => topology::print_capability(p, kind, v)?,
        211 => print_restart(p, v)?,
        222 => {
            topology::print(p, &mut all)?;
            neighbors::print(p, 22, &mut all, len.saturating_sub(2))?;
        }
        229 => {
            while !v.rest().is_empty() {
                if v.rest().len() < 2 {
                    p.text("\n\t      invalid MT-ID");
                    break;
                }
                topology::print(p, v)?;
            }
        }
        232 => {
            while v.rest().len() >= 16 {
                write!(p, "\n\t      IPv6 interface address: {}", Ipv6::read(v)?);
            }
        }
        241 if len >= 4 => write!(p, "\n\t      Sequence number: {}", v.u32()?),
        242 => capability::print(p, v)?,
        250 if len >= 3 => {
            let vendor = v.u24()?;
            write!(p, "\n\t      Vendor: {} ({vendor})", vendor_name(vendor));
            p.hex("\n\t\t", v.rest());
        }
        // Known values that are too short, and padding.
        4 | 7 | 8 | 10 | 12 | 13 | 14 | 131 | 134 | 241 | 250 => {}
        _ if p.style.verbosity <= 1 => p.hex("\n\t\t", v.rest()),
        _ => {}
    }
    Ok(())
}

fn print_domain(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let kind = value.u8()?;
    p.text("\n\t      Inter-Domain Information Type: ");
    match kind {
        0 => p.text("Reserved"),
        1 => p.text("Routing-Domain Specific"),
        2 => p.text("AS Number Tag"),
        _ => write!(p, "Unknown (0x{kind:02x})"),
    }
    if kind == 2 {
        write!(p, "AS Number: {}", value.u16()?);
    } else {
        p.hex("\n\t      ", value.rest());
    }
    Ok(())
}

fn print_restart(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if value.rest().is_empty() {
        return Ok(());
    }
    let flags = value.u8()?;
    p.text("\n\t      Flags [");
    p.flags(u32::from(flags), &RESTART_FLAGS, ", ");
    p.text("]");
    if value.rest().len() >= 2 {
        write!(p, ", Remaining holding time {}s", value.u16()?);
    }
    if value.rest().len() >= 6 {
        write!(p, ", for {}", Id(value.take(6)?));
    }
    Ok(())
}

fn vendor_name(oui: u32) -> &'static str {
    match oui {
        0x00_0000 => "Ethernet",
        0x00_000c => "Cisco",
        0x00_00f8 => "Cisco bridged",
        0x00_04ea => "HP-Labs",
        0x00_1018 => "Broadcom",
        0x00_120f => "IEEE 802.3 Private",
        0x00_1b21 => "DCBX",
        0x00_80c2 => "Ethernet bridged",
        0x00_9069 => "Juniper",
        0x00_a03e => "ATM Forum",
        0x08_0007 => "Appletalk",
        _ => "Unknown",
    }
}

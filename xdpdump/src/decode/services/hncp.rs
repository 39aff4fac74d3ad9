//! Home networking control (RFC 7788) over the distributed node consensus protocol (RFC 7787).

use crate::decode::address::{Ipv4, Ipv6, Mac};
use crate::decode::cursor::{Cursor, Element, Field, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const TLV: Element = Element { field: Field::Word, counts_header: false };
const NODE_STATE: u16 = 5;
const PEER: u16 = 8;

/// Prints a datagram: the names of what is in it, or with `-v` a line for each.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    write!(p, "hncp ({})", layer.len);
    let mut cursor = layer.cut_to(layer.len).cursor("hncp");
    if p.verbose() { print_all(p, &mut cursor, 8) } else { print_summary(p, &mut cursor, " ") }
}

fn name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        1 => "Request network state",
        2 => "Request node state",
        3 => "Node endpoint",
        4 => "Network state",
        NODE_STATE => "Node state",
        PEER => "Peer",
        9 => "Keep-alive interval",
        10 => "Trust-Verdict",
        32 => "HNCP-Version",
        33 => "External-Connection",
        34 => "Delegated-Prefix",
        35 => "Assigned-Prefix",
        36 => "Node-Address",
        37 => "DHCPv4-Data",
        38 => "DHCPv6-Data",
        39 => "DNS-Delegated-Zone",
        40 => "Domain-Name",
        41 => "Node-Name",
        42 => "Managed-PSK",
        43 => "Prefix-Policy",
        _ => return None,
    })
}

/// Prints the name of an element, or the range of numbers that it belongs to.
fn print_name(p: &mut Printer<'_>, kind: u16) {
    let range = match kind {
        0 => "Reserved",
        44..=511 => "Unassigned",
        512..=767 => "Reserved for per-DNCP-profile use",
        768..=1023 => "Private Use",
        _ => "Future use",
    };
    p.name(name(kind), format_args!("{range}"));
}

/// Prints names, each with how often it follows itself.
fn print_summary(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, before: &str) -> Printed {
    let mut before = before;
    let mut last = None;
    let mut count = 0_u32;
    while !cursor.rest().is_empty() {
        let element = cursor.element(TLV);
        let kind = match element {
            Ok((kind, _)) => kind,
            Err(truncated) => {
                print_count(p, count);
                return Err(truncated);
            }
        };
        skip_padding(cursor);
        if last == Some(kind) {
            count += 1;
            continue;
        }
        print_count(p, count);
        p.text(before);
        before = ", ";
        print_name(p, kind);
        (last, count) = (Some(kind), 1);
    }
    print_count(p, count);
    Ok(())
}

fn print_count(p: &mut Printer<'_>, count: u32) {
    if count > 1 {
        write!(p, " (x{count})");
    }
}

/// Elements end at a multiple of four bytes; the last one need not.
fn skip_padding(cursor: &mut Cursor<'_>) {
    let padding = cursor.at().next_multiple_of(4) - cursor.at();
    // As many as there are, which cannot fail.
    let _ = cursor.skip_to_end(padding);
}

fn print_all(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, indent: usize) -> Printed {
    while !cursor.rest().is_empty() {
        let (kind, mut value) = cursor.element(TLV)?;
        skip_padding(cursor);
        p.text("\n");
        for _ in 0..indent / 8 {
            p.text("\t");
        }
        print_name(p, kind);
        if name(kind).is_none() {
            write!(p, ": type={kind}");
        }
        write!(p, " ({})", value.rest().len() + 4);
        print_value(p, kind, &mut value, indent)?;
    }
    Ok(())
}

fn print_value(p: &mut Printer<'_>, kind: u16, value: &mut Cursor<'_>, indent: usize) -> Printed {
    let len = value.rest().len();
    match kind {
        2 if len == 4 => print_node(p, value),
        3 if len == 8 => {
            print_node(p, value)?;
            write!(p, " EPID: {:08x}", value.u32()?);
            Ok(())
        }
        4 if len == 8 => {
            write!(p, " hash: {:016x}", value.u64()?);
            Ok(())
        }
        NODE_STATE if len >= 20 => {
            print_node(p, value)?;
            write!(p, " seqno: {}", value.u32()?);
            let milliseconds = value.u32()?;
            write!(p, " {}.{:03}s", milliseconds / 1000, milliseconds % 1000);
            write!(p, " hash: {:016x}", value.u64()?);
            if value.rest().is_empty() {
                return Ok(());
            }
            if p.style.verbosity > 1 {
                return p.nested(|p| print_all(p, value, indent + 8));
            }
            p.text("\n");
            for _ in 0..=indent / 8 {
                p.text("\t");
            }
            print_summary(p, value, "")
        }
        PEER if len == 12 => {
            print_node(p, value)?;
            write!(p, " Peer-EPID: {:08x} Local-EPID: {:08x}", value.u32()?, value.u32()?);
            Ok(())
        }
        36 if len == 20 => {
            write!(p, " EPID: {:08x} IP Address: ", value.u32()?);
            print_address(p, value)
        }
        41 if len >= 17 => {
            p.text(" IP Address: ");
            print_address(p, value)?;
            let name_len = usize::from(value.u8()?);
            p.text(" Name: ");
            p.escaped(value.take(name_len)?);
            Ok(())
        }
        1 if len == 0 => Ok(()),
        1..=4 | NODE_STATE | PEER | 36 | 41 => {
            p.text(" [|hncp]");
            Ok(())
        }
        _ => Ok(()),
    }
}

fn print_node(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    write!(p, " NID: {}", Mac(value.take(4)?));
    Ok(())
}

/// Prints an IPv6 address, or the IPv4 address in it.
fn print_address(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Result<(), Truncated> {
    let address = Ipv6::read(value)?;
    match address.0 {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] => write!(p, "{}", Ipv4([a, b, c, d])),
        _ => write!(p, "{address}"),
    }
    Ok(())
}

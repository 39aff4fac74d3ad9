//! Cisco's enhanced interior gateway routing (RFC 7868).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 20;

const PARAMETERS: u16 = 0x0001;
const SOFTWARE: u16 = 0x0004;
const INTERNAL: u16 = 0x0102;
const EXTERNAL: u16 = 0x0103;
const APPLETALK_INTERNAL: u16 = 0x0202;
const APPLETALK_EXTERNAL: u16 = 0x0203;
const APPLETALK_CABLE: u16 = 0x0204;

const FLAGS: [(u32, &str); 4] =
    [(0x1, "Init"), (0x2, "Conditionally Received"), (0x4, "Restart"), (0x8, "End-of-Table")];

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("eigrp");
    cursor.need(HEADER)?;
    let version = cursor.u8()?;
    if version != 2 {
        write!(p, "EIGRP version {version} packet not supported");
        return Ok(());
    }
    let opcode = cursor.u8()?;
    let name = match opcode {
        1 => Some("Update"),
        3 => Some("Query"),
        4 => Some("Reply"),
        5 => Some("Hello"),
        6 => Some("IPX SAP"),
        7 => Some("Probe"),
        _ => None,
    };
    if !p.verbose() {
        match name {
            Some(name) => write!(p, "EIGRP {name}, length: {}", layer.len),
            None => write!(p, "EIGRP unknown ({opcode}), length: {}", layer.len),
        }
        return Ok(());
    }
    let left = layer.len.saturating_sub(HEADER);
    write!(p, "\n\tEIGRP v{version}, opcode: ");
    match name {
        Some(name) => write!(p, "{name} ({opcode})"),
        None => write!(p, "unknown, type: {opcode} ({opcode})"),
    }
    write!(p, ", chksum: 0x{:04x}, Flags: [", cursor.u16()?);
    p.flags(cursor.u32()?, &FLAGS, ", ");
    write!(p, "]\n\tseq: 0x{:08x}, ack: 0x{:08x}", cursor.u32()?, cursor.u32()?);
    write!(p, ", VRID: {}, AS: {}, length: {left}", cursor.u16()?, cursor.u16()?);
    print_elements(p, cursor, left)
}

fn print_elements(p: &mut Printer<'_>, mut cursor: Cursor<'_>, mut left: usize) -> Printed {
    while left > 0 {
        cursor.need(4)?;
        let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
        if len < 4 || len > left {
            let shown = left.saturating_sub(4).min(cursor.rest().len());
            p.hex("\n\t    ", cursor.take(shown)?);
            return Ok(());
        }
        write!(p, "\n\t  {} TLV (0x{kind:04x}), length: {len}", name(kind));
        left -= len;
        let shortest = match kind {
            PARAMETERS | APPLETALK_CABLE => 12,
            SOFTWARE => 8,
            INTERNAL => 26,
            EXTERNAL => 46,
            APPLETALK_INTERNAL => 28,
            APPLETALK_EXTERNAL => 44,
            _ => 4,
        };
        if len < shortest {
            write!(p, " (too short, < {shortest})");
            let value = cursor.take(len - 4)?;
            if p.style.verbosity > 1 {
                p.hex("\n\t    ", value);
            }
            continue;
        }
        let value = cursor.take(len - 4)?;
        print_value(p, kind, Cursor::new("eigrp", value))?;
        if p.style.verbosity > 1 {
            p.hex("\n\t    ", value);
        }
    }
    Ok(())
}

fn name(kind: u16) -> &'static str {
    match kind {
        PARAMETERS => "General Parameters",
        0x0002 => "Authentication",
        0x0003 => "Sequence",
        SOFTWARE => "Software Version",
        0x0005 => "Next Multicast Sequence",
        INTERNAL => "IP Internal routes",
        EXTERNAL => "IP External routes",
        APPLETALK_INTERNAL => "AppleTalk Internal routes",
        APPLETALK_EXTERNAL => "AppleTalk External routes",
        APPLETALK_CABLE => "AppleTalk Cable setup",
        0x0302 => "IPX Internal routes",
        0x0303 => "IPX External routes",
        _ => "Unknown",
    }
}

fn print_value(p: &mut Printer<'_>, kind: u16, mut value: Cursor<'_>) -> Printed {
    let v = &mut value;
    match kind {
        PARAMETERS => {
            let [k1, k2, k3, k4, k5] = v.array()?;
            v.skip(1)?;
            write!(p, "\n\t    holdtime: {}s", v.u16()?);
            write!(p, ", k1 {k1}, k2 {k2}, k3 {k3}, k4 {k4}, k5 {k5}");
        }
        SOFTWARE => {
            let [ios_major, ios_minor, major, minor] = v.array()?;
            write!(p, "\n\t    IOS version: {ios_major}.{ios_minor}, EIGRP version {major}.{minor}");
        }
        INTERNAL | EXTERNAL => print_route(p, kind == EXTERNAL, v)?,
        APPLETALK_INTERNAL => {
            let (net, node) = (v.u16()?, v.u16()?);
            let mut cables = *v;
            cables.skip(16)?;
            write!(p, "\n\t     Cable-Range: {}-{}", cables.u16()?, cables.u16()?);
            write!(p, ", nexthop: {net}.{node}");
            print_metrics(p, v)?;
        }
        APPLETALK_CABLE => {
            write!(p, "\n\t    Cable-range: {}-{}", v.u16()?, v.u16()?);
            write!(p, ", Router-ID {}", v.u32()?);
        }
        _ if p.style.verbosity <= 1 => p.hex("\n\t    ", v.rest()),
        _ => {}
    }
    Ok(())
}

/// Prints a route: what comes first in the message is printed last.
fn print_route(p: &mut Printer<'_>, external: bool, value: &mut Cursor<'_>) -> Printed {
    let mut destination = *value;
    destination.skip(if external { 40 } else { 20 })?;
    let bits = destination.u8()?;
    if bits > 32 {
        write!(p, "\n\t    illegal prefix length {bits}");
        return Ok(());
    }
    let mut address = [0; 4];
    for (to, from) in address.iter_mut().zip(destination.take(usize::from(bits).div_ceil(8))?) {
        *to = *from;
    }
    let hop = Ipv4::read(value)?;
    write!(p, "\n\t    IPv4 prefix: {:>15}/{bits}, nexthop: ", Ipv4(address).to_string());
    if hop.0 == [0; 4] {
        p.text("self");
    } else {
        write!(p, "{hop}");
    }
    if external {
        let (router, system) = (Ipv4::read(value)?, value.u32()?);
        let (tag, metric) = (value.u32()?, value.u32()?);
        value.skip(2)?;
        let (protocol, flags) = (value.u8()?, value.u8()?);
        let name = match protocol {
            1 => "IGRP",
            2 => "EIGRP",
            3 => "Static",
            4 => "RIP",
            5 => "Hello",
            6 => "OSPF",
            7 => "IS-IS",
            8 => "EGP",
            9 => "BGP",
            10 => "IDRP",
            11 => "Connected",
            _ => "unknown",
        };
        write!(p, "\n\t      origin-router {router}, origin-as {system}, origin-proto {name}");
        write!(p, ", flags [0x{flags:02x}], tag 0x{tag:08x}, metric {metric}");
    }
    print_metrics(p, value)
}

fn print_metrics(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let (delay, bandwidth) = (value.u32()?, value.u32()?);
    let mtu = value.u24()?;
    let (hops, reliability, load) = (value.u8()?, value.u8()?, value.u8()?);
    write!(p, "\n\t      delay {} ms, bandwidth {bandwidth} Kbps, mtu {mtu}", delay / 100);
    write!(p, ", hop {hops}, reliability {reliability}, load {load}");
    Ok(())
}

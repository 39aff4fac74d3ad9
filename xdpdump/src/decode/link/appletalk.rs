//! AppleTalk's address resolution (AARP), and the headers of its datagrams (Inside AppleTalk).

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const APPLETALK: u16 = 0x809b;

/// Prints a message of address resolution.
pub(in crate::decode) fn print_resolution(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("aarp ");
    let mut cursor = layer.cursor("aarp");
    cursor.need(28)?;
    let (hardware, protocol) = (cursor.u16()?, cursor.u16()?);
    let (hardware_len, protocol_len) = (cursor.u8()?, cursor.u8()?);
    let operation = cursor.u16()?;
    let sender = cursor.take(6)?;
    let [source, target] = {
        let source = cursor.array::<4>()?;
        cursor.skip(6)?;
        [source, cursor.array::<4>()?]
    };
    let known = (hardware, protocol, hardware_len, protocol_len) == (1, APPLETALK, 6, 4);
    match operation {
        1 if known => {
            p.text("who-has ");
            print_address(p, target);
            p.text(" tell ");
            print_address(p, source);
        }
        2 if known => {
            p.text("reply ");
            print_address(p, source);
            write!(p, " is-at {}", Mac(sender));
        }
        3 if known => {
            p.text("probe ");
            print_address(p, target);
            p.text(" tell ");
            print_address(p, source);
        }
        _ => {
            write!(p, "len {} op {operation} htype {hardware} ", layer.len);
            write!(p, "ptype 0x{protocol:x} halen {hardware_len} palen {protocol_len}");
        }
    }
    Ok(())
}

/// Prints the network, of which only its lower byte counts here, and the node.
fn print_address(p: &mut Printer<'_>, [_, high, low, node]: [u8; 4]) {
    write!(p, "{}.{node}", u16::from_be_bytes([high, low]));
}

/// Prints a datagram with a long header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if !p.style.link_header {
        p.text("AT ");
    }
    let mut cursor = layer.cursor("ddp");
    if layer.len < 13 {
        write!(p, " [|ddp {}]", layer.len);
        return Ok(());
    }
    cursor.skip(4)?;
    let networks = [cursor.u16()?, cursor.u16()?];
    let nodes = [cursor.u8()?, cursor.u8()?];
    let sockets = [cursor.u8()?, cursor.u8()?];
    write!(p, "{}.{}.{} > ", networks[1], nodes[1], sockets[1]);
    write!(p, "{}.{}.{}: ", networks[0], nodes[0], sockets[0]);
    let kind = cursor.u8()?;
    print_data(p, kind, layer.len - 13);
    Ok(())
}

/// Prints the kind of a datagram's data.
fn print_data(p: &mut Printer<'_>, kind: u8, len: usize) {
    let name = match kind {
        1 => "rtmp",
        4 => "echo",
        5 => "rtmpReq",
        22 => "IP",
        23 => "ARP",
        75 => "KLAP",
        _ => {
            write!(p, " at-#{kind} {len}");
            return;
        }
    };
    write!(p, " at-{name} {len}");
}

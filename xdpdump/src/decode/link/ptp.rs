//! Precision time protocol (IEEE 1588-2008), over Ethernet or UDP.

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

const HEADER: usize = 34;
const SYNC: u8 = 0;
const DELAY_REQUEST: u8 = 1;
const PEER_REQUEST: u8 = 2;
const PEER_RESPONSE: u8 = 3;
const FOLLOW_UP: u8 = 8;
const DELAY_RESPONSE: u8 = 9;
const PEER_FOLLOW_UP: u8 = 10;
const ANNOUNCE: u8 = 11;
const SIGNALLING: u8 = 12;
const MANAGEMENT: u8 = 13;
const FLAGS: [(u32, &str); 13] = [
    (0x0001, "l1 61"),
    (0x0002, "l1 59"),
    (0x0004, "utc reasonable"),
    (0x0008, "timescale"),
    (0x0010, "time tracable"),
    (0x0020, "frequency tracable"),
    (0x0100, "alternate master"),
    (0x0200, "two step"),
    (0x0400, "unicast"),
    (0x1000, "profile specific 1"),
    (0x2000, "profile specific 2"),
    (0x4000, "security mask"),
    // Reserved, all of them.
    (0x18c0, "unknown"),
];

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if layer.len < HEADER {
        write!(p, " [length {} < {HEADER}]", layer.len);
        return p.invalid(layer, "ptp");
    }
    let mut cursor = layer.cursor("ptp");
    let first = cursor.u8()?;
    let second = cursor.u8()?;
    // The upper half is the minor version since IEEE 1588-2019; tcpdump takes both as one number.
    match second {
        1 => {
            p.text("PTPv1 (not implemented)");
            Ok(())
        }
        2 => print_message(p, first, &mut cursor),
        _ => {
            write!(p, "PTPv{second}");
            Ok(())
        }
    }
}

fn print_message(p: &mut Printer<'_>, first: u8, cursor: &mut Cursor<'_>) -> Printed {
    let kind = first & 15;
    write!(p, "PTPv2, v1 compat : {}", if first >> 4 == 0 { "no" } else { "yes" });
    write!(p, ", msg type : {}", name(kind));
    write!(p, ", length : {}", cursor.u16()?);
    write!(p, ", domain : {}", cursor.u8()?);
    write!(p, ", reserved1 : {}", cursor.u8()?);
    p.text(", Flags [");
    p.flags(u32::from(cursor.u16()?), &FLAGS, ", ");
    p.text("]");
    let correction = cursor.u64()?;
    write!(p, ", NS correction : {}", correction >> 16);
    write!(p, ", sub NS correction : {}", correction & 0xffff);
    write!(p, ", reserved2 : {}", cursor.u32()?);
    write!(p, ", clock identity : 0x{:x}", cursor.u64()?);
    write!(p, ", port id : {}", cursor.u16()?);
    write!(p, ", seq id : {}", cursor.u16()?);
    let control = cursor.u8()?;
    let control_name = match control {
        0 => "Sync",
        1 => "Delay_Req",
        2 => "Follow_Up",
        3 => "Delay_Resp",
        4 => "Management",
        5 => "Other",
        _ => "Reserved",
    };
    write!(p, ", control : {control} ({control_name})");
    write!(p, ", log message interval : {}", cursor.u8()?);
    match kind {
        SYNC | DELAY_REQUEST => print_time(p, "originTimeStamp", ",", cursor),
        FOLLOW_UP => print_time(p, "preciseOriginTimeStamp", ",", cursor),
        PEER_REQUEST | PEER_FOLLOW_UP => {
            print_time(p, "preciseOriginTimeStamp", ",", cursor)?;
            print_port(p, cursor)
        }
        PEER_RESPONSE | DELAY_RESPONSE => {
            print_time(p, "receiveTimeStamp", ",", cursor)?;
            print_port(p, cursor)
        }
        ANNOUNCE => {
            print_time(p, "originTimeStamp", "", cursor)?;
            print_announcement(p, cursor)
        }
        SIGNALLING => print_port(p, cursor),
        MANAGEMENT => {
            // tcpdump stays at the first byte of the port's identity.
            let first = cursor.rest().first().copied();
            print_port(p, cursor)?;
            let first = first.unwrap_or_default();
            write!(p, ", , start boundary hops  {first}, , boundary hops  {first}");
            write!(p, ", , flags  0x{first:x}, , reserved  0x{first:x}");
            Ok(())
        }
        _ => Ok(()),
    }
}

fn name(kind: u8) -> &'static str {
    match kind {
        SYNC => "sync msg",
        DELAY_REQUEST => "delay req msg",
        PEER_REQUEST => "peer delay req msg",
        PEER_RESPONSE => "peer delay resp msg",
        FOLLOW_UP => "follow up msg",
        DELAY_RESPONSE => "delay resp msg",
        PEER_FOLLOW_UP => "pdelay resp fup msg",
        ANNOUNCE => "announce msg",
        SIGNALLING => "signalling msg",
        MANAGEMENT => "management msg",
        _ => "Reserved",
    }
}

fn print_time(p: &mut Printer<'_>, what: &str, separator: &str, cursor: &mut Cursor<'_>) -> Printed {
    let (high, low, nanos) = (cursor.u16()?, cursor.u32()?, cursor.u32()?);
    let seconds = u64::from(high) << 32 | u64::from(low);
    write!(p, ", {what} : {seconds} seconds{separator} {nanos} nanoseconds");
    Ok(())
}

fn print_port(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    write!(p, ", port identity : 0x{:x}", cursor.u64()?);
    write!(p, ", port id : {}", cursor.u16()?);
    Ok(())
}

fn print_announcement(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    write!(p, ", origin cur utc :{}", cursor.u16()?);
    write!(p, ", rsvd : {}", cursor.u8()?);
    write!(p, ", gm priority_1 : {}", cursor.u8()?);
    write!(p, ", gm clock class : {}", cursor.u8()?);
    write!(p, ", gm clock accuracy : {}", cursor.u8()?);
    write!(p, ", gm clock variance : {}", cursor.u16()?);
    write!(p, ", gm priority_2 : {}", cursor.u8()?);
    write!(p, ", gm clock id : 0x{:x}", cursor.u64()?);
    write!(p, ", steps removed : {}", cursor.u16()?);
    write!(p, ", time source : 0x{:x}", cursor.u8()?);
    Ok(())
}

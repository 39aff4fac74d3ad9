//! Realtek's protocols: remote control (RRCP), and what is only named.

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ethernet::Addresses;
use crate::decode::printer::Printer;

const HELLO: u8 = 0;
const GET: u8 = 1;
const SET: u8 = 2;

/// Prints a message; the numbers of remote control are little-endian, except its key.
pub(in crate::decode) fn print(p: &mut Printer<'_>, addresses: Addresses<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("rrcp");
    write!(p, "{} > {}, ", addresses.src, addresses.dst);
    let protocol = cursor.u8()?;
    match protocol {
        1 => {}
        2 => {
            p.text("REP");
            return Ok(());
        }
        3 | 0x23 => {
            p.text("RLDP");
            return Ok(());
        }
        4 => {
            p.text("Realtek 8-byte DSA tag");
            return Ok(());
        }
        0x90..=0x9f => {
            p.text("Realtek RTL8306 4-byte DSA tag");
            return Ok(());
        }
        0xa0..=0xaf => {
            p.text("Realtek RTL8366RB 4-byte DSA tag");
            return Ok(());
        }
        _ => {
            write!(p, "Realtek unknown type 0x{protocol:02x}");
            return Ok(());
        }
    }
    let operation = cursor.u8()?;
    let reply = operation & 0x80 != 0;
    write!(p, "RRCP {}: ", if reply { "reply" } else { "query" });
    let operation = operation & 0x7f;
    match operation {
        HELLO => p.text("hello"),
        GET => p.text("get"),
        SET => p.text("set"),
        _ => write!(p, "unknown opcode (0x{operation:02x})"),
    }
    let key = layer.skip(2).cursor("rrcp").u16();
    let mut cursor = layer.skip(4).cursor("rrcp");
    if matches!(operation, GET | SET) {
        let (address, data) = (cursor.array()?, cursor.array()?);
        write!(p, " addr=0x{:04x}, data=0x{:08x}", u16::from_le_bytes(address), u32::from_le_bytes(data));
    }
    write!(p, ", auth=0x{:04x}", key?);
    if operation == HELLO && reply {
        write!(p, " downlink_port={}", cursor.u8()?);
        write!(p, ", uplink_port={}", cursor.u8()?);
        write!(p, ", uplink_mac={}", Mac(cursor.take(6)?));
        let (chip, vendor) = (cursor.u16()?, cursor.u32()?);
        write!(p, ", vendor_id={vendor:08x} ,chip_id={chip:04x} ");
    } else if matches!(operation, GET | SET) {
        let cookie = [cursor.u32()?, cursor.u32()?];
        write!(p, ", cookie=0x{:08x}{:08x} ", cookie[1], cookie[0]);
    }
    Ok(())
}

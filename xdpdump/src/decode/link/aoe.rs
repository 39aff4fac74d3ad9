//! ATA over Ethernet (version 1). The fields are shown with `-v`.

use crate::decode::address::Mac;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const HEADER: usize = 10;
const FLAGS: [(u32, &str); 4] = [(8, "Response"), (4, "Error"), (2, "MBZ-1"), (1, "MBZ-0")];
const ATA_FLAGS: [(u32, &str); 8] = [
    (0x80, "MBZ-7"),
    (0x40, "Ext48"),
    (0x20, "MBZ-5"),
    (0x10, "Device"),
    (0x08, "MBZ-3"),
    (0x04, "MBZ-2"),
    (0x02, "Async"),
    (0x01, "Write"),
];
const ERROR: u8 = 4;

/// Prints a frame.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    write!(p, "AoE length {}", layer.len);
    if layer.len < 1 {
        return p.invalid(layer, "aoe");
    }
    let mut cursor = layer.cursor("aoe");
    let first = cursor.u8()?;
    write!(p, ", Ver {}", first >> 4);
    if first >> 4 != 1 {
        return Ok(());
    }
    if layer.len < HEADER {
        return p.invalid(layer, "aoe");
    }
    p.text(", Flags: [");
    p.flags(u32::from(first & 15), &FLAGS, ", ");
    p.text("]");
    if !p.verbose() {
        return Ok(());
    }
    let error = cursor.u8()?;
    if first & ERROR != 0 {
        p.text("\n\tError: ");
        match error {
            1 => p.text("Unrecognized command code"),
            2 => p.text("Bad argument parameter"),
            3 => p.text("Device unavailable"),
            4 => p.text("Config string present"),
            5 => p.text("Unsupported version"),
            6 => p.text("Target is reserved"),
            _ => write!(p, "Invalid ({error})"),
        }
    }
    write!(p, "\n\tMajor: 0x{:04x}, Minor: 0x{:02x}, Command: ", cursor.u16()?, cursor.u8()?);
    let command = cursor.u8()?;
    match command {
        0 => p.text("Issue ATA Command"),
        1 => p.text("Query Config Information"),
        2 => p.text("MAC Mask List"),
        3 => p.text("Reserve/Release"),
        _ => write!(p, "Unknown (0x{command:02x})"),
    }
    write!(p, ", Tag: 0x{:08x}", cursor.u32()?);
    let arguments = layer.skip(HEADER);
    let valid = match command {
        0 => print_ata(p, arguments)?,
        1 => print_configuration(p, arguments)?,
        2 => print_mask(p, arguments)?,
        3 => print_reservation(p, arguments)?,
        _ => true,
    };
    if valid { Ok(()) } else { p.invalid(arguments, "aoe") }
}

fn print_ata(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<bool, Truncated> {
    const ARGUMENTS: usize = 12;
    if layer.len < ARGUMENTS {
        return Ok(false);
    }
    let mut cursor = layer.cursor("aoe");
    p.text("\n\tAFlags: [");
    p.flags(u32::from(cursor.u8()?), &ATA_FLAGS, ", ");
    write!(p, "], Err/Feature: {}", cursor.u8()?);
    write!(p, ", Sector Count: {}", cursor.u8()?);
    write!(p, ", Cmd/Status: {}", cursor.u8()?);
    for i in 0..6 {
        write!(p, "{}lba{i}: {}", if i == 0 { "\n\t" } else { ", " }, cursor.u8()?);
    }
    cursor.skip(2)?;
    if layer.len > ARGUMENTS {
        write!(p, "\n\tData: {} bytes", layer.len - ARGUMENTS);
    }
    layer.cursor("aoe").need(layer.len)?;
    Ok(true)
}

fn print_configuration(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<bool, Truncated> {
    if layer.len < 8 {
        return Ok(false);
    }
    let mut cursor = layer.cursor("aoe");
    write!(p, "\n\tBuffer Count: {}", cursor.u16()?);
    write!(p, ", Firmware Version: {}", cursor.u16()?);
    write!(p, ", Sector Count: {}", cursor.u8()?);
    let last = cursor.u8()?;
    write!(p, ", AoE: {}, CCmd: ", last >> 4);
    p.text(match last & 15 {
        0 => "read config string",
        1 => "test config string",
        2 => "test config string prefix",
        3 => "set config string",
        4 => "force set config string",
        _ => "Unknown (0x02x)",
    });
    let len = usize::from(cursor.u16()?);
    if len > 1024 || len > layer.len - 8 {
        return Ok(false);
    }
    if len > 0 {
        write!(p, "\n\tConfig String (length {len}): ");
        p.escaped_field(&mut cursor, len)?;
    }
    layer.cursor("aoe").need(layer.len)?;
    Ok(true)
}

fn print_mask(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<bool, Truncated> {
    if layer.len < 4 {
        return Ok(false);
    }
    let mut cursor = layer.cursor("aoe");
    cursor.skip(1)?;
    let (command, error, count) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    p.text("\n\tMCmd: ");
    match command {
        0 => p.text("Read Mac Mask List"),
        1 => p.text("Edit Mac Mask List"),
        _ => write!(p, "Unknown (0x{command:02x})"),
    }
    p.text(", MError: ");
    match error {
        1 => p.text("Unspecified Error"),
        2 => p.text("Bad DCmd directive"),
        3 => p.text("Mask list full"),
        _ => write!(p, "Unknown (0x{error:02x})"),
    }
    write!(p, ", Dir Count: {count}");
    if usize::from(count) * 8 > layer.len - 4 {
        return Ok(false);
    }
    for _ in 0..count {
        cursor.skip(1)?;
        let directive = cursor.u8()?;
        p.text("\n\t DCmd: ");
        match directive {
            0 => p.text("No Directive"),
            1 => p.text("Add mac address to mask list"),
            2 => p.text("Delete mac address from mask list"),
            _ => write!(p, "Unknown (0x{directive:02x})"),
        }
        print_address(p, ", Ethernet Address", &mut cursor)?;
    }
    Ok(true)
}

fn print_reservation(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<bool, Truncated> {
    if layer.len < 2 {
        return Ok(false);
    }
    let mut cursor = layer.cursor("aoe");
    let (command, count) = (cursor.u8()?, cursor.u8()?);
    p.text("\n\tRCmd: ");
    match command {
        0 => p.text("Read reserve list"),
        1 => p.text("Set reserve list"),
        2 => p.text("Force set reserve list"),
        _ => write!(p, "Unknown (0x{command:02x})"),
    }
    write!(p, ", NMacs: {count}");
    if usize::from(count) * 6 > layer.len - 2 {
        return Ok(false);
    }
    for i in 0..count {
        write!(p, "\n\tEthernet Address {i}");
        print_address(p, "", &mut cursor)?;
    }
    Ok(true)
}

fn print_address(p: &mut Printer<'_>, label: &str, cursor: &mut Cursor<'_>) -> Printed {
    let address = Mac(cursor.take(6)?);
    write!(p, "{label}: {address}");
    Ok(())
}

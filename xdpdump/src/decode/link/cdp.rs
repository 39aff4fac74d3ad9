//! Cisco's discovery protocol. The fields are shown with `-v`; without, the name of the device, and
//! the others in hex.

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const DEVICE: u16 = 1;
const ADDRESSES: u16 = 2;
const CAPABILITIES: u16 = 4;
const VERSION: u16 = 5;
const PREFIXES: u16 = 7;
const DUPLEX: u16 = 11;
const VOICE_VLAN: u16 = 14;
const VOICE_QUERY: u16 = 15;
const MANAGEMENT: u16 = 22;
/// Elements up to this one are known; later ones are shown in hex.
const LAST_KNOWN: u16 = 23;
const CAPABILITY: [(u32, &str); 7] = [
    (0x01, "Router"),
    (0x02, "Transparent Bridge"),
    (0x04, "Source Route Bridge"),
    (0x08, "L2 Switch"),
    (0x10, "L3 capable"),
    (0x20, "IGMP snooping"),
    (0x40, "L1 capable"),
];
/// The protocol of IPv6 addresses: an 802.2 header with SNAP.
const IPV6: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd];

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("cdp");
    if layer.len < 4 {
        write!(p, " (packet length {} < 4)", layer.len);
        return p.invalid(layer, "cdp");
    }
    cursor.need(4)?;
    write!(p, "CDPv{}", cursor.u8()?);
    write!(p, ", ttl: {}s", cursor.u8()?);
    if p.verbose() {
        write!(p, ", checksum: 0x{:04x} (unverified), length {}", cursor.u16()?, layer.len);
    } else {
        cursor.skip(2)?;
    }
    while cursor.at() < layer.len {
        if !print_element(p, &mut cursor, layer.len)? {
            return p.invalid(layer, "cdp");
        }
    }
    if !p.verbose() {
        write!(p, ", length {}", layer.len);
    }
    Ok(())
}

/// Prints an element; returns false if it is invalid.
fn print_element(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, total: usize) -> Result<bool, Truncated> {
    let left = total - cursor.at();
    if left < 4 {
        write!(p, " (remaining packet length {left} < 4)");
        return Ok(false);
    }
    let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
    let name = name(kind).unwrap_or("unknown field type");
    if len < 4 {
        if p.verbose() {
            write!(p, "\n\t{name} (0x{kind:02x}), TLV length: {len} byte{} (too short)", plural(len));
        } else {
            write!(p, ", {name} TLV length {len} too short");
        }
        return Ok(false);
    }
    if len > left {
        write!(p, " (TLV length {len} > {left})");
        return Ok(false);
    }
    let len = len - 4;
    if !p.verbose() {
        if kind == DEVICE {
            p.text(", Device-ID '");
            p.escaped_field(cursor, len)?;
            p.text("'");
            return Ok(true);
        }
        if !has_length(kind, len) {
            p.text(" (malformed TLV)");
        }
        let value = cursor.take(len)?;
        p.hex("\n\t  ", value);
        return Ok(true);
    }
    write!(p, "\n\t{name} (0x{kind:02x}), value length: {len} byte{}: ", plural(len));
    let value = cursor.take(len)?;
    if !has_length(kind, len) {
        p.text(" (malformed TLV)");
        p.hex("\n\t  ", value);
    } else if kind > LAST_KNOWN {
        p.hex("\n\t  ", value);
    } else {
        print_value(p, kind, value)?;
    }
    Ok(true)
}

fn plural(len: usize) -> &'static str {
    if len == 1 { "" } else { "s" }
}

fn name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        DEVICE => "Device-ID",
        ADDRESSES => "Address",
        3 => "Port-ID",
        CAPABILITIES => "Capability",
        VERSION => "Version String",
        6 => "Platform",
        PREFIXES => "Prefixes",
        8 => "Protocol-Hello option",
        9 => "VTP Management Domain",
        10 => "Native VLAN ID",
        DUPLEX => "Duplex",
        VOICE_VLAN => "ATA-186 VoIP VLAN assignment",
        VOICE_QUERY => "ATA-186 VoIP VLAN request",
        16 => "power consumption",
        17 => "MTU",
        18 => "AVVID trust bitmap",
        19 => "AVVID untrusted ports CoS",
        20 => "System Name",
        21 => "System Object ID (not decoded)",
        MANAGEMENT => "Management Addresses",
        23 => "Physical Location",
        _ => return None,
    })
}

/// Whether an element may have a value of this length.
fn has_length(kind: u16, len: usize) -> bool {
    match kind {
        CAPABILITIES | 17 => len == 4,
        10 => len == 2,
        DUPLEX | 18 | 19 => len == 1,
        VOICE_VLAN => len == 3,
        VOICE_QUERY => len == 2 || len == 3,
        16 => (1..=3).contains(&len),
        MANAGEMENT => len >= 4,
        23 => len >= 1,
        _ => true,
    }
}

/// Prints a value whose length is right.
fn print_value(p: &mut Printer<'_>, kind: u16, value: &[u8]) -> Printed {
    let mut cursor = Cursor::new("cdp", value);
    match (kind, value.len()) {
        (DEVICE | 3 | 6 | 9 | 20, _) => {
            p.text("'");
            p.escaped(value);
            p.text("'");
        }
        (ADDRESSES | MANAGEMENT, _) => print_addresses(p, &mut cursor)?,
        (CAPABILITIES, _) => {
            let capabilities = cursor.u32()?;
            write!(p, "(0x{capabilities:08x}): ");
            p.flags(capabilities, &CAPABILITY, ", ");
        }
        (VERSION, _) => {
            for line in value.split(|byte| *byte == b'\n') {
                p.text("\n\t  ");
                p.escaped(line);
            }
        }
        (PREFIXES, len) if len % 5 == 0 => {
            write!(p, " IPv4 Prefixes ({}):", len / 5);
            while let Ok(address) = Ipv4::read(&mut cursor) {
                write!(p, " {address}/{}", cursor.u8()?);
            }
        }
        (PREFIXES, len) => write!(p, " [length {len} is not a multiple of 5]"),
        (10, _) => write!(p, "{}", cursor.u16()?),
        (DUPLEX, _) => p.text(if cursor.u8()? == 0 { "half" } else { "full" }),
        (VOICE_QUERY, 2) => write!(p, "unknown 0x{:04x}", cursor.u16()?),
        (VOICE_VLAN | VOICE_QUERY, _) => write!(p, "app {}, vlan {}", cursor.u8()?, cursor.u16()?),
        (16, _) => {
            let milliwatts = value.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            write!(p, "{:.2}W", f64::from(milliwatts) / 1000.0);
        }
        (17, _) => write!(p, "{} bytes", cursor.u32()?),
        (18 | 19, _) => write!(p, "0x{:02x}", cursor.u8()?),
        (23, _) => {
            write!(p, "0x{:02x}", cursor.u8()?);
            if !cursor.rest().is_empty() {
                p.text("/");
                p.escaped(cursor.rest());
            }
        }
        _ => {}
    }
    Ok(())
}

fn print_addresses(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let Ok(mut left) = cursor.u32() else {
        p.text(" (not enough space for num)");
        return Ok(());
    };
    while left > 0 {
        let (Ok(kind), Ok(len)) = (cursor.u8(), cursor.u8()) else {
            p.text(" (not enough space for PT+PL)");
            return Ok(());
        };
        let (Ok(protocol), Ok(size)) = (cursor.take(usize::from(len)), cursor.u16()) else {
            p.text(" (not enough space for P+AL)");
            return Ok(());
        };
        match (kind, protocol, size) {
            (1, [0xcc], 4) if cursor.need(4).is_ok() => {
                write!(p, "IPv4 ({left}) {}", Ipv4::read(cursor)?);
            }
            (2, IPV6, 16) if cursor.need(16).is_ok() => {
                write!(p, "IPv6 ({left}) {}", Ipv6::read(cursor)?);
            }
            _ => {
                write!(p, "pt=0x{kind:02x}, pl={len}, pb=");
                print_bytes(p, protocol);
                write!(p, ", al={size}, a=");
                let Ok(address) = cursor.take(usize::from(size)) else {
                    p.text(" (not enough space for A)");
                    return Ok(());
                };
                print_bytes(p, address);
            }
        }
        left -= 1;
        if left > 0 {
            p.text(" ");
        }
    }
    if !cursor.rest().is_empty() {
        write!(p, " ({} bytes of stray data)", cursor.rest().len());
    }
    Ok(())
}

fn print_bytes(p: &mut Printer<'_>, bytes: &[u8]) {
    for byte in bytes {
        write!(p, " {byte:02x}");
    }
}

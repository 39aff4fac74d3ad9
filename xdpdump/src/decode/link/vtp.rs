//! Cisco's VLAN trunking protocol. The fields are shown with `-v`.

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const SUMMARY: u8 = 1;
const SUBSET: u8 = 2;
const REQUEST: u8 = 3;
/// Bytes of the header: version, kind, a number, and the domain's name with its length.
const HEADER: usize = 36;
/// Bytes of a VLAN's description before its name.
const VLAN: usize = 12;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if layer.len < HEADER {
        return p.invalid(layer, "vtp");
    }
    let mut cursor = layer.cursor("vtp");
    cursor.need(4)?;
    let (version, kind, number) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let name = match kind {
        SUMMARY => "Summary advertisement",
        SUBSET => "Subset advertisement",
        REQUEST => "Advertisement request",
        4 => "Join message",
        _ => "Unknown message type",
    };
    write!(p, "VTPv{version}, Message {name} (0x{kind:02x}), length {}", layer.len);
    if !p.verbose() {
        return layer.cursor("vtp").need(layer.len);
    }
    p.text("\n\tDomain name: ");
    let len = cursor.u8()?;
    if !(1..=32).contains(&len) {
        write!(p, " [invalid MgmtD Len {len}]");
        return p.invalid(layer, "vtp");
    }
    let domain = cursor.take(32)?;
    p.escaped_until_nul(domain);
    let what = match kind {
        SUMMARY => "Followers",
        SUBSET => "Seq number",
        REQUEST | 4 => "Rsvd",
        _ => "Unknown",
    };
    write!(p, ", {what}: {number}");
    let valid = match kind {
        SUMMARY => print_summary(p, &mut cursor)?,
        SUBSET => {
            write!(p, ", Config Rev {:x}", cursor.u32()?);
            print_vlans(p, layer.skip(cursor.at()))?
        }
        REQUEST => {
            write!(p, "\n\tStart value: {}", cursor.u32()?);
            true
        }
        _ => true,
    };
    if valid { Ok(()) } else { p.invalid(layer, "vtp") }
}

fn print_summary(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<bool, Truncated> {
    cursor.need(8)?;
    write!(p, "\n\t  Config Rev {:x}, Updater {}", cursor.u32()?, Ipv4::read(cursor)?);
    cursor.need(12)?;
    p.text(", Timestamp");
    for _ in 0..3 {
        write!(p, " 0x{:08x}", cursor.u32()?);
    }
    let digest = cursor.take(16)?;
    p.text(", MD5 digest: ");
    p.digits(digest);
    Ok(true)
}

/// Prints the VLANs of a subset; returns false if one is invalid.
fn print_vlans(p: &mut Printer<'_>, mut layer: Layer<'_>) -> Result<bool, Truncated> {
    while layer.len > 0 {
        let mut cursor = layer.cursor("vtp");
        let len = usize::from(cursor.u8()?);
        if len == 0 {
            return Ok(true);
        }
        if len < VLAN || len > layer.len {
            return Ok(false);
        }
        let vlan = Cursor::new("vtp", layer.skip(1).cut(len - 1).bytes);
        if !print_vlan(p, vlan, len)? {
            return Ok(false);
        }
        layer = layer.skip(len);
    }
    Ok(true)
}

fn print_vlan(p: &mut Printer<'_>, mut cursor: Cursor<'_>, len: usize) -> Result<bool, Truncated> {
    cursor.need(VLAN - 1)?;
    let (status, kind, name_len) = (cursor.u8()?, cursor.u8()?, usize::from(cursor.u8()?));
    let status = match status {
        0 => "Operational",
        1 => "Suspended",
        _ => "Unknown",
    };
    let kind = match kind {
        1 => "Ethernet",
        2 => "FDDI",
        3 => "TrCRF",
        4 => "FDDI-net",
        5 => "TrBRF",
        _ => "Unknown",
    };
    write!(p, "\n\tVLAN info status {status}, type {kind}, ");
    write!(p, "VLAN-id {}, MTU {}, ", cursor.u16()?, cursor.u16()?);
    write!(p, "SAID 0x{:08x}, Name ", cursor.u32()?);
    // The name is padded to whole words.
    let padded = name_len.next_multiple_of(4);
    if VLAN + padded > len {
        return Ok(false);
    }
    let name = cursor.take(name_len)?;
    p.escaped_until_nul(name);
    cursor.skip(padded - name_len)?;
    let mut left = len - VLAN - padded;
    while left > 0 {
        if left < 2 {
            return Ok(false);
        }
        let element = cursor.rest();
        let (kind, words) = (cursor.u8()?, usize::from(cursor.u8()?));
        let size = 2 + words * 2;
        write!(p, "\n\t\t{} (0x{kind:04x}) TLV", element_name(kind));
        if size > left {
            p.text(" (TLV goes past the end of the packet)");
            return Ok(false);
        }
        if words != 1 {
            write!(p, " (invalid TLV length {words} != 1)");
            return Ok(false);
        }
        let value = cursor.u16()?;
        match kind {
            3 => write!(
                p,
                ", {} ({value})",
                ["Unknown", "SRT", "SRB", "Auto"].get(usize::from(value)).unwrap_or(&"Unknown")
            ),
            7 => write!(p, ", {} ({value})", if value == 1 { "SRB" } else { "SRT" }),
            6 => write!(p, ", {} ({value})", if value == 1 { "Enabled" } else { "Disabled" }),
            10 => write!(p, ", {} ({value})", if value == 1 { "Backup" } else { "Not backup" }),
            _ => p.hex("\n\t\t  ", element.get(..size).unwrap_or(element)),
        }
        left -= size;
    }
    Ok(true)
}

fn element_name(kind: u8) -> &'static str {
    match kind {
        1 => "Source-Routing Ring Number TLV",
        2 => "Source-Routing Bridge Number TLV",
        3 => "STP type TLV",
        4 => "Parent VLAN TLV",
        5 => "Translationally bridged VLANs TLV",
        6 => "Pruning TLV",
        7 => "Bridge Type TLV",
        8 => "Max ARP Hop Count TLV",
        9 => "Max STE Hop Count TLV",
        10 => "Backup CRF Mode TLV",
        _ => "Unknown",
    }
}

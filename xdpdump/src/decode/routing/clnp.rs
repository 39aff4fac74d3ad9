//! Connectionless-mode network protocol (ISO 8473): header and addresses.

use crate::decode::cursor::{Layer, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::{nsap::Nsap, osi};

const HEADER: usize = 9;
const SEGMENTATION: u8 = 0x80;

const FLAGS: [(u32, &str); 3] =
    [(0x80, "Segmentation permitted"), (0x40, "more Segments"), (0x20, "request Error Report")];

/// Prints a packet; false if the caller should show it in hex.
pub(super) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<bool, Truncated> {
    let mut cursor = layer.cursor("clnp");
    cursor.need(HEADER)?;
    if !p.style.link_header {
        p.text("CLNP");
    }
    cursor.skip(1)?;
    let indicator = usize::from(cursor.u8()?);
    let version = cursor.u8()?;
    if version != 1 {
        write!(p, "version {version} packet not supported");
        return Ok(false);
    }
    if indicator > layer.len {
        write!(p, " length indicator({indicator}) > PDU size ({})!", layer.len);
        return Ok(false);
    }
    if indicator < HEADER {
        write!(p, " length indicator {indicator} < min PDU size:");
        return Ok(false);
    }
    let lifetime = cursor.u8()?;
    let first = cursor.u8()?;
    let (kind, flags) = (first & 0x1f, first & 0xe0);
    let (segment, checksum) = (cursor.u16()?, cursor.u16()?);
    let dst_len = usize::from(cursor.u8()?);
    let dst = Nsap(cursor.take(dst_len)?);
    let src_len = usize::from(cursor.u8()?);
    let src = Nsap(cursor.take(src_len)?);
    let separator = if p.style.link_header { "" } else { ", " };
    let name = match kind {
        0x01 => "Error Report",
        0x1c => "Data",
        0x1d => "Multicast",
        0x1e => "Echo Request",
        0x1f => "Echo Response",
        _ => "unknown",
    };
    if !p.verbose() {
        if name == "unknown" {
            write!(p, "{separator}{src} > {dst}, unknown ({kind}), length {}", layer.len);
        } else {
            write!(p, "{separator}{src} > {dst}, {name}, length {}", layer.len);
        }
        return Ok(true);
    }
    write!(p, "{separator}length {}\n\t{name} PDU, hlen: {indicator}, v: {version}", layer.len);
    write!(p, ", lifetime: {}.{}s", lifetime / 2, lifetime % 2 * 5);
    write!(p, ", Segment PDU length: {segment}, checksum: 0x{checksum:04x}");
    osi::print_checksum_at(p, layer.bytes.get(..indicator), checksum, 7);
    p.text("\n\tFlags [");
    p.flags(u32::from(flags), &FLAGS, ", ");
    write!(p, "]\n\tsource address (length {src_len}): {src}");
    write!(p, "\n\tdest   address (length {dst_len}): {dst}");
    if flags & SEGMENTATION != 0 {
        let (id, offset, total) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
        write!(p, "\n\tData Unit ID: 0x{id:04x}, Segment Offset: {offset}, Total PDU Length: {total}");
    }
    let data = layer.skip(indicator);
    if data.len > 0 && matches!(kind, 0x01 | 0x1c | 0x1d | 0x1e | 0x1f) {
        write!(p, "\n\t  undecoded non-header data, length {}", data.len);
        p.hex("\n\t  ", data.bytes);
    }
    Ok(true)
}

//! IS-IS (ISO/IEC 10589, RFC 1195, RFC 5305, RFC 5308).

mod authentication;
mod capability;
mod elements;
mod neighbors;
mod prefixes;
mod topology;

use std::fmt;

use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::osi;

const L1_LAN_HELLO: u8 = 15;
const L2_LAN_HELLO: u8 = 16;
const POINT_TO_POINT_HELLO: u8 = 17;
const L1_LINK_STATE: u8 = 18;
const L2_LINK_STATE: u8 = 20;
const L1_COMPLETE: u8 = 24;
const L2_COMPLETE: u8 = 25;
const L1_PARTIAL: u8 = 26;
const L2_PARTIAL: u8 = 27;

/// Bytes of the header that all packets have.
const HEADER: usize = 8;
/// The length of a system identifier, which is always 6 in practice.
const SYSTEM_ID: u8 = 6;
const DEFAULT_AREAS: u8 = 3;

/// A system's identifier, followed by a byte for a pseudonode and one for a fragment if there are so many.
#[derive(Clone, Copy)]
struct Id<'a>(&'a [u8]);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            let separator = match i {
                0 => "",
                7 => "-",
                _ if i % 2 == 0 => ".",
                _ => "",
            };
            write!(f, "{separator}{byte:02x}")?;
        }
        Ok(())
    }
}

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        L1_LAN_HELLO => "L1 Lan IIH",
        L2_LAN_HELLO => "L2 Lan IIH",
        POINT_TO_POINT_HELLO => "p2p IIH",
        L1_LINK_STATE => "L1 LSP",
        L2_LINK_STATE => "L2 LSP",
        L1_COMPLETE => "L1 CSNP",
        L2_COMPLETE => "L2 CSNP",
        L1_PARTIAL => "L1 PSNP",
        L2_PARTIAL => "L2 PSNP",
        _ => return None,
    })
}

/// Bytes of a packet before its elements.
fn fixed_len(kind: u8) -> Option<usize> {
    Some(match kind {
        L1_LAN_HELLO | L2_LAN_HELLO | L1_LINK_STATE | L2_LINK_STATE => 27,
        POINT_TO_POINT_HELLO => 20,
        L1_COMPLETE | L2_COMPLETE => 33,
        L1_PARTIAL | L2_PARTIAL => 17,
        _ => return None,
    })
}

/// Prints a packet; false if the caller should show it in hex.
pub(super) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<bool, Truncated> {
    let mut cursor = layer.cursor("isis");
    cursor.need(HEADER)?;
    if !p.style.link_header {
        p.text("IS-IS");
    }
    cursor.skip(1)?;
    let fixed = cursor.u8()?;
    let (version, id_len) = (cursor.u8()?, cursor.u8()?);
    let (kind, pdu_version) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(1)?;
    let areas = cursor.u8()?;
    if usize::from(fixed) < HEADER {
        write!(p, "fixed header length {fixed} < minimum header size {HEADER}");
        return Ok(false);
    }
    if version != 1 || pdu_version != 1 {
        write!(p, "version {} packet not supported", if version == 1 { pdu_version } else { version });
        return Ok(false);
    }
    if id_len != 0 && id_len != SYSTEM_ID {
        write!(p, "system ID length of {id_len} is not supported");
        return Ok(false);
    }
    if areas == 0xff {
        p.text("bad packet -- 255 areas");
        return Ok(false);
    }
    if usize::from(fixed) > layer.len {
        write!(p, "fixed header length {fixed} > packet length {}", layer.len);
        return Ok(false);
    }
    let separator = if p.style.link_header { "" } else { ", " };
    if !p.verbose() {
        match name(kind) {
            Some(name) => write!(p, "{separator}{name}"),
            None => write!(p, "{separator}unknown PDU-Type {kind}"),
        }
        print_headline(p, kind, &mut cursor)?;
        write!(p, ", length {}", layer.len);
        return Ok(true);
    }
    write!(p, "{separator}length {}\n\t", layer.len);
    match name(kind) {
        Some(name) => p.text(name),
        None => write!(p, "unknown, type {kind}"),
    }
    let max_areas = if areas == 0 { DEFAULT_AREAS } else { areas };
    write!(p, ", hlen: {fixed}, v: {version}, pdu-v: {pdu_version}");
    write!(p, ", sys-id-len: {SYSTEM_ID} ({id_len}), max-area: {max_areas} ({areas})");
    print_details(p, kind, fixed, layer, cursor)
}

/// Prints what identifies a packet, in the same line.
fn print_headline(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Printed {
    cursor.need(fixed_len(kind).unwrap_or(HEADER) - HEADER)?;
    match kind {
        L1_LAN_HELLO | L2_LAN_HELLO => {
            cursor.skip(1)?;
            let source = Id(cursor.take(6)?);
            cursor.skip(4)?;
            let priority = cursor.u8()?;
            write!(p, ", src-id {source}, lan-id {}, prio {priority}", Id(cursor.take(7)?));
        }
        POINT_TO_POINT_HELLO => {
            cursor.skip(1)?;
            write!(p, ", src-id {}", Id(cursor.take(6)?));
        }
        L1_LINK_STATE | L2_LINK_STATE => {
            cursor.skip(2)?;
            let lifetime = cursor.u16()?;
            let id = Id(cursor.take(8)?);
            write!(p, ", lsp-id {id}, seq 0x{:08x}, lifetime {lifetime:5}s", cursor.u32()?);
        }
        L1_COMPLETE | L2_COMPLETE | L1_PARTIAL | L2_PARTIAL => {
            cursor.skip(2)?;
            write!(p, ", src-id {}", Id(cursor.take(7)?));
        }
        _ => {}
    }
    Ok(())
}

/// Prints the fields after the header, then the elements.
fn print_details(
    p: &mut Printer<'_>,
    kind: u8,
    fixed: u8,
    layer: Layer<'_>,
    mut cursor: Cursor<'_>,
) -> Result<bool, Truncated> {
    let hex = p.style.verbosity > 1;
    if hex {
        p.hex("\n\t", layer.bytes.get(..HEADER).unwrap_or_default());
    }
    let Some(expected) = fixed_len(kind) else {
        let rest = layer.skip(HEADER);
        p.hex("\n\t  ", rest.bytes);
        return Ok(false);
    };
    if usize::from(fixed) != expected {
        write!(p, ", bogus fixed header length {fixed} should be {expected}");
        return Ok(false);
    }
    cursor.need(expected - HEADER)?;
    let fields = { cursor }.take(expected - HEADER)?;
    let length = match kind {
        L1_LAN_HELLO | L2_LAN_HELLO | POINT_TO_POINT_HELLO => print_hello(p, kind, &mut cursor)?,
        L1_LINK_STATE | L2_LINK_STATE => print_link_state(p, layer, &mut cursor)?,
        _ => print_sequence_numbers(p, kind, &mut cursor)?,
    };
    if hex {
        p.hex("\n\t  ", fields);
    }
    let Some(left) = usize::from(length).checked_sub(expected) else {
        write!(p, " [packet length {length} < {expected}] (invalid)");
        return Ok(true);
    };
    elements::print(p, layer, cursor, left)?;
    Ok(true)
}

fn print_hello(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Result<u16, Truncated> {
    let circuit = cursor.u8()?;
    let source = Id(cursor.take(6)?);
    let (holding, length) = (cursor.u16()?, cursor.u16()?);
    // tcpdump writes two spaces in one of both.
    let space = if kind == POINT_TO_POINT_HELLO { "" } else { " " };
    write!(p, "\n\t  source-id: {source}, {space}holding time: {holding}s, Flags: [");
    match circuit {
        1 => p.text("Level 1 only"),
        2 => p.text("Level 2 only"),
        3 => p.text("Level 1, Level 2"),
        _ => write!(p, "unknown circuit type 0x{circuit:02x}"),
    }
    p.text("]");
    if kind == POINT_TO_POINT_HELLO {
        write!(p, "\n\t  circuit-id: 0x{:02x}, PDU length: {length}", cursor.u8()?);
    } else {
        let priority = cursor.u8()? & 0x7f;
        let id = Id(cursor.take(7)?);
        write!(p, "\n\t  lan-id:    {id}, Priority: {priority}, PDU length: {length}");
    }
    Ok(length)
}

fn print_link_state(
    p: &mut Printer<'_>,
    layer: Layer<'_>,
    cursor: &mut Cursor<'_>,
) -> Result<u16, Truncated> {
    /// The checksum covers everything from the identifier on.
    const CHECKED: usize = 12;
    let (length, lifetime) = (cursor.u16()?, cursor.u16()?);
    let id = Id(cursor.take(8)?);
    let (sequence, checksum, flags) = (cursor.u32()?, cursor.u16()?, cursor.u8()?);
    write!(p, "\n\t  lsp-id: {id}, seq: 0x{sequence:08x}, lifetime: {lifetime:5}s");
    write!(p, "\n\t  chksum: 0x{checksum:04x}");
    let checked = layer.bytes.get(CHECKED..layer.len);
    osi::print_checksum(p, checked, checksum, CHECKED);
    write!(p, ", PDU length: {length}, Flags: [ ");
    if flags & 0x04 != 0 {
        p.text("Overload bit set, ");
    }
    if flags & 0x78 != 0 {
        for (bit, name) in [(0x08, "default "), (0x10, "delay "), (0x20, "expense "), (0x40, "error ")] {
            if flags & bit != 0 {
                p.text(name);
            }
        }
        p.text("ATT bit set, ");
    }
    if flags & 0x80 != 0 {
        p.text("P bit set, ");
    }
    let level = ["Unused 0x0 (invalid)", "L1 IS", "Unused 0x2 (invalid)", "L2 IS"];
    write!(p, "{} ]", level[usize::from(flags & 3)]);
    Ok(length)
}

fn print_sequence_numbers(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Result<u16, Truncated> {
    let length = cursor.u16()?;
    write!(p, "\n\t  source-id:    {}, PDU length: {length}", Id(cursor.take(7)?));
    if matches!(kind, L1_COMPLETE | L2_COMPLETE) {
        write!(p, "\n\t  start lsp-id: {}", Id(cursor.take(8)?));
        write!(p, "\n\t  end lsp-id:   {}", Id(cursor.take(8)?));
    }
    Ok(length)
}

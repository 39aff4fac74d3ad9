//! Stream control transmission (RFC 9260): the chunks of a packet.

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::network::ip;
use crate::decode::printer::Printer;

const HEADER: usize = 12;
/// Kind, flags and length of a chunk.
const CHUNK: usize = 4;
const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
/// Bytes of a data chunk before its payload.
const DATA_HEADER: usize = 16;

/// Prints a packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    if layer.len < HEADER {
        write!(p, "truncated-sctp - {} bytes missing!", HEADER - layer.len);
        return Ok(());
    }
    let mut cursor = layer.cursor("sctp");
    cursor.need(HEADER)?;
    let (src, dst) = (cursor.u16()?, cursor.u16()?);
    write!(p, "{}.{src} > {}.{dst}: sctp", header.src, header.dst);
    let mut rest = layer.skip(HEADER);
    let mut number = 1;
    while rest.len > 0 {
        let before = match number {
            _ if p.style.verbosity > 1 => "\n\t",
            1 => " (",
            _ => ", (",
        };
        if rest.len < CHUNK {
            write!(p, "{before}{number}) [chunk descriptor cut off at end of packet]");
            return Ok(());
        }
        let mut cursor = rest.cursor("sctp");
        cursor.need(CHUNK)?;
        let (kind, flags, len) = (cursor.u8()?, cursor.u8()?, usize::from(cursor.u16()?));
        if len < CHUNK {
            write!(p, "{before}{number}) [Bad chunk length {len}, < size of chunk descriptor]");
            return Ok(());
        }
        rest.cursor("sctp").need(len)?;
        write!(p, "{before}{number}) ");
        match name(kind) {
            Some(name) => write!(p, "[{name}] "),
            None => write!(p, "[Unknown chunk type: 0x{kind:x}] "),
        }
        if !print_chunk(p, kind, flags, rest.cut(len))? {
            return Ok(());
        }
        // Chunks are padded to whole words.
        let padded = len.next_multiple_of(4);
        rest.cursor("sctp").need(padded)?;
        rest = rest.skip(padded);
        number += 1;
    }
    Ok(())
}

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        DATA => "DATA",
        INIT => "INIT",
        INIT_ACK => "INIT ACK",
        SACK => "SACK",
        4 => "HB REQ",
        5 => "HB ACK",
        6 => "ABORT",
        7 => "SHUTDOWN",
        8 => "SHUTDOWN ACK",
        9 => "OP ERR",
        10 => "COOKIE ECHO",
        11 => "COOKIE ACK",
        12 => "ECN ECHO",
        13 => "ECN CWR",
        14 => "SHUTDOWN COMPLETE",
        0xc0 => "FOR CUM TSN",
        0xc1 => "REL CTRL",
        0xc2 => "REL CTRL ACK",
        _ => return None,
    })
}

/// Prints a chunk's fields; returns false if nothing can follow.
fn print_chunk(
    p: &mut Printer<'_>,
    kind: u8,
    flags: u8,
    chunk: Layer<'_>,
) -> Result<bool, crate::decode::cursor::Truncated> {
    let mut cursor = chunk.skip(CHUNK).cursor("sctp");
    match kind {
        DATA => {
            for (bit, name) in [(4, "(U)"), (2, "(B)"), (1, "(E)")] {
                if flags & bit != 0 {
                    p.text(name);
                }
            }
            if flags & 7 != 0 {
                p.text(" ");
            }
            return print_data(p, chunk, &mut cursor);
        }
        INIT | INIT_ACK => {
            write!(p, "[init tag: {}] ", cursor.u32()?);
            write!(p, "[rwnd: {}] ", cursor.u32()?);
            write!(p, "[OS: {}] ", cursor.u16()?);
            write!(p, "[MIS: {}] ", cursor.u16()?);
            write!(p, "[init TSN: {}] ", cursor.u32()?);
        }
        SACK => print_acknowledgments(p, &mut cursor)?,
        _ => {}
    }
    Ok(true)
}

fn print_data(
    p: &mut Printer<'_>,
    chunk: Layer<'_>,
    cursor: &mut Cursor<'_>,
) -> Result<bool, crate::decode::cursor::Truncated> {
    write!(p, "[TSN: {}] ", cursor.u32()?);
    write!(p, "[SID: {}] ", cursor.u16()?);
    write!(p, "[SSEQ {}] ", cursor.u16()?);
    let protocol = cursor.u32()?;
    match protocol_name(protocol) {
        Some(name) => write!(p, "[PPID {name}] "),
        None => write!(p, "[PPID 0x{protocol:x}] "),
    }
    if chunk.len <= DATA_HEADER {
        write!(p, "bogus chunk length {}]", chunk.len);
        return Ok(false);
    }
    if p.style.verbosity > 1 {
        p.text("[Payload");
        if !p.style.hex_follows {
            p.text(":");
            p.payload(chunk.skip(DATA_HEADER));
        }
        p.text("]");
    }
    Ok(true)
}

fn print_acknowledgments(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let acknowledged = cursor.u32()?;
    write!(p, "[cum ack {acknowledged}] ");
    write!(p, "[a_rwnd {}] ", cursor.u32()?);
    let (gaps, duplicates) = (cursor.u16()?, cursor.u16()?);
    write!(p, "[#gap acks {gaps}] [#dup tsns {duplicates}] ");
    for number in 1..=gaps {
        // Both are counted from the last number acknowledged without a gap.
        let start = acknowledged.wrapping_add(cursor.u16()?.into());
        let end = acknowledged.wrapping_add(cursor.u16()?.into());
        write!(p, "\n\t\t[gap ack block #{number}: start = {start}, end = {end}] ");
    }
    for number in 1..=duplicates {
        write!(p, "\n\t\t[dup TSN #{number}: {}] ", cursor.u32()?);
    }
    Ok(())
}

/// Payload protocols (IANA).
fn protocol_name(protocol: u32) -> Option<&'static str> {
    Some(match protocol {
        1 => "ISDN Q.921",
        2 => "M2UA",
        3 => "M3UA",
        4 => "SUA",
        5 => "M2PA",
        6 => "V5.2",
        7 => "H.248",
        8 => "BICC",
        9 => "TALI",
        10 => "DUA",
        11 => "ASAP",
        12 => "ENRP",
        13 => "H.323",
        14 => "Q.IPC",
        15 => "SIMCO",
        16 => "DDPSC",
        17 => "DDPSSC",
        18 => "S1AP",
        19 => "RUA",
        20 => "HNBAP",
        21 => "ForCES HP",
        22 => "ForCES MP",
        23 => "ForCES LP",
        24 => "SBc-AP",
        25 => "NBAP",
        27 => "X2AP",
        _ => return None,
    })
}

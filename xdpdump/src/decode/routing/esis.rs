//! ES-IS (ISO 9542): how end systems and intermediate systems find each other.

use crate::decode::address::Mac;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;
use crate::decode::routing::{nsap::Nsap, osi};

const HEADER: usize = 9;

const END_SYSTEM: u8 = 2;
const INTERMEDIATE_SYSTEM: u8 = 4;
const REDIRECT: u8 = 6;

/// Prints a packet.
pub(super) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if !p.style.link_header {
        p.text("ES-IS");
    }
    let mut cursor = layer.cursor("esis");
    if layer.len <= 2 {
        p.text("bad pkt!");
        return Ok(());
    }
    cursor.need(HEADER)?;
    cursor.skip(1)?;
    let indicator = usize::from(cursor.u8()?);
    if indicator > layer.len {
        write!(p, " length indicator({indicator}) > PDU size ({})!", layer.len);
        return Ok(());
    }
    if indicator < HEADER {
        write!(p, " length indicator({indicator}) < min PDU size:");
        p.hex("\n\t", layer.bytes);
        return Ok(());
    }
    let version = cursor.u8()?;
    cursor.skip(1)?;
    let kind = cursor.u8()? & 0x1f;
    let (holding, checksum) = (cursor.u16()?, cursor.u16()?);
    let separator = if p.style.link_header { "" } else { ", " };
    let name = match kind {
        END_SYSTEM => Some("ESH"),
        INTERMEDIATE_SYSTEM => Some("ISH"),
        REDIRECT => Some("redirect"),
        _ => None,
    };
    if !p.verbose() {
        match name {
            Some(name) => write!(p, "{separator}{name}, length {}", layer.len),
            None => write!(p, "{separator}unknown type ({kind}), length {}", layer.len),
        }
        return Ok(());
    }
    write!(p, "{separator}length {}\n\t", layer.len);
    match name {
        Some(name) => write!(p, "{name} ({kind})"),
        None => write!(p, "unknown type: {kind} ({kind})"),
    }
    write!(p, ", v: {version}, checksum: 0x{checksum:04x}");
    osi::print_checksum_at(p, layer.bytes.get(..indicator), checksum, 7);
    write!(p, ", holding time: {holding}s, length indicator: {indicator}");
    if p.style.verbosity > 1 {
        p.hex("\n\t", layer.bytes.get(..HEADER).unwrap_or_default());
    }
    let mut body = Cursor::new("esis", cursor.take((indicator - HEADER).min(cursor.rest().len()))?);
    match kind {
        END_SYSTEM => {
            let count = body.u8()?;
            write!(p, "\n\t  Number of Source Addresses: {count}");
            for _ in 0..count {
                if body.rest().is_empty() {
                    break;
                }
                print_address(p, &mut body)?;
            }
        }
        INTERMEDIATE_SYSTEM => print_address(p, &mut body)?,
        REDIRECT => {
            print_redirect(p, &mut body)?;
            // tcpdump expects options.
            if body.rest().is_empty() {
                p.text(", bad opts/li");
            }
        }
        _ => {
            p.hex("\n\t  ", body.rest());
            return Ok(());
        }
    }
    print_options(p, &mut body)
}

fn print_address(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Printed {
    let len = usize::from(body.u8()?);
    write!(p, "\n\t  NET (length: {len}): {}", Nsap(body.take(len)?));
    Ok(())
}

fn print_redirect(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Printed {
    let len = usize::from(body.u8()?);
    write!(p, "\n\t  {}", Nsap(body.take(len)?));
    let len = usize::from(body.u8()?);
    write!(p, "\n\t  SNPA (length: {len}): {}", Mac(body.take(len)?));
    // An address follows if the redirection is to an intermediate system.
    let len = usize::from(body.u8()?);
    if len != 0 {
        write!(p, "\n\t  NET (length: {len}) {}", Nsap(body.take(len)?));
    }
    Ok(())
}

fn print_options(p: &mut Printer<'_>, body: &mut Cursor<'_>) -> Printed {
    while !body.rest().is_empty() {
        if body.rest().len() < 2 {
            p.text(", bad opts/li");
            return Ok(());
        }
        let (kind, len) = (body.u8()?, usize::from(body.u8()?));
        if len > body.rest().len() {
            write!(p, ", opt ({kind}) too long");
            return Ok(());
        }
        let name = match kind {
            198 => "ES Configuration Time",
            225 => "Addressk Mask",
            226 => "SNPA Mask",
            197 => "Security",
            195 => "QoS Maintenance",
            205 => "Priority",
            _ => "Unknown",
        };
        write!(p, "\n\t  {name} Option #{kind}, length {len}, value: ");
        let value = body.take(len)?;
        match (kind, value) {
            (198, [high, low]) => write!(p, "{}s", u16::from_be_bytes([*high, *low])),
            (198, _) => p.text("(bad length)"),
            _ => p.hex("\n\t  ", value),
        }
    }
    Ok(())
}

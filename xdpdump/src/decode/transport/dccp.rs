//! Datagram congestion control (RFC 4340).

use crate::decode::checksum::{Checksum, expected};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::network::ip;
use crate::decode::printer::Printer;

/// Bytes of the header with a short sequence number, and with a long one.
const SHORT: usize = 12;
const LONG: usize = 16;
const REQUEST: u8 = 0;
const RESPONSE: u8 = 1;
const DATA: u8 = 2;
const RESET: u8 = 7;

/// Prints a packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("dccp");
    cursor.need(SHORT)?;
    if layer.len < SHORT {
        write!(p, "truncated-dccp - {} bytes missing!", SHORT - layer.len);
        return Ok(());
    }
    let (src, dst) = (cursor.u16()?, cursor.u16()?);
    cursor.skip(1)?;
    let [coverage] = cursor.array()?;
    let checksum = cursor.u16()?;
    let kind = cursor.u8()?;
    let long = kind & 1 != 0;
    let kind = kind >> 1 & 15;
    let fixed = if long { LONG } else { SHORT };
    if layer.len < fixed {
        write!(p, "truncated-dccp - {} bytes missing!", fixed - layer.len);
        return Ok(());
    }
    layer.cursor("dccp").need(fixed)?;
    write!(p, "{}.{src} > {}.{dst}: DCCP", header.src, header.dst);
    if p.style.quiet {
        let header_len = usize::from(layer.skip(4).cursor("dccp").u8()?) * 4;
        // As with TCP, tcpdump subtracts before it checks.
        write!(p, " {}", (layer.len as u32).wrapping_sub(header_len as u32));
        if header_len > layer.len {
            write!(p, " [bad hdr length {header_len} - too long, > {}]", layer.len);
        }
        return Ok(());
    }
    if p.verbose() {
        write!(p, " (CCVal {}, CsCov {}", coverage >> 4, coverage & 15);
        print_checksum(p, header, layer, coverage & 15, checksum);
        p.text(")");
    }
    p.text(" ");
    let Some(extra) = (match kind {
        REQUEST => Some(4),
        RESPONSE | RESET => Some(12),
        DATA => Some(0),
        3..=9 => Some(8),
        _ => None,
    }) else {
        write!(p, "unknown-type-{kind} ");
        return print_acknowledgment(p, long, layer.skip(fixed));
    };
    let name = name(kind);
    if layer.len < fixed + extra {
        write!(p, "truncated-{name} - {} bytes missing!", fixed + extra - layer.len);
        return Ok(());
    }
    layer.cursor("dccp").need(fixed + extra)?;
    write!(p, "{name} ");
    let rest = layer.skip(fixed);
    match kind {
        REQUEST => write!(p, "(service={}) ", rest.cursor("dccp").u32()?),
        RESPONSE => write!(p, "(service={}) ", rest.skip(8).cursor("dccp").u32()?),
        RESET => write!(p, "(code={}) ", reason(rest.skip(8).cursor("dccp").u8()?)),
        _ => {}
    }
    if !matches!(kind, REQUEST | DATA) {
        print_acknowledgment(p, long, rest)?;
    }
    if p.style.verbosity > 1 {
        write!(p, "seq {}", sequence(&mut layer.skip(8).cursor("dccp"), long)?);
    }
    Ok(())
}

/// A sequence number: 48 bits, or 24 in a short header.
fn sequence(cursor: &mut Cursor<'_>, long: bool) -> Result<u64, crate::decode::cursor::Truncated> {
    if !long {
        cursor.skip(1)?;
        return cursor.u24().map(u64::from);
    }
    cursor.skip(2)?;
    let high = cursor.u16()?;
    Ok(u64::from(high) << 32 | u64::from(cursor.u32()?))
}

/// Prints the number that is acknowledged; it is long or short as the packet's own.
fn print_acknowledgment(p: &mut Printer<'_>, long: bool, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("dccp");
    let number = if long {
        cursor.skip(2)?;
        u64::from(cursor.u16()?) << 32 | u64::from(cursor.u32()?)
    } else {
        cursor.skip(1)?;
        u64::from(cursor.u24()?)
    };
    write!(p, "(ack={number}) ");
    Ok(())
}

fn print_checksum(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>, coverage: u8, field: u16) {
    if p.style.unverified {
        return;
    }
    let Ok(words) = layer.skip(4).cursor("dccp").u8() else { return };
    // The checksum may cover only the header and some words of the data.
    let covered = match coverage {
        0 => layer.len,
        words_of_data => (usize::from(words) + usize::from(words_of_data) - 1) * 4,
    };
    let covered = covered.min(layer.len);
    let (Some(_), Some(bytes)) = (layer.bytes.get(..layer.len), layer.bytes.get(..covered)) else { return };
    let sum = Checksum::default().pseudo(header.src, header.dst, ip::DCCP, layer.len).add(bytes).finish();
    write!(p, ", cksum 0x{field:04x} ");
    if sum == 0 {
        p.text("(correct)");
    } else {
        write!(p, "(incorrect -> 0x{:04x})", expected(field, sum));
    }
}

fn name(kind: u8) -> &'static str {
    const NAMES: [&str; 10] = [
        "DCCP-Request",
        "DCCP-Response",
        "DCCP-Data",
        "DCCP-Ack",
        "DCCP-DataAck",
        "DCCP-CloseReq",
        "DCCP-Close",
        "DCCP-Reset",
        "DCCP-Sync",
        "DCCP-SyncAck",
    ];
    NAMES.get(usize::from(kind)).unwrap_or(&"unknown")
}

/// Why a connection was reset (RFC 4340 §5.6).
fn reason(code: u8) -> &'static str {
    const NAMES: [&str; 12] = [
        "unspecified",
        "closed",
        "aborted",
        "no_connection",
        "packet_error",
        "option_error",
        "mandatory_error",
        "connection_refused",
        "bad_service_code",
        "too_busy",
        "bad_init_cookie",
        "aggression_penalty",
    ];
    NAMES.get(usize::from(code)).unwrap_or(&"invalid")
}

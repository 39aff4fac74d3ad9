//! Internet key exchange, version 1 (RFC 2408, RFC 2409) and version 2 (RFC 7296), and what shares its port behind address
//! translators (RFC 3948).

mod attributes;
mod names;
mod version1;
mod version2;

use crate::decode::address::Address;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::ip;
use crate::decode::printer::Printer;

const HEADER: usize = 28;
const ENCRYPTED_PAYLOAD: u8 = 46;
const ENCRYPTED: u8 = 0x01;
const COMMIT: u8 = 0x02;

/// Why the rest of a message is not printed: it was cut, or the line says it already.
enum Stop {
    Cut(Truncated),
    Said,
}

impl From<Truncated> for Stop {
    fn from(truncated: Truncated) -> Self {
        Self::Cut(truncated)
    }
}

type Print = Result<(), Stop>;

/// Prints what comes to or from the port for exchanges behind address translators: a lone byte that keeps the translation
/// alive, an exchange after four zero bytes, or ESP.
pub(in crate::decode) fn print_translated(
    p: &mut Printer<'_>,
    src: Address,
    dst: Address,
    layer: Layer<'_>,
) -> Printed {
    let mut cursor = layer.cursor("isakmp_rfc3948");
    if layer.len == 1 && cursor.u8()? == 0xff {
        p.text("isakmp-nat-keep-alive");
        return Ok(());
    }
    if layer.len < 4 {
        return Err(cursor.truncated());
    }
    if layer.cursor("isakmp_rfc3948").u32()? == 0 {
        p.text("NONESP-encap: ");
        return print(p, src, dst, layer.skip(4));
    }
    p.text("UDP-encap: ");
    ip::print_esp(p, layer)
}

/// Prints a message of an exchange.
pub(in crate::decode) fn print(p: &mut Printer<'_>, src: Address, dst: Address, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("isakmp");
    cursor.need(HEADER)?;
    if layer.len < HEADER {
        return Err(cursor.truncated());
    }
    let (initiator, responder): ([u8; 8], u64) = (cursor.array()?, cursor.u64()?);
    let (next, version, exchange, flags) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let (id, len) = (cursor.u32()?, cursor.u32()?);
    p.text("isakmp");
    if p.verbose() {
        write!(p, " {}.{}", version >> 4, version & 15);
    }
    if p.verbose() {
        write!(p, " msgid {id:08x}");
    }
    if p.style.verbosity > 1 {
        write!(p, " cookie {:016x}->{responder:016x}", u64::from_be_bytes(initiator));
    }
    p.text(":");
    match version >> 4 {
        1 => {
            if responder == 0 {
                p.conversations.record_exchange(initiator, src, dst);
            }
            let side = p.conversations.side_of_exchange(initiator, src, dst);
            let phase = if id == 0 { "1" } else { "2/others" };
            write!(p, " phase {phase} {side} ");
            p.name(names::exchange(exchange), format_args!("#{exchange}"));
            if flags != 0 {
                p.text("[");
                p.text(if flags & ENCRYPTED != 0 { "E" } else { "" });
                p.text(if flags & COMMIT != 0 { "C" } else { "" });
                p.text("]");
            }
            print_payloads(p, &version1::print_payload, next, flags & ENCRYPTED != 0, layer);
        }
        2 => {
            p.text(if id == 0 { " parent_sa " } else { " child_sa  " });
            p.name(names::exchange(exchange), format_args!("#{exchange}"));
            if flags != 0 {
                p.text("[");
                for (bit, letter) in [(0x08, "I"), (0x10, "V"), (0x20, "R")] {
                    p.text(if flags & bit != 0 { letter } else { "" });
                }
                p.text("]");
            }
            print_payloads(p, &version2::print, next, flags & ENCRYPTED != 0, layer);
        }
        _ => return Ok(()),
    }
    if p.verbose() && len as usize != layer.len {
        write!(p, " (len mismatch: isakmp {len}/ip {})", layer.len);
    }
    Ok(())
}

/// Prints the value of a payload of one version.
type PrintPayload<'f> = dyn Fn(&mut Printer<'_>, Payload<'_>, usize) -> Print + 'f;

fn print_payloads(
    p: &mut Printer<'_>,
    print: &PrintPayload<'_>,
    next: u8,
    encrypted: bool,
    layer: Layer<'_>,
) {
    if !p.verbose() {
        return;
    }
    p.text(":");
    if encrypted {
        p.text(" [encrypted ");
        print_name(p, next);
        p.text("]");
    } else {
        let captured = layer.bytes.get(..layer.len).unwrap_or(layer.bytes);
        let bytes = captured.get(HEADER..).unwrap_or_default();
        // A payload that was cut is named where it is, and ends the list.
        let _ = print_chain(p, print, next, bytes, 1);
    }
}

/// One payload.
#[derive(Clone, Copy)]
struct Payload<'a> {
    kind: u8,
    critical: bool,
    /// Its place in the list, from 1.
    number: u32,
    bytes: &'a [u8],
}

impl<'a> Payload<'a> {
    fn cursor(&self) -> Cursor<'a> {
        Cursor::new(names::payload(self.kind).unwrap_or("isakmp"), self.bytes)
    }
}

/// Prints payloads, each of which names the next one, on lines of their own. Fails when one of them was cut.
fn print_chain(
    p: &mut Printer<'_>,
    print: &PrintPayload<'_>,
    first: u8,
    bytes: &[u8],
    depth: usize,
) -> Result<(), ()> {
    let mut kind = first;
    let mut number = 0;
    let mut cursor = Cursor::new("isakmp", bytes);
    while kind != 0 {
        let header = cursor.rest();
        // A payload that is shorter than its header is empty.
        let Some((&[next, critical, high, low], _)) = header.split_first_chunk::<4>() else {
            return cut(p, kind);
        };
        let len = usize::from(u16::from_be_bytes([high, low]));
        if len > header.len() {
            return cut(p, kind);
        }
        p.text("\n");
        for _ in 0..depth {
            p.text("    ");
        }
        p.text("(");
        if len <= 4 {
            p.text(")");
            kind = next;
            if cursor.skip(4).is_err() {
                return Err(());
            }
            continue;
        }
        number += 1;
        let bytes = header.get(4..len).unwrap_or_default();
        let printed = print(p, Payload { kind, critical: critical & 0x80 != 0, number, bytes }, depth);
        match printed {
            Err(Stop::Cut(Truncated(name))) => write!(p, " [|{name}]"),
            Err(Stop::Said) | Ok(()) => {}
        }
        p.text(")");
        if printed.is_err() {
            return Err(());
        }
        if cursor.skip(len).is_err() {
            return Err(());
        }
        // What an encrypted payload names is inside it.
        kind = if kind == ENCRYPTED_PAYLOAD { 0 } else { next };
    }
    Ok(())
}

fn cut(p: &mut Printer<'_>, kind: u8) -> Result<(), ()> {
    p.text(" [|");
    print_name(p, kind);
    p.text("]");
    Err(())
}

fn print_name(p: &mut Printer<'_>, kind: u8) {
    p.name(names::payload(kind), format_args!("#{kind}"));
}

/// Prints data as ` name=(…) ` if all of it is wanted, otherwise its beginning and its end as ` data=(…)`.
fn print_data(p: &mut Printer<'_>, name: &str, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    if p.style.verbosity > 1 {
        write!(p, " {name}=(");
        p.digits(data);
        p.text(") ");
    } else {
        p.text(" data=(");
        print_ends(p, data);
        p.text(")");
    }
}

/// Prints the beginning and the end of data.
fn print_ends(p: &mut Printer<'_>, data: &[u8]) {
    let (head, rest) = data.split_at(data.len().min(10));
    p.digits(head);
    p.text("...");
    p.digits(rest.get(rest.len().saturating_sub(20)..).unwrap_or_default());
}

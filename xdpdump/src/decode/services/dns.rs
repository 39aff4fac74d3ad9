//! DNS (RFC 1035, RFC 2136, RFC 6891) and multicast DNS (RFC 6762).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;
use crate::decode::services::dns_name;
use crate::decode::services::dns_type::{self, class_name, opcode, response_code, type_name};
use crate::decode::services::edns;

const NAME: &str = "domain";
const HEADER: usize = 12;
const RESPONSE: u16 = 0x8000;
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATION: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const RECURSION_AVAILABLE: u16 = 0x0080;
const AUTHENTIC: u16 = 0x0020;
const CHECKING_DISABLED: u16 = 0x0010;
/// Flags that a query should not have.
const UNUSUAL: u16 = 0x06cf;

/// Prints a message after the two length bytes that precede it over TCP.
pub(in crate::decode) fn print_tcp(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if layer.len < 2 {
        write!(p, " [DNS over TCP: length {} < 2] (invalid)", layer.len);
        return Ok(());
    }
    let prefix = usize::from(layer.cursor(NAME).u16()?);
    let message = layer.skip(2);
    if prefix != message.len {
        write!(p, " [prefix length({prefix}) != length({})] (invalid)", message.len);
        return Ok(());
    }
    p.text(" ");
    print(p, message, false)
}

/// Prints a message; `multicast` is mDNS, where the top bit of a class has its own meaning.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>, multicast: bool) -> Printed {
    let mut cursor = layer.cursor(NAME);
    if layer.len < HEADER {
        write!(p, "domain [length {} < {HEADER}] (invalid)", layer.len);
        return Ok(());
    }
    if cursor.need(HEADER).is_err() {
        return Err(cursor.truncated());
    }
    let (id, flags) = (cursor.u16()?, cursor.u16()?);
    let counts = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
    write!(p, "{id}{}", opcode(flags));
    let message = Message { bytes: layer.bytes, multicast };
    if flags & RESPONSE == 0 {
        print_query(p, &message, &mut cursor, flags, counts)?;
    } else {
        print_response(p, &message, &mut cursor, flags, counts)?;
    }
    write!(p, " ({})", layer.len);
    Ok(())
}

/// A whole message, because names can point back into it.
struct Message<'a> {
    bytes: &'a [u8],
    multicast: bool,
}

fn print_query(
    p: &mut Printer<'_>,
    message: &Message<'_>,
    cursor: &mut Cursor<'_>,
    flags: u16,
    [questions, answers, authorities, additional]: [u16; 4],
) -> Printed {
    if flags & RECURSION_DESIRED != 0 {
        p.text("+");
    }
    if flags & CHECKING_DISABLED != 0 {
        p.text("%");
    }
    if flags & UNUSUAL != 0 {
        write!(p, " [b2&3=0x{flags:x}]");
    }
    let inverse = flags >> 11 & 15 == 1;
    let mut first = [(answers, u16::from(inverse), "a"), (questions, u16::from(!inverse), "q")];
    if inverse {
        first.reverse();
    }
    for (count, usual, name) in [first[0], first[1], (authorities, 0, "n"), (additional, 0, "au")] {
        if count != usual {
            write!(p, " [{count}{name}]");
        }
    }
    for _ in 0..questions {
        print_question(p, message, cursor)?;
    }
    if p.style.verbosity > 1 {
        print_records(p, message, cursor, answers, "")?;
        print_records(p, message, cursor, authorities, " ns:")?;
        print_records(p, message, cursor, additional, " ar:")?;
    }
    Ok(())
}

fn print_response(
    p: &mut Printer<'_>,
    message: &Message<'_>,
    cursor: &mut Cursor<'_>,
    flags: u16,
    [questions, answers, authorities, additional]: [u16; 4],
) -> Printed {
    p.text(response_code(flags));
    for (bit, set, mark) in [
        (AUTHORITATIVE, true, "*"),
        (RECURSION_AVAILABLE, false, "-"),
        (TRUNCATION, true, "|"),
        (AUTHENTIC, true, "$"),
    ] {
        if (flags & bit != 0) == set {
            p.text(mark);
        }
    }
    if questions != 1 {
        write!(p, " [{questions}q]");
    }
    let all = p.style.verbosity > 1;
    for i in 0..questions {
        p.text(if i > 0 { "," } else { "" });
        if all {
            p.text(" q:");
            print_question(p, message, cursor)?;
        } else {
            skip_name(cursor)?;
            // Type and class; the counts are printed even if these are missing.
            cursor.skip_to_end(4)?;
        }
    }
    write!(p, " {answers}/{authorities}/{additional}");
    print_records(p, message, cursor, answers, "")?;
    if all && flags & TRUNCATION == 0 {
        print_records(p, message, cursor, authorities, " ns:")?;
        print_records(p, message, cursor, additional, " ar:")?;
    }
    Ok(())
}

fn print_records(
    p: &mut Printer<'_>,
    message: &Message<'_>,
    cursor: &mut Cursor<'_>,
    count: u16,
    label: &str,
) -> Printed {
    for i in 0..count {
        // When no bytes are left, tcpdump still tries to print the first answer, and only that.
        if cursor.rest().is_empty() && (i > 0 || !label.is_empty()) {
            return Err(cursor.truncated());
        }
        p.text(if i == 0 { label } else { "," });
        print_record(p, message, cursor)?;
    }
    Ok(())
}

fn print_name(p: &mut Printer<'_>, message: &Message<'_>, cursor: &mut Cursor<'_>) -> Printed {
    p.text(" ");
    dns_name::print(p, message.bytes, cursor)
}

fn skip_name(cursor: &mut Cursor<'_>) -> Printed {
    dns_name::skip(cursor)
}

fn print_question(p: &mut Printer<'_>, message: &Message<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let mut at_name = *cursor;
    skip_name(cursor)?;
    let (kind, class) = (cursor.u16()?, cursor.u16()?);
    p.text(" ");
    print_type(p, kind);
    let (class, unicast) =
        if message.multicast { (class & 0x7fff, class & 0x8000 != 0) } else { (class, false) };
    if class != dns_type::INTERNET {
        p.text(" ");
        print_class(p, class);
    }
    if message.multicast {
        p.text(if unicast { " (QU)" } else { " (QM)" });
    }
    p.text("?");
    print_name(p, message, &mut at_name)
}

fn print_type(p: &mut Printer<'_>, kind: u16) {
    match type_name(kind) {
        Some(name) => p.text(name),
        None => write!(p, "Type{kind}"),
    }
}

fn print_class(p: &mut Printer<'_>, class: u16) {
    match class_name(class) {
        Some(name) => p.text(name),
        None => write!(p, "(Class {class})"),
    }
}

/// Bytes of a record's type, class, time to live and data length.
const FIXED: usize = 10;

/// Prints a record. If its fixed part was cut, prints nothing, and nothing after it.
fn print_record(p: &mut Printer<'_>, message: &Message<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let named = if p.verbose() { print_name(p, message, cursor) } else { skip_name(cursor) };
    if p.verbose() {
        named?;
    }
    if named.is_err() || cursor.need(FIXED).is_err() {
        return cursor.skip(cursor.rest().len());
    }
    let (kind, class) = (cursor.u16()?, cursor.u16()?);
    let (class, flush) =
        if message.multicast { (class & 0x7fff, class & 0x8000 != 0) } else { (class, false) };
    if class != dns_type::INTERNET && kind != dns_type::OPT {
        p.text(" ");
        print_class(p, class);
    }
    if flush {
        p.text(" (Cache flush)");
    }
    let ttl = cursor.u32()?;
    if p.style.verbosity > 2 {
        p.text(" [");
        print_ttl(p, ttl);
        p.text("]");
    }
    let len = usize::from(cursor.u16()?);
    p.text(" ");
    print_type(p, kind);
    let mut data = *cursor;
    cursor.skip(len)?;
    if kind == dns_type::OPT {
        // RFC 6891 §6.1.3: class and time to live hold the sender's limit and flags.
        write!(p, " UDPsize={class}");
        if ttl & 0x8000 != 0 {
            p.text(" DO");
        }
        return edns::print(p, data.take(len)?);
    }
    print_data(p, message, &mut data, kind, len)
}

fn print_ttl(p: &mut Printer<'_>, seconds: u32) {
    let mut left = seconds;
    for (unit, length) in [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60)] {
        if left >= length {
            write!(p, "{}{unit}", left / length);
            left %= length;
        }
    }
    if left > 0 || seconds == 0 {
        write!(p, "{left}s");
    }
}

fn print_data(
    p: &mut Printer<'_>,
    message: &Message<'_>,
    data: &mut Cursor<'_>,
    kind: u16,
    len: usize,
) -> Printed {
    match kind {
        dns_type::A => write!(p, " {}", Ipv4::read(data)?),
        dns_type::AAAA => write!(p, " {}", Ipv6::read(data)?),
        dns_type::NS | dns_type::CNAME | dns_type::PTR | dns_type::DNAME => print_name(p, message, data)?,
        dns_type::SOA if p.verbose() => {
            print_name(p, message, data)?;
            print_name(p, message, data)?;
            for _ in 0..5 {
                write!(p, " {}", data.u32()?);
            }
        }
        dns_type::MX => {
            let mut fields = *data;
            print_name_after(p, message, data, 2)?;
            write!(p, " {}", fields.u16()?);
        }
        dns_type::TXT => {
            let end = data.at() + len;
            while data.at() < end {
                let length = usize::from(data.u8()?);
                p.text(" \"");
                let captured = data.rest().len().min(length);
                p.escaped(data.take(captured)?);
                if captured < length {
                    return Err(data.truncated());
                }
                p.text("\"");
            }
        }
        dns_type::SRV => {
            let mut fields = *data;
            print_name_after(p, message, data, 6)?;
            let (priority, weight, port) = (fields.u16()?, fields.u16()?, fields.u16()?);
            write!(p, ":{port} {priority} {weight}");
        }
        dns_type::A6 => print_a6(p, message, data)?,
        dns_type::UNSPECA => p.escaped(data.take(len)?),
        dns_type::TSIG if p.verbose() => print_signature(p, message, data)?,
        dns_type::URI => {
            write!(p, " {} {} ", data.u16()?, data.u16()?);
            p.escaped(data.take(len.saturating_sub(4))?);
        }
        _ => {}
    }
    Ok(())
}

/// Prints a name that comes after `skipped` bytes.
fn print_name_after(
    p: &mut Printer<'_>,
    message: &Message<'_>,
    data: &mut Cursor<'_>,
    skipped: usize,
) -> Printed {
    p.text(" ");
    data.skip(skipped)?;
    dns_name::print(p, message.bytes, data)
}

/// Prints a part of an IPv6 address and the name that has the rest of it (RFC 2874 §3.1).
fn print_a6(p: &mut Printer<'_>, message: &Message<'_>, data: &mut Cursor<'_>) -> Printed {
    let prefix = data.u8()?;
    if prefix > 128 {
        write!(p, " {prefix}(bad plen)");
        return Ok(());
    }
    let start = usize::from(prefix / 8);
    if prefix < 128 {
        let mut address = [0; 16];
        let suffix = data.take(16 - start)?;
        address.iter_mut().skip(start).zip(suffix).for_each(|(to, from)| *to = *from);
        write!(p, " {prefix} {}", Ipv6(address));
    }
    if prefix > 0 { print_name(p, message, data) } else { Ok(()) }
}

/// Prints a transaction's signature (RFC 8945 §4.2) without its digest.
fn print_signature(p: &mut Printer<'_>, message: &Message<'_>, data: &mut Cursor<'_>) -> Printed {
    print_name(p, message, data)?;
    data.skip(6)?;
    write!(p, " fudge={}", data.u16()?);
    let len = data.u16()?;
    write!(p, " maclen={len}");
    data.skip(usize::from(len))?;
    write!(p, " origid={}", data.u16()?);
    write!(p, " error={}", data.u16()?);
    write!(p, " otherlen={}", data.u16()?);
    Ok(())
}

//! Node information queries (RFC 4620).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const QUERY: u8 = 139;
pub(in crate::decode) const REPLY: u8 = 140;

/// Bytes of the header: ICMPv6, the question, its flags and a nonce.
const HEADER: usize = 16;
const NOTHING: u16 = 0;
const QUESTIONS: u16 = 1;
const NAME: u16 = 2;
const ADDRESSES: u16 = 3;
/// The kinds of addresses that are asked for, in the order of tcpdump.
const KINDS: [(u32, &str); 6] =
    [(0x40, "a"), (0x20, "G"), (0x10, "S"), (0x08, "L"), (0x04, "C"), (0x02, "A")];

/// Prints a message; `layer` begins with its ICMPv6 header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, kind: u8, layer: Layer<'_>) -> Printed {
    p.text(if kind == QUERY {
        "who-are-you request node information query"
    } else {
        "who-are-you reply node information reply"
    });
    if layer.cursor("icmp6").need(HEADER).is_err() {
        // The line goes on with the length.
        p.text(" [|icmp6]");
        return Ok(());
    }
    let mut cursor = layer.skip(1).cursor("icmp6");
    let code = cursor.u8()?;
    cursor.skip(2)?;
    let (question, flags) = (cursor.u16()?, cursor.u16()?);
    p.text(" (");
    let data = layer.skip(HEADER);
    if kind == QUERY {
        print_query(p, code, question, flags, data)?;
    } else {
        print_reply(p, code, question, flags, data)?;
    }
    p.text(")");
    Ok(())
}

fn print_kinds(p: &mut Printer<'_>, flags: u16) {
    p.text(" [");
    p.flags_or(u32::from(flags), &KINDS, "", "");
    p.text("]");
}

fn print_query(p: &mut Printer<'_>, code: u8, question: u16, flags: u16, data: Layer<'_>) -> Printed {
    match question {
        NOTHING => p.text("noop"),
        QUESTIONS => p.text("supported qtypes"),
        NAME => p.text("DNS name"),
        ADDRESSES => {
            p.text("node addresses");
            print_kinds(p, flags);
        }
        _ => p.text("unknown"),
    }
    if matches!(question, NOTHING | QUESTIONS) {
        return Ok(());
    }
    if data.len == 0 {
        // Before the RFC, the subject was the packet's destination.
        p.text(", 03 draft");
        return Ok(());
    }
    let mut cursor = data.cursor("icmp6");
    match code {
        0 => write!(p, ", subject={}", Ipv6::read(&mut cursor)?),
        1 => {
            p.text(", subject=DNS name");
            print_name(p, true, &data)?;
        }
        2 => write!(p, ", subject={}", Ipv4::read(&mut cursor)?),
        _ => p.text(", unknown subject"),
    }
    Ok(())
}

fn print_reply(p: &mut Printer<'_>, code: u8, question: u16, flags: u16, data: Layer<'_>) -> Printed {
    match code {
        0 if p.verbose() => p.text("success, "),
        1 => p.text("refused"),
        2 => p.text("unknown"),
        _ => {}
    }
    if code != 0 {
        return Ok(());
    }
    match question {
        NOTHING => p.text("noop"),
        QUESTIONS => p.text("supported qtypes"),
        NAME => {
            p.text("DNS name");
            let verbose = p.verbose();
            print_name(p, verbose, &data.skip(4))?;
            if flags & 1 != 0 {
                write!(p, " [TTL={}]", data.cursor("icmp6").u32()?);
            }
        }
        ADDRESSES => {
            p.text("node addresses");
            let mut cursor = data.cursor("icmp6");
            while cursor.at() < data.len {
                let ttl = cursor.u32()?;
                write!(p, " {}({ttl})", Ipv6::read(&mut cursor)?);
            }
            print_kinds(p, flags);
        }
        _ => p.text("unknown"),
    }
    Ok(())
}

/// Prints a name in the form of DNS, or of a draft: text with its length.
fn print_name(p: &mut Printer<'_>, verbose: bool, data: &Layer<'_>) -> Printed {
    let mut cursor: Cursor<'_> = data.cursor("icmp6");
    let first = cursor.u8()?;
    if usize::from(first) + 1 == data.len {
        if verbose {
            p.text(", 03 draft");
        }
        p.text(", \"");
        p.escaped(cursor.rest());
        p.text("\"");
        return Ok(());
    }
    p.text(", \"");
    let mut len = usize::from(first);
    while len > 0 {
        p.escaped_field(&mut cursor, len)?;
        p.text(".");
        len = usize::from(cursor.u8()?);
    }
    p.text("\"");
    Ok(())
}

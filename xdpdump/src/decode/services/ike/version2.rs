//! The payloads of version 2 (RFC 7296 §3).

use crate::decode::cursor::Cursor;
use crate::decode::printer::Printer;
use crate::decode::services::ike::{
    Payload, Print, Stop, attributes, names, print_chain, print_data, print_ends, version1,
};

const PROPOSAL: u8 = 2;
const TRANSFORM: u8 = 3;
const COOKIE: u16 = 16390;

/// How a side proves who it is.
const METHODS: [&str; 4] = ["invalid", "rsasig", "shared-secret", "dsssig"];

/// Prints a payload.
pub(super) fn print(p: &mut Printer<'_>, payload: Payload<'_>, depth: usize) -> Print {
    let label = match payload.kind {
        33 => "sa",
        40 => "nonce",
        41 => "n",
        PROPOSAL | TRANSFORM | 34..=48 => names::payload(payload.kind).unwrap_or_default(),
        _ => return version1::print_payload(p, payload, depth),
    };
    write!(p, "{label}{}:", if payload.critical { "[C]" } else { "" });
    let mut value = payload.cursor();
    let len = payload.bytes.len();
    match payload.kind {
        PROPOSAL => return print_proposal(p, &mut value, depth),
        TRANSFORM => return print_transform(p, payload.number, &mut value),
        33 => {
            write!(p, " len={len}");
            return chain(p, PROPOSAL, &value, depth);
        }
        34 => {
            value.need(4)?;
            let group = value.u16()?;
            write!(p, " len={} group=", len - 4);
            p.name(names::at(&names::GROUPS, group), format_args!("#{group}"));
        }
        35 | 36 => print_identity(p, &mut value)?,
        39 => {
            value.need(4)?;
            let method = value.u8()?;
            write!(p, " len={len} method=");
            p.name(METHODS.get(usize::from(method)).copied(), format_args!("#{method}"));
            value.skip(3)?;
            print_data(p, "authdata", value.rest());
        }
        40 => {
            write!(p, " len={len}");
            print_data(p, "nonce", payload.bytes);
        }
        41 => print_notification(p, &mut value)?,
        43 => {
            write!(p, " len={len} vid=");
            print_text(p, payload.bytes);
        }
        _ => write!(p, " len={len}"),
    }
    Ok(())
}

fn chain(p: &mut Printer<'_>, first: u8, value: &Cursor<'_>, depth: usize) -> Print {
    if depth > 8 {
        return Err(Stop::Said);
    }
    print_chain(p, &print, first, value.rest(), depth + 1).map_err(|()| Stop::Said)
}

fn print_proposal(p: &mut Printer<'_>, value: &mut Cursor<'_>, depth: usize) -> Print {
    // Counted with the payload's header.
    let len = value.rest().len() + 4;
    value.need(4)?;
    let (number, protocol, spi_len, transforms) = (value.u8()?, value.u8()?, value.u8()?, value.u8()?);
    write!(p, " #{number} protoid=");
    p.name(names::protocol(protocol), format_args!("#{protocol}"));
    write!(p, " transform={transforms} len={len}");
    if spi_len > 0 {
        p.text(" spi=");
        p.digits(value.take(spi_len.into())?);
    }
    if value.rest().is_empty() {
        return Ok(());
    }
    chain(p, TRANSFORM, value, depth)
}

fn print_transform(p: &mut Printer<'_>, number: u32, value: &mut Cursor<'_>) -> Print {
    value.need(4)?;
    let kind = value.u8()?;
    value.skip(1)?;
    let id = value.u16()?;
    let (name, ids): (&str, &[&str]) = match kind {
        1 => ("encr", &names::ESP),
        2 => ("prf", &["", "hmac-md5", "hmac-sha", "hmac-tiger", "aes128_xcbc"]),
        3 => ("integ", &["", "hmac-md5", "hmac-sha", "dec-mac", "kpdk-md5", "aes-xcbc"]),
        4 => ("dh", &names::GROUPS),
        5 => ("esn", &["no-esn", "esn"]),
        _ => ("", &[]),
    };
    write!(p, " #{number} type=");
    if name.is_empty() {
        write!(p, "#{kind} id={id} ");
    } else {
        write!(p, "{name} id=");
        p.name(names::at(ids, id), format_args!("#{id}"));
        p.text(" ");
    }
    attributes::print(p, attributes::EXCHANGE, value)
}

fn print_identity(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Print {
    let len = value.rest().len();
    value.need(4)?;
    let kind = value.u8()?;
    write!(p, " len={len}");
    value.skip(3)?;
    let (name, text) = match kind {
        1 => ("ipv4", false),
        2 => ("fqdn", true),
        3 => ("rfc822", true),
        5 => ("ipv6", false),
        9 => ("dn", false),
        10 => ("gn", false),
        11 => ("keyid", false),
        _ => return Ok(()),
    };
    if value.rest().is_empty() {
        return Ok(());
    }
    write!(p, " {name}:");
    if text {
        print_text(p, value.rest());
    } else {
        p.digits(value.rest());
    }
    Ok(())
}

fn print_notification(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Print {
    value.need(4)?;
    let (protocol, spi_len, kind) = (value.u8()?, usize::from(value.u8()?), value.u16()?);
    p.text(" prot_id=");
    p.name(names::protocol(protocol), format_args!("#{protocol}"));
    write!(p, " type={kind}({})", names::notification2(kind));
    if spi_len > 0 {
        p.text(" spi=");
        p.digits(value.take(spi_len)?);
    }
    let data = value.rest();
    if kind == COOKIE && !data.is_empty() {
        p.text(" data=(");
        if data.len() < 30 {
            p.digits(data);
        } else {
            print_ends(p, data);
        }
        p.text(")");
    }
    Ok(())
}

/// Prints text with dots for what is not printable.
fn print_text(p: &mut Printer<'_>, text: &[u8]) {
    for byte in text {
        if matches!(byte, b' '..=b'~') { p.escaped(&[*byte]) } else { p.text(".") }
    }
}

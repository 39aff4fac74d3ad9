//! The payloads of version 1 (RFC 2408 §3, RFC 2407 §4.6).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::Cursor;
use crate::decode::printer::Printer;
use crate::decode::services::ike::{Payload, Print, Stop, attributes, names, print_chain, print_ends};

const IPSEC: u32 = 1;
const PROPOSAL: u8 = 2;
const TRANSFORM: u8 = 3;

/// Kinds of certificates.
const CERTIFICATES: [&str; 11] =
    ["none", "pkcs7", "pgp", "dns", "x509sign", "x509ke", "kerberos", "crl", "arl", "spki", "x509attr"];

/// Prints a payload.
pub(super) fn print_payload(p: &mut Printer<'_>, payload: Payload<'_>, depth: usize) -> Print {
    let mut value = payload.cursor();
    let len = payload.bytes.len();
    let Some(name) = names::payload(payload.kind) else {
        write!(p, "#{}", payload.kind);
        return Ok(());
    };
    p.text(name);
    match payload.kind {
        1 => print_association(p, &mut value, depth),
        PROPOSAL => print_proposal(p, &mut value, depth),
        TRANSFORM => print_transform(p, &mut value, 0),
        4 => {
            write!(p, ": key len={len}");
            Ok(())
        }
        5 => print_identity(p, &mut value),
        6 | 7 => {
            let kind = value.u8()?;
            write!(p, ": len={len} type=");
            p.name(CERTIFICATES.get(usize::from(kind)).copied(), format_args!("#{kind}"));
            Ok(())
        }
        8 | 9 | 13 => {
            write!(p, ": len={len}");
            Ok(())
        }
        10 => {
            write!(p, ": n len={len}");
            if p.style.verbosity > 1 {
                p.text("  data=(");
                print_ends(p, payload.bytes);
                p.text(")");
            }
            Ok(())
        }
        11 => print_notification(p, &mut value),
        12 => print_deletion(p, &mut value),
        _ => Ok(()),
    }
}

fn print_association(p: &mut Printer<'_>, value: &mut Cursor<'_>, depth: usize) -> Print {
    p.text(":");
    value.need(8)?;
    let doi = value.u32()?;
    if doi != IPSEC {
        write!(p, " doi={doi}");
        write!(p, " situation={}", value.u32()?);
        return Ok(());
    }
    p.text(" doi=ipsec situation=");
    let situation = value.u32()?;
    let mut any = false;
    for (bit, name) in [(1, "identity"), (2, "secrecy"), (4, "integrity")] {
        if situation & bit != 0 {
            write!(p, "{}{name}", if any { "+" } else { "" });
            any = true;
        }
    }
    // Other situations have a domain of labels.
    if situation != 1 {
        write!(p, " ident={}", value.u32()?);
    }
    chain(p, PROPOSAL, value, depth, 0)
}

/// Prints the payloads in a payload.
fn chain(p: &mut Printer<'_>, first: u8, value: &Cursor<'_>, depth: usize, protocol: u8) -> Print {
    let print = |p: &mut Printer<'_>, payload: Payload<'_>, depth: usize| {
        if payload.kind == TRANSFORM {
            p.text("t");
            return print_transform(p, &mut payload.cursor(), protocol);
        }
        print_payload(p, payload, depth)
    };
    if depth > 8 {
        return Err(Stop::Said);
    }
    print_chain(p, &print, first, value.rest(), depth + 1).map_err(|()| Stop::Said)
}

fn print_proposal(p: &mut Printer<'_>, value: &mut Cursor<'_>, depth: usize) -> Print {
    value.need(4)?;
    let (number, protocol, spi_len, transforms) = (value.u8()?, value.u8()?, value.u8()?, value.u8()?);
    write!(p, ": #{number} protoid=");
    p.name(names::protocol(protocol), format_args!("#{protocol}"));
    write!(p, " transform={transforms}");
    if spi_len > 0 {
        p.text(" spi=");
        p.digits(value.take(spi_len.into())?);
    }
    if value.rest().is_empty() {
        return Ok(());
    }
    chain(p, TRANSFORM, value, depth, protocol)
}

fn print_transform(p: &mut Printer<'_>, value: &mut Cursor<'_>, protocol: u8) -> Print {
    value.need(4)?;
    let (number, id) = (value.u8()?, value.u8()?);
    value.skip(2)?;
    let names: &[&str] = match protocol {
        1 => &["", "ike"],
        2 => &names::AH,
        3 => &names::ESP,
        4 => &names::COMPRESSION,
        _ => {
            write!(p, ": #{number} id={id} ");
            return attributes::print(p, &[], value);
        }
    };
    write!(p, ": #{number} id=");
    p.name(names::at(names, id.into()), format_args!("#{id}"));
    p.text(" ");
    attributes::print(p, if protocol == 1 { attributes::EXCHANGE } else { attributes::NEGOTIATED }, value)
}

fn print_identity(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Print {
    const KINDS: [&str; 12] = [
        "",
        "IPv4",
        "FQDN",
        "user FQDN",
        "IPv4net",
        "IPv6",
        "IPv6net",
        "IPv4range",
        "IPv6range",
        "ASN1 DN",
        "ASN1 GN",
        "keyid",
    ];
    value.need(4)?;
    let (kind, protocol, port) = (value.u8()?, value.u8()?, value.u16()?);
    p.text(": idtype=");
    p.name(names::at(&KINDS, kind.into()), format_args!("#{kind}"));
    let len = value.rest().len();
    write!(p, " protoid={protocol} port={port} len={len}");
    let (least, between) = match kind {
        1 => (4, ""),
        4 => (8, "/"),
        5 => (16, ""),
        6 => (32, "/0x"),
        7 => (8, "-"),
        8 => (32, "-"),
        2 | 3 if len > 0 => {
            p.text(" ");
            p.escaped(value.rest());
            return Ok(());
        }
        _ => return Ok(()),
    };
    if len == 0 {
        return Ok(());
    }
    if len < least {
        write!(p, " [bad: < {least}]");
        return Ok(());
    }
    p.text(" ");
    match kind {
        1 => write!(p, "{}", Ipv4::read(value)?),
        4 | 7 => write!(p, "{}{between}{}", Ipv4::read(value)?, Ipv4::read(value)?),
        5 => write!(p, "{}", Ipv6::read(value)?),
        6 => {
            write!(p, "{}{between}", Ipv6::read(value)?);
            p.digits(value.take(16)?);
        }
        _ => write!(p, "{}{between}{}", Ipv6::read(value)?, Ipv6::read(value)?),
    }
    Ok(())
}

fn print_notification(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Print {
    p.text(":");
    value.need(8)?;
    let (doi, protocol, spi_len, kind) = (value.u32()?, value.u8()?, usize::from(value.u8()?), value.u16()?);
    if doi == IPSEC {
        p.text(" doi=ipsec proto=");
        p.name(names::protocol(protocol), format_args!("#{protocol}"));
    } else {
        write!(p, " doi={doi} proto={protocol}");
    }
    let (name, number) = names::notification(kind);
    p.text(" type=");
    p.name(name, format_args!("#{number}"));
    if spi_len > 0 {
        p.text(" spi=");
        p.digits(value.take(spi_len)?);
    }
    if value.rest().is_empty() || doi != IPSEC {
        return Ok(());
    }
    match kind {
        24576 => {
            p.text(" attrs=(");
            attributes::print(p, attributes::EXCHANGE, value).or_else(|_| close_after(p))?;
        }
        24577 => {
            let status = value.u32()?;
            write!(p, " status=(replay detection {}abled", if status == 0 { "dis" } else { "en" });
        }
        _ => {
            p.text(" data=(");
            print_ends(p, value.rest());
        }
    }
    p.text(")");
    Ok(())
}

fn close_after(p: &mut Printer<'_>) -> Print {
    p.text(")");
    Err(Stop::Said)
}

fn print_deletion(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Print {
    p.text(":");
    value.need(8)?;
    let (doi, protocol) = (value.u32()?, value.u8()?);
    let (spi_len, count) = (usize::from(value.u8()?), value.u16()?);
    if doi == IPSEC {
        p.text(" doi=ipsec proto=");
        p.name(names::protocol(protocol), format_args!("#{protocol}"));
    } else {
        write!(p, " doi={doi} proto={protocol}");
    }
    write!(p, " spilen={spi_len} nspi={count} spi=");
    for i in 0..count {
        p.text(if i == 0 { "" } else { "," });
        if spi_len == 0 && p.is_full() {
            break;
        }
        p.digits(value.take(spi_len)?);
    }
    Ok(())
}

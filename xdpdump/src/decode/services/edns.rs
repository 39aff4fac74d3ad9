//! Options of EDNS (RFC 6891 §6.1.2, IANA DNS EDNS0 option codes).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;

const ALGORITHMS_UNDERSTOOD: u16 = 5;
const DIGESTS_UNDERSTOOD: u16 = 6;
const NSEC3_UNDERSTOOD: u16 = 7;
const CLIENT_SUBNET: u16 = 8;
const EXPIRE: u16 = 9;
const COOKIE: u16 = 10;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;
const CHAIN: u16 = 13;
const KEY_TAG: u16 = 14;

/// Bytes of the client's part of a cookie (RFC 7873 §4).
const CLIENT_COOKIE: usize = 8;

/// Prints ` [option,option…]`; nothing where there is none.
pub(in crate::decode) fn print(p: &mut Printer<'_>, data: &[u8]) -> Printed {
    let mut cursor = Cursor::new("domain", data);
    let mut before = " [";
    while !cursor.rest().is_empty() {
        p.text(before);
        before = ",";
        let code = cursor.u16()?;
        match name(code) {
            Some(name) => p.text(name),
            None => write!(p, "Opt{code}"),
        }
        let len = usize::from(cursor.u16()?);
        let value = cursor.take(len)?;
        if !value.is_empty() {
            p.text(" ");
            print_value(p, code, value);
        }
    }
    if !data.is_empty() {
        p.text("]");
    }
    Ok(())
}

fn name(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "LLQ",
        2 => "UL",
        3 => "NSID",
        ALGORITHMS_UNDERSTOOD => "DAU",
        DIGESTS_UNDERSTOOD => "DHU",
        NSEC3_UNDERSTOOD => "N3U",
        CLIENT_SUBNET => "ECS",
        EXPIRE => "EXPIRE",
        COOKIE => "COOKIE",
        KEEPALIVE => "KEEPALIVE",
        PADDING => "PADDING",
        CHAIN => "CHAIN",
        KEY_TAG => "KEY-TAG",
        16 => "CLIENT-TAG",
        17 => "SERVER-TAG",
        _ => return None,
    })
}

fn print_value(p: &mut Printer<'_>, code: u16, value: &[u8]) {
    match (code, value) {
        (ALGORITHMS_UNDERSTOOD, _) => print_algorithms(p, value, signature),
        (DIGESTS_UNDERSTOOD, _) => print_algorithms(p, value, digest),
        (NSEC3_UNDERSTOOD, _) => print_algorithms(p, value, |number| digest(number).filter(|_| number == 1)),
        (CLIENT_SUBNET, &[family_high, family_low, source, scope, ref prefix @ ..]) => {
            print_subnet(p, u16::from_be_bytes([family_high, family_low]), source, scope, prefix);
        }
        (EXPIRE, &[a, b, c, d]) => write!(p, "{} sec", u32::from_be_bytes([a, b, c, d])),
        (COOKIE, _) if value.len() == CLIENT_COOKIE => p.digits(value),
        (COOKIE, _) if (16..=40).contains(&value.len()) => {
            let (client, server) = value.split_at(CLIENT_COOKIE);
            p.digits(client);
            p.text(" ");
            p.digits(server);
        }
        (KEEPALIVE, &[high, low]) => {
            let tenths = u16::from_be_bytes([high, low]);
            write!(p, "{}.{} sec", tenths / 10, tenths % 10);
        }
        (PADDING, _) => write!(p, "({})", value.len()),
        (CHAIN, _) => print_name(p, value),
        (KEY_TAG, _) if value.len().is_multiple_of(2) => {
            for (i, tag) in value.chunks_exact(2).enumerate() {
                write!(p, "{}{}", if i == 0 { "" } else { " " }, u16::from_be_bytes([tag[0], tag[1]]));
            }
        }
        (CLIENT_SUBNET | EXPIRE | COOKIE | KEEPALIVE | KEY_TAG, _) => p.text(" (invalid)"),
        _ => p.digits(value),
    }
}

/// Prints a client's network (RFC 7871 §6); its prefix has only as many bytes as its length needs.
fn print_subnet(p: &mut Printer<'_>, family: u16, source: u8, scope: u8, prefix: &[u8]) {
    let bits = if family == 1 { 32 } else { 128 };
    let len = usize::from(source).div_ceil(8);
    if !matches!(family, 1 | 2) || source > bits || scope > bits || prefix.len() != len {
        p.text(" (invalid)");
        return;
    }
    let mut address = [0; 16];
    address.iter_mut().zip(prefix).for_each(|(to, from)| *to = *from);
    let [a, b, c, d, ..] = address;
    if family == 1 {
        write!(p, "{}/{source}/{scope}", Ipv4([a, b, c, d]));
    } else {
        write!(p, "{}/{source}/{scope}", Ipv6(address));
    }
}

/// Prints a name without pointers (RFC 7901 §4).
fn print_name(p: &mut Printer<'_>, mut name: &[u8]) {
    if name.first() == Some(&0) {
        p.text(".");
    }
    while let Some((label, rest)) = name
        .split_first()
        .filter(|(len, _)| (1..64).contains(*len))
        .and_then(|(len, rest)| rest.split_at_checked((*len).into()))
    {
        p.escaped(label);
        p.text(".");
        name = rest;
    }
}

fn print_algorithms(p: &mut Printer<'_>, numbers: &[u8], name: fn(u8) -> Option<&'static str>) {
    for (i, number) in numbers.iter().enumerate() {
        p.text(if i == 0 { "" } else { " " });
        match name(*number) {
            Some(name) => p.text(name),
            None => write!(p, "Alg_{number}"),
        }
    }
}

/// DNSSEC signature algorithms (IANA DNS security algorithm numbers).
fn signature(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "DELETE",
        1 => "RSAMD5",
        2 => "DH",
        3 => "DS",
        5 => "RSASHA1",
        6 => "DSA-NSEC3-SHA1",
        7 => "RSASHA1-NSEC3-SHA1",
        8 => "RSASHA256",
        10 => "RSASHA512",
        12 => "ECC-GOST",
        13 => "ECDSAP256SHA256",
        14 => "ECDSAP384SHA384",
        15 => "ED25519",
        16 => "ED448",
        252 => "INDIRECT",
        253 => "PRIVATEDNS",
        254 => "PRIVATEOID",
        _ => return None,
    })
}

/// Digest algorithms of delegation signers (IANA DS RR type digest algorithms); NSEC3 uses only the first.
fn digest(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "SHA-1",
        2 => "SHA-256",
        3 => "GOST_R_34.11-94",
        4 => "SHA-384",
        _ => return None,
    })
}

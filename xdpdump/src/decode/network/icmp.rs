//! ICMP (RFC 792, RFC 950, RFC 1122, RFC 1256).

use crate::decode::address::Ipv4;
use crate::decode::checksum::{Checksum, expected};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::icmp_extension;
use crate::decode::network::ip;
use crate::decode::network::ipv4;
use crate::decode::printer::Printer;

const HEADER: usize = 8;
const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const ECHO_REQUEST: u8 = 8;
const ROUTER_ADVERTISEMENT: u8 = 9;
const ROUTER_SOLICITATION: u8 = 10;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;
const TIMESTAMP: u8 = 13;
const TIMESTAMP_REPLY: u8 = 14;
const MASK_REPLY: u8 = 18;

/// Prints an ICMP message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    let start = p.mark();
    p.text("ICMP ");
    // If the message was cut within the described fields, the description is removed completely.
    let kind = describe(p, layer).inspect_err(|_| p.rewind(&start))?;
    write!(p, ", length {}", layer.len);
    if p.verbose()
        && !header.fragment
        && let Some(bytes) = layer.bytes.get(..layer.len)
    {
        let field = layer.skip(2).cursor("icmp").u16()?;
        let sum = Checksum::default().add(bytes).finish();
        if sum != 0 {
            write!(p, " (wrong icmp cksum {field:x} (->{:x})!)", expected(field, sum));
        }
    }
    let quotes = matches!(kind, UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM);
    if p.verbose() && quotes {
        p.text("\n\t");
        let inner = layer.skip(HEADER);
        let total = inner.skip(2).cursor("icmp").u16()?;
        let inner = Layer { len: usize::from(total), ..inner };
        p.nested(|p| ipv4::print(p, inner))?;
        if matches!(kind, UNREACHABLE | TIME_EXCEEDED | PARAMETER_PROBLEM) {
            return icmp_extension::print(p, layer);
        }
    }
    Ok(())
}

/// Prints the description of the message and returns its type.
fn describe(p: &mut Printer<'_>, layer: Layer<'_>) -> Result<u8, Truncated> {
    let mut cursor = layer.cursor("icmp");
    let kind = cursor.u8()?;
    let code = cursor.u8()?;
    match kind {
        ECHO_REPLY | ECHO_REQUEST => {
            cursor.skip(2)?;
            let (id, seq) = (cursor.u16()?, cursor.u16()?);
            let what = if kind == ECHO_REQUEST { "request" } else { "reply" };
            write!(p, "echo {what}, id {id}, seq {seq}");
        }
        UNREACHABLE => unreachable(p, code, layer)?,
        SOURCE_QUENCH => p.text("source quench"),
        REDIRECT => {
            cursor.skip(2)?;
            let gateway = Ipv4::read(&mut cursor)?;
            let (_, destination, _) = quoted(layer)?;
            match code {
                0 => write!(p, "redirect {destination} to net {gateway}"),
                1 => write!(p, "redirect {destination} to host {gateway}"),
                2 => write!(p, "redirect-tos {destination} to net {gateway}"),
                3 => write!(p, "redirect-tos {destination} to host {gateway}"),
                _ => write!(p, "redirect-#{code} {destination} to {gateway}"),
            }
        }
        ROUTER_ADVERTISEMENT => router_advertisement(p, &mut cursor)?,
        ROUTER_SOLICITATION => p.text("router solicitation"),
        TIME_EXCEEDED => {
            quoted(layer)?;
            match code {
                0 => p.text("time exceeded in-transit"),
                1 => p.text("ip reassembly time exceeded"),
                _ => write!(p, "time exceeded-#{code}"),
            }
        }
        PARAMETER_PROBLEM => {
            cursor.skip(2)?;
            match code {
                0 => write!(p, "parameter problem - octet {}", cursor.u8()?),
                _ => write!(p, "parameter problem - code {code}"),
            }
        }
        TIMESTAMP | TIMESTAMP_REPLY => timestamp(p, kind, &mut cursor)?,
        15 => p.text("information request"),
        16 => p.text("information reply"),
        17 => p.text("address mask request"),
        MASK_REPLY => {
            cursor.skip(6)?;
            write!(p, "address mask is 0x{:08x}", cursor.u32()?);
        }
        _ => write!(p, "type-#{kind}"),
    }
    Ok(kind)
}

fn unreachable(p: &mut Printer<'_>, code: u8, layer: Layer<'_>) -> Printed {
    let (protocol, to, mut transport) = quoted(layer)?;
    match code {
        0 => write!(p, "net {to} unreachable"),
        1 => write!(p, "host {to} unreachable"),
        2 => write!(p, "{to} protocol {protocol} unreachable"),
        3 => {
            transport.skip(2)?;
            let port = transport.u16()?;
            match protocol {
                ip::TCP => write!(p, "{to} tcp port {port} unreachable"),
                ip::UDP => write!(p, "{to} udp port {port} unreachable"),
                _ => write!(p, "{to} protocol {protocol} port {port} unreachable"),
            }
        }
        4 => {
            write!(p, "{to} unreachable - need to frag");
            let mtu = layer.skip(6).cursor("icmp").u16()?;
            if mtu != 0 {
                write!(p, " (mtu {mtu})");
            }
        }
        5 => write!(p, "{to} unreachable - source route failed"),
        6 => write!(p, "net {to} unreachable - unknown"),
        7 => write!(p, "host {to} unreachable - unknown"),
        8 => write!(p, "{to} unreachable - source host isolated"),
        9 => write!(p, "net {to} unreachable - admin prohibited"),
        10 => write!(p, "host {to} unreachable - admin prohibited"),
        11 => write!(p, "net {to} unreachable - tos prohibited"),
        12 => write!(p, "host {to} unreachable - tos prohibited"),
        13 => write!(p, "host {to} unreachable - admin prohibited filter"),
        14 => write!(p, "host {to} unreachable - host precedence violation"),
        15 => write!(p, "host {to} unreachable - precedence cutoff"),
        _ => write!(p, "{to} unreachable - #{code}"),
    }
    Ok(())
}

/// Protocol and destination of the packet quoted by an error, and its transport header.
fn quoted(layer: Layer<'_>) -> Result<(u8, Ipv4, Cursor<'_>), Truncated> {
    let inner = layer.skip(HEADER);
    let mut cursor = inner.cursor("icmp");
    let header_len = usize::from(cursor.u8()? & 15) * 4;
    cursor.skip(8)?;
    let protocol = cursor.u8()?;
    cursor.skip(6)?;
    Ok((protocol, Ipv4::read(&mut cursor)?, inner.skip(header_len).cursor("icmp")))
}

fn router_advertisement(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    cursor.skip(2)?;
    let count = cursor.u8()?;
    let words = cursor.u8()?;
    let seconds = cursor.u16()?;
    p.text("router advertisement lifetime ");
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match seconds {
        0..60 => write!(p, "{seconds}"),
        60..3600 => write!(p, "{minutes}:{rest:02}"),
        _ => write!(p, "{hours}:{minutes:02}:{rest:02}"),
    }
    write!(p, " {count}:");
    if words != 2 {
        write!(p, " [size {words}]");
        return Ok(());
    }
    for _ in 0..count {
        write!(p, " {{{} {}}}", Ipv4::read(cursor)?, cursor.u32()?);
    }
    Ok(())
}

fn timestamp(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Printed {
    cursor.skip(2)?;
    let (id, seq) = (cursor.u16()?, cursor.u16()?);
    if kind == TIMESTAMP {
        write!(p, "time stamp query id {id} seq {seq}");
        return Ok(());
    }
    write!(p, "time stamp reply id {id} seq {seq}:");
    for (name, separator) in [("org", ""), ("recv", ","), ("xmit", ",")] {
        let millis = cursor.u32()?;
        let seconds = millis / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(p, "{separator} {name} {hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, millis % 1000);
    }
    Ok(())
}

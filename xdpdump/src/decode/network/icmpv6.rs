//! ICMPv6 (RFC 4443); neighbour discovery and multicast listener discovery have files of their own.

use crate::decode::address::Ipv6;
use crate::decode::checksum::expected;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::ip;
use crate::decode::network::mld;
use crate::decode::network::ndp;
use crate::decode::network::{node_information, renumbering, rpl};
use crate::decode::printer::Printer;

const UNREACHABLE: u8 = 1;
const TOO_BIG: u8 = 2;
const TIME_EXCEEDED: u8 = 3;
const PARAMETER_PROBLEM: u8 = 4;
const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;

/// Prints an ICMPv6 message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("icmp6");
    let kind = cursor.u8()?;
    let code = cursor.u8();
    if p.verbose() && !header.fragment {
        print_checksum(p, header, layer);
    }
    p.text("ICMP6, ");
    let mut cursor = layer.skip(4).cursor("icmp6");
    match kind {
        UNREACHABLE => {
            p.text("destination unreachable");
            if !unreachable(p, code?, layer)? {
                return Ok(());
            }
        }
        TOO_BIG => {
            p.text("packet too big");
            write!(p, ", mtu {}", cursor.u32()?);
        }
        TIME_EXCEEDED => {
            p.text("time exceeded in-transit");
            match code? {
                0 => write!(p, " for {}", quoted_destination(layer)?),
                1 => p.text(" (reassembly)"),
                code => write!(p, ", unknown code ({code})"),
            }
        }
        PARAMETER_PROBLEM => {
            p.text("parameter problem");
            quoted_destination(layer)?;
            let pointer = cursor.u32()?;
            match code? {
                0 => write!(p, ", erroneous - octet {pointer}"),
                1 => write!(p, ", next header - octet {pointer}"),
                2 => write!(p, ", option - octet {pointer}"),
                3 => write!(p, ", incomplete header chain - octet {pointer}"),
                code => write!(p, ", code-#{code}"),
            }
        }
        ECHO_REQUEST | ECHO_REPLY => {
            p.text(if kind == ECHO_REQUEST { "echo request" } else { "echo reply" });
            let (id, seq) = (cursor.u16()?, cursor.u16()?);
            write!(p, ", id {id}, seq {seq}");
        }
        mld::QUERY..=mld::DONE | mld::REPORT_V2 => mld::print(p, kind, layer)?,
        ndp::ROUTER_SOLICITATION..=ndp::REDIRECT | ndp::INVERSE_SOLICITATION..=ndp::INVERSE_ADVERTISEMENT => {
            ndp::print(p, kind, layer)?;
        }
        renumbering::RENUMBERING => renumbering::print(p, layer)?,
        node_information::QUERY | node_information::REPLY => node_information::print(p, kind, layer)?,
        144 => write!(p, "ha discovery request, id 0x{:04x}", cursor.u16()?),
        145 => {
            p.text("ha discovery reply");
            if p.verbose() {
                write!(p, ", length {}, id 0x{:04x}", layer.len, cursor.u16()?);
                cursor.skip(2)?;
                while cursor.at() + 4 < layer.len {
                    write!(p, ", {}", Ipv6::read(&mut cursor)?);
                }
            }
        }
        146 => write!(p, "mobile router solicitation, id 0x{:04x}", cursor.u16()?),
        147 => {
            p.text("mobile router advertisement");
            if p.verbose() {
                write!(p, ", length {}, id 0x{:04x}", layer.len, cursor.u16()?);
            }
        }
        rpl::RPL => rpl::print(p, layer)?,
        200 | 201 => {
            let what = if kind == 200 { "response" } else { "message" };
            write!(p, "mtrace {what}, length {}", layer.len);
            print_unknown(p, layer);
            return Ok(());
        }
        _ => {
            write!(p, "unknown icmp6 type ({kind}), length {}", layer.len);
            print_unknown(p, layer);
            return Ok(());
        }
    }
    if !p.verbose() {
        write!(p, ", length {}", layer.len);
    }
    Ok(())
}

/// Prints an unknown message; with `-vv` only its name.
fn print_unknown(p: &mut Printer<'_>, layer: Layer<'_>) {
    if p.style.verbosity < 2 {
        p.hex("\n\t", layer.bytes);
    }
}

fn print_checksum(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) {
    let Ok(field) = layer.skip(2).cursor("icmp6").u16() else { return };
    let Some(sum) = header.sum(ip::ICMPV6, layer.bytes, layer.len) else { return };
    if sum == 0 {
        p.text("[icmp6 sum ok] ");
    } else {
        write!(p, "[bad icmp6 cksum 0x{field:04x} -> 0x{:04x}!] ", expected(field, sum));
    }
}

/// Source of the packet quoted by an error.
fn quoted_source(layer: Layer<'_>) -> Result<Ipv6, Truncated> {
    Ipv6::read(&mut layer.skip(16).cursor("icmp6"))
}

/// Destination of the packet quoted by an error.
fn quoted_destination(layer: Layer<'_>) -> Result<Ipv6, Truncated> {
    Ipv6::read(&mut layer.skip(32).cursor("icmp6"))
}

/// Prints why a destination is unreachable; returns false when the line ends here.
fn unreachable(p: &mut Printer<'_>, code: u8, layer: Layer<'_>) -> Result<bool, Truncated> {
    p.text(match code {
        0 => ", unreachable route",
        1 => ",  unreachable prohibited",
        2 => ", beyond scope",
        3 => ", unreachable address",
        4 => ", unreachable port",
        _ => {
            write!(p, ", unknown unreach code ({code})");
            print_unknown(p, layer);
            return Ok(false);
        }
    });
    let port = if code == 4 { Some(quoted_port(layer.skip(8))?) } else { None };
    let to = quoted_destination(layer)?;
    if let Some((protocol, port)) = port {
        let name = if protocol == ip::TCP { "tcp" } else { "udp" };
        write!(p, ", {to} {name} port {port}");
    } else {
        write!(p, " {to}");
    }
    if code == 2 {
        write!(p, ", source address {}", quoted_source(layer)?);
    }
    Ok(true)
}

/// Transport protocol and destination port of a quoted packet, behind any extension headers.
fn quoted_port(inner: Layer<'_>) -> Result<(u8, u16), Truncated> {
    let mut next = inner.skip(6).cursor("icmp6").u8()?;
    let mut layer = inner.skip(40);
    loop {
        let mut cursor = layer.cursor("icmp6");
        let len = match next {
            ip::TCP | ip::UDP => {
                cursor.skip(2)?;
                return Ok((next, cursor.u16()?));
            }
            ip::FRAGMENT => {
                next = cursor.u8()?;
                8
            }
            ip::HOP_BY_HOP | ip::DESTINATION | ip::ROUTING => extension(&mut cursor, &mut next, 8)?,
            ip::AH => extension(&mut cursor, &mut next, 4)? + 4,
            _ => return Err(Truncated("icmp6")),
        };
        layer = layer.skip(len);
    }
}

fn extension(cursor: &mut Cursor<'_>, next: &mut u8, unit: usize) -> Result<usize, Truncated> {
    *next = cursor.u8()?;
    Ok((usize::from(cursor.u8()?) + 1) * unit)
}

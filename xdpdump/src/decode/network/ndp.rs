//! IPv6 neighbour discovery (RFC 4861, RFC 3122) and its options.

use crate::decode::address::{Ipv6, Mac};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const ROUTER_SOLICITATION: u8 = 133;
pub(in crate::decode) const ROUTER_ADVERTISEMENT: u8 = 134;
pub(in crate::decode) const NEIGHBOR_SOLICITATION: u8 = 135;
pub(in crate::decode) const NEIGHBOR_ADVERTISEMENT: u8 = 136;
pub(in crate::decode) const REDIRECT: u8 = 137;
pub(in crate::decode) const INVERSE_SOLICITATION: u8 = 141;
pub(in crate::decode) const INVERSE_ADVERTISEMENT: u8 = 142;

/// Prints a neighbour discovery message; `layer` begins with its ICMPv6 header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, kind: u8, layer: Layer<'_>) -> Printed {
    p.text(match kind {
        ROUTER_SOLICITATION => "router solicitation",
        ROUTER_ADVERTISEMENT => "router advertisement",
        NEIGHBOR_SOLICITATION => "neighbor solicitation",
        NEIGHBOR_ADVERTISEMENT => "neighbor advertisement",
        REDIRECT => "redirect",
        INVERSE_SOLICITATION => "inverse neighbor solicitation",
        _ => "inverse neighbor advertisement",
    });
    if p.verbose() && kind < INVERSE_SOLICITATION {
        write!(p, ", length {}", layer.len);
    }
    let mut cursor = layer.skip(4).cursor("icmp6");
    let options = match kind {
        ROUTER_SOLICITATION => 8,
        ROUTER_ADVERTISEMENT => {
            layer.skip(1).cursor("icmp6").need(1)?;
            if p.verbose() {
                print_router(p, &mut cursor)?;
            }
            16
        }
        NEIGHBOR_SOLICITATION => {
            cursor.skip(4)?;
            write!(p, ", who has {}", Ipv6::read(&mut cursor)?);
            24
        }
        NEIGHBOR_ADVERTISEMENT => {
            let flags = cursor.u8()?;
            cursor.skip(3)?;
            write!(p, ", tgt is {}", Ipv6::read(&mut cursor)?);
            if p.verbose() {
                p.text(", Flags [");
                print_flags(p, flags, &[(0x80, "router"), (0x40, "solicited"), (0x20, "override")]);
            }
            24
        }
        REDIRECT => {
            cursor.skip(4)?;
            let target = Ipv6::read(&mut cursor)?;
            let destination = Ipv6::read(&mut cursor)?;
            write!(p, ", {destination} to {target}");
            40
        }
        _ => return Ok(()),
    };
    if p.verbose() {
        print_options(p, layer.skip(options))?;
    }
    Ok(())
}

fn print_router(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let hop_limit = cursor.u8()?;
    let flags = cursor.u8()?;
    let lifetime = cursor.u16()?;
    let (reachable, retransmit) = (cursor.u32()?, cursor.u32()?);
    write!(p, "\n\thop limit {hop_limit}, Flags [");
    print_flags(
        p,
        flags,
        &[(0x80, "managed"), (0x40, "other stateful"), (0x20, "home agent"), (0x02, "ipv6 only")],
    );
    write!(p, ", pref {}", preference(flags));
    write!(p, ", router lifetime {lifetime}s");
    write!(p, ", reachable time {reachable}ms, retrans timer {retransmit}ms");
    Ok(())
}

/// Prints the names of the flags that are set, and the closing bracket.
fn print_flags(p: &mut Printer<'_>, flags: u8, names: &[(u8, &str)]) {
    let mut separator = "";
    for (bit, name) in names {
        if flags & bit != 0 {
            write!(p, "{separator}{name}");
            separator = ", ";
        }
    }
    p.text(if separator.is_empty() { "none]" } else { "]" });
}

/// Router preference (RFC 4191 §2.1).
fn preference(flags: u8) -> &'static str {
    match flags >> 3 & 3 {
        0 => "medium",
        1 => "high",
        2 => "reserved",
        _ => "low",
    }
}

const SOURCE_LINK: u8 = 1;
const TARGET_LINK: u8 = 2;
const PREFIX: u8 = 3;
const REDIRECTED: u8 = 4;
const MTU: u8 = 5;
const INTERVAL: u8 = 7;
const HOME_AGENT: u8 = 8;
const ROUTE: u8 = 24;
const DNS_SERVERS: u8 = 25;
const DNS_SEARCH: u8 = 31;

fn option_name(kind: u8) -> &'static str {
    match kind {
        SOURCE_LINK => "source link-address",
        TARGET_LINK => "destination link-address",
        PREFIX => "prefix info",
        REDIRECTED => "redirected header",
        MTU => "mtu",
        INTERVAL => "advertisement interval",
        HOME_AGENT => "homeagent information",
        ROUTE => "route info",
        DNS_SERVERS => "rdnss",
        DNS_SEARCH => "dnssl",
        _ => "unknown",
    }
}

fn print_options(p: &mut Printer<'_>, mut layer: Layer<'_>) -> Printed {
    while layer.len > 0 && !layer.bytes.is_empty() {
        let mut cursor = layer.cursor("icmp6");
        let kind = cursor.u8()?;
        let units = cursor.u8()?;
        let len = usize::from(units) * 8;
        let data = match len {
            0 => return Err(cursor.truncated()),
            _ => cursor.take(len - 2)?,
        };
        write!(p, "\n\t  {} option ({kind}), length {len} ({units}): ", option_name(kind));
        print_option(p, kind, data)?;
        if p.style.verbosity > 1 {
            p.hex("\n\t    ", data);
        }
        layer = layer.skip(len);
    }
    Ok(())
}

fn print_option(p: &mut Printer<'_>, kind: u8, data: &[u8]) -> Printed {
    let mut cursor = Cursor::new("icmp6", data);
    match kind {
        SOURCE_LINK | TARGET_LINK => write!(p, "{}", Mac(data)),
        PREFIX => {
            let length = cursor.u8()?;
            let flags = cursor.u8()?;
            let (valid, preferred) = (cursor.u32()?, cursor.u32()?);
            cursor.skip(4)?;
            write!(p, "{}/{length}, Flags [", Ipv6::read(&mut cursor)?);
            print_flags(p, flags, &[(0x80, "onlink"), (0x40, "auto"), (0x20, "router")]);
            p.text(", valid time ");
            print_lifetime(p, valid);
            p.text(", pref. time ");
            print_lifetime(p, preferred);
        }
        REDIRECTED => {}
        MTU => {
            cursor.skip(2)?;
            write!(p, " {}", cursor.u32()?);
        }
        INTERVAL => {
            cursor.skip(2)?;
            write!(p, " {}ms", cursor.u32()?);
        }
        HOME_AGENT => {
            cursor.skip(2)?;
            write!(p, " preference {}, lifetime {}", cursor.u16()?, cursor.u16()?);
        }
        ROUTE => {
            let length = cursor.u8()?;
            let flags = cursor.u8()?;
            let lifetime = cursor.u32()?;
            let mut prefix = [0; 16];
            prefix.iter_mut().zip(cursor.rest()).for_each(|(to, from)| *to = *from);
            write!(p, " {}/{length}, pref={}, lifetime=", Ipv6(prefix), preference(flags));
            print_lifetime(p, lifetime);
        }
        DNS_SERVERS => {
            cursor.skip(2)?;
            p.text(" lifetime ");
            print_lifetime(p, cursor.u32()?);
            p.text(",");
            while let Ok(server) = Ipv6::read(&mut cursor) {
                write!(p, " addr: {server}");
            }
        }
        DNS_SEARCH => {
            cursor.skip(2)?;
            p.text(" lifetime ");
            print_lifetime(p, cursor.u32()?);
            p.text(", domain(s):");
            print_domains(p, &mut cursor)?;
        }
        _ if p.style.verbosity < 2 => p.hex("\n\t  ", data),
        _ => {}
    }
    Ok(())
}

fn print_lifetime(p: &mut Printer<'_>, seconds: u32) {
    if seconds == u32::MAX {
        p.text("infinity");
    } else {
        write!(p, "{seconds}s");
    }
}

/// Domain names without compression, ended by padding (RFC 8106 §5.2).
fn print_domains(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    while cursor.rest().first().is_some_and(|len| *len != 0) {
        p.text(" ");
        loop {
            let label = usize::from(cursor.u8()?);
            if label == 0 {
                break;
            }
            p.escaped(cursor.take(label)?);
            p.text(".");
        }
    }
    Ok(())
}

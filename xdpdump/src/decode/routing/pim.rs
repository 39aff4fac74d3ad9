//! Protocol independent multicast, version 2 (RFC 7761, RFC 5059, RFC 5015, RFC 3973).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::checksum::Checksum;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::{ip, ipv4, ipv6};
use crate::decode::printer::Printer;
use crate::decode::routing::duration::Seconds;

const HELLO: u8 = 0;
const REGISTER: u8 = 1;
const REGISTER_STOP: u8 = 2;
const JOIN_PRUNE: u8 = 3;
const BOOTSTRAP: u8 = 4;
const ASSERT: u8 = 5;
const GRAFT: u8 = 6;
const GRAFT_ACK: u8 = 7;
const CANDIDATE: u8 = 8;
const PRUNE_REFRESH: u8 = 9;
const ELECTION: u8 = 10;

/// Bytes of a register that its checksum covers.
const REGISTER_HEADER: usize = 8;

fn name(kind: u8) -> &'static str {
    match kind {
        HELLO => "Hello",
        REGISTER => "Register",
        REGISTER_STOP => "Register Stop",
        JOIN_PRUNE => "Join / Prune",
        BOOTSTRAP => "Bootstrap",
        ASSERT => "Assert",
        GRAFT => "Graft",
        GRAFT_ACK => "Graft Acknowledgement",
        CANDIDATE => "Candidate RP Advertisement",
        PRUNE_REFRESH => "Prune Refresh",
        ELECTION => "DF Election",
        11 => "ECMP Redirect",
        _ => "Unknown Type",
    }
}

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    let first = layer.cursor("pim").u8()?;
    let (version, kind) = (first >> 4, first & 15);
    write!(p, "PIMv{version}");
    if version != 2 {
        write!(p, ", length {}", layer.len);
        return Ok(());
    }
    if !p.verbose() {
        write!(p, ", {}, length {}", name(kind), layer.len);
        return Ok(());
    }
    write!(p, ", length {}\n\t{}", layer.len, name(kind));
    let mut cursor = layer.cursor("pimv2");
    cursor.skip(1)?;
    let reserved = cursor.u8()?;
    // Before RFC 2362 the length of addresses was here.
    let legacy = reserved & 15;
    if legacy != 0 {
        p.text(", RFC2117-encoding");
    }
    let field = cursor.u16()?;
    write!(p, ", cksum 0x{field:04x} ({})", verdict(header, kind, layer, field));
    match kind {
        HELLO => print_hello(p, &mut cursor, layer.len),
        REGISTER => print_register(p, &mut cursor, layer),
        REGISTER_STOP => {
            p.text(" group=");
            print_address(p, &mut cursor, Encoding::Group, legacy)?;
            p.text(" source=");
            print_address(p, &mut cursor, Encoding::Unicast, legacy)
        }
        JOIN_PRUNE | GRAFT | GRAFT_ACK => print_groups(p, kind, &mut cursor, legacy),
        BOOTSTRAP => print_bootstrap(p, &mut cursor, layer.len, legacy),
        ASSERT => {
            p.text(" group=");
            print_address(p, &mut cursor, Encoding::Group, legacy)?;
            p.text(" src=");
            print_address(p, &mut cursor, Encoding::Unicast, legacy)?;
            let (preference, metric) = (cursor.u32()?, cursor.u32()?);
            if preference & 0x8000_0000 != 0 {
                p.text(" RPT");
            }
            write!(p, " pref={} metric={metric}", preference & 0x7fff_ffff);
            Ok(())
        }
        CANDIDATE => {
            let count = cursor.u8()?;
            write!(p, " prefix-cnt={count} prio={}", cursor.u8()?);
            write!(p, " holdtime={} RP=", Seconds(cursor.u16()?.into()));
            print_address(p, &mut cursor, Encoding::Unicast, legacy)?;
            for i in 0..count {
                if cursor.at() >= layer.len {
                    break;
                }
                write!(p, " Group{i}=");
                print_address(p, &mut cursor, Encoding::Group, legacy)?;
            }
            Ok(())
        }
        PRUNE_REFRESH => {
            p.text(" src=");
            print_address(p, &mut cursor, Encoding::Unicast, legacy)?;
            p.text(" grp=");
            print_address(p, &mut cursor, Encoding::Group, legacy)?;
            p.text(" forwarder=");
            print_address(p, &mut cursor, Encoding::Unicast, legacy)?;
            write!(p, " TUNR {}", Seconds(cursor.u16()?.into()));
            Ok(())
        }
        ELECTION => print_election(p, reserved >> 4, &mut cursor),
        _ => {
            write!(p, " [type {kind}]");
            Ok(())
        }
    }
}

/// What is said of the checksum.
fn verdict(header: &ip::Header, kind: u8, layer: Layer<'_>, field: u16) -> &'static str {
    let sum = |len: usize| {
        if header.is_v6() {
            header.sum(ip::PIM, layer.bytes, len)
        } else {
            layer.bytes.get(..len).map(|bytes| Checksum::default().add(bytes).finish())
        }
    };
    if field == 0 {
        return "unverified";
    }
    if kind == REGISTER {
        match sum(REGISTER_HEADER) {
            Some(0) => return "correct",
            Some(_) => {}
            None => return "unverified",
        }
    }
    match sum(layer.len) {
        Some(0) => "correct",
        Some(_) => "incorrect",
        None => "unverified",
    }
}

/// How an address is written (RFC 7761 §4.9.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Unicast,
    Group,
    Source,
}

/// Prints an address; `legacy` is its length if no family is written before it.
fn print_address(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, encoding: Encoding, legacy: u8) -> Printed {
    let is_v6 = match legacy {
        0 => {
            let (family, kind) = (cursor.u8()?, cursor.u8()?);
            if kind != 0 || !(family == 1 || family == 2) {
                return Err(cursor.truncated());
            }
            family == 2
        }
        4 => false,
        16 => true,
        _ => return Err(cursor.truncated()),
    };
    let (longest, len) = if is_v6 { (128, 16) } else { (32, 4) };
    let (flags, bits) = if encoding == Encoding::Unicast {
        (0, longest)
    } else {
        cursor.need(2 + len)?;
        (cursor.u8()?, cursor.u8()?)
    };
    if is_v6 {
        write!(p, "{}", Ipv6::read(cursor)?);
    } else {
        write!(p, "{}", Ipv4::read(cursor)?);
    }
    if bits != longest {
        write!(p, "/{bits}");
    }
    if flags == 0 {
        return Ok(());
    }
    if encoding == Encoding::Group {
        write!(p, "(0x{flags:02x})");
        return Ok(());
    }
    p.text("(");
    for (bit, letter) in [(4, "S"), (2, "W"), (1, "R")] {
        if flags & bit != 0 {
            p.text(letter);
        }
    }
    if flags & 0xf8 != 0 {
        write!(p, "+0x{flags:02x}");
    }
    p.text(")");
    Ok(())
}

fn option_name(kind: u16) -> &'static str {
    match kind {
        1 => "Hold Time",
        2 => "LAN Prune Delay",
        18 => "DR Priority (Old)",
        19 => "DR Priority",
        20 => "Generation ID",
        21 => "State Refresh Capability",
        22 => "Bi-Directional Capability",
        24 => "Address List",
        65001 => "Address List (Old)",
        _ => "Unknown",
    }
}

fn print_hello(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, end: usize) -> Printed {
    while cursor.at() < end {
        cursor.need(4)?;
        let (kind, len) = (cursor.u16()?, usize::from(cursor.u16()?));
        write!(p, "\n\t  {} Option ({kind}), length {len}, Value: ", option_name(kind));
        let bytes = cursor.take(len)?;
        let required = match kind {
            1 => 2,
            2 | 18..=21 => 4,
            _ => len,
        };
        if len != required {
            write!(p, "[option length {len} != {required}] (invalid)");
            return Ok(());
        }
        let mut value = Cursor::new("pimv2", bytes);
        match kind {
            1 => write!(p, "{}", Seconds(value.u16()?.into())),
            2 => {
                let (delay, interval) = (value.u16()?, value.u16()?);
                let (tracking, delay) = (delay >> 15, delay & 0x7fff);
                write!(p, "\n\t    T-bit={tracking}, LAN delay {delay}ms, Override interval {interval}ms");
            }
            18 | 19 => write!(p, "{}", value.u32()?),
            20 => write!(p, "0x{:08x}", value.u32()?),
            21 => {
                write!(p, "v{}", value.u8()?);
                let interval = value.u8()?;
                if interval != 0 {
                    write!(p, ", interval {}", Seconds(interval.into()));
                }
                let reserved = value.u16()?;
                if reserved != 0 {
                    write!(p, " ?0x{reserved:04x}?");
                }
            }
            22 => {}
            24 | 65001 => {
                while p.style.verbosity > 1 && !value.rest().is_empty() {
                    p.text("\n\t    ");
                    print_address(p, &mut value, Encoding::Unicast, 0)?;
                }
            }
            _ if p.style.verbosity <= 1 => p.hex("\n\t    ", bytes),
            _ => {}
        }
        if p.style.verbosity > 1 {
            p.hex("\n\t    ", bytes);
        }
    }
    Ok(())
}

fn print_register(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, layer: Layer<'_>) -> Printed {
    let flags = match cursor.u32()? {
        0x8000_0000 => "Border",
        0x4000_0000 => "Null",
        _ => "none",
    };
    write!(p, ", Flags [ {flags} ]\n\t");
    let inner = layer.skip(REGISTER_HEADER);
    let mut head = inner.cursor("pimv2");
    match head.u8()? >> 4 {
        0 => {
            head.skip(11)?;
            write!(p, "IP-Null-header {} > {}", Ipv4::read(&mut head)?, Ipv4::read(&mut head)?);
            Ok(())
        }
        4 => p.nested(|p| ipv4::print(p, inner)),
        6 => p.nested(|p| ipv6::print(p, inner)),
        version => {
            write!(p, "IP ver {version}");
            Ok(())
        }
    }
}

/// Prints joins and prunes, or grafts, which have the same format.
fn print_groups(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>, legacy: u8) -> Printed {
    if kind != GRAFT_ACK {
        p.text(", upstream-neighbor: ");
        print_address(p, cursor, Encoding::Unicast, legacy)?;
    }
    cursor.need(4)?;
    cursor.skip(1)?;
    let count = cursor.u8()?;
    write!(p, "\n\t  {count} group(s)");
    let hold = cursor.u16()?;
    if kind != GRAFT_ACK {
        p.text(", holdtime: ");
        if hold == 0xffff { p.text("infinite") } else { write!(p, "{}", Seconds(hold.into())) }
    }
    for i in 1..=count {
        write!(p, "\n\t    group #{i}: ");
        print_address(p, cursor, Encoding::Group, legacy)?;
        cursor.need(4)?;
        let (joined, pruned) = (cursor.u16()?, cursor.u16()?);
        write!(p, ", joined sources: {joined}, pruned sources: {pruned}");
        for (count, what) in [(joined, "joined"), (pruned, "pruned")] {
            for i in 1..=count {
                write!(p, "\n\t      {what} source #{i}: ");
                print_address(p, cursor, Encoding::Source, legacy)?;
            }
        }
    }
    Ok(())
}

fn print_bootstrap(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, end: usize, legacy: u8) -> Printed {
    write!(p, " tag={:x}", cursor.u16()?);
    write!(p, " hashmlen={}", cursor.u8()?);
    write!(p, " BSRprio={}", cursor.u8()?);
    p.text(" BSR=");
    print_address(p, cursor, Encoding::Unicast, legacy)?;
    let mut number = 0;
    while cursor.at() < end {
        write!(p, " (group{number}: ");
        print_address(p, cursor, Encoding::Group, legacy)?;
        write!(p, " RPcnt={}", cursor.u8()?);
        let fragment = cursor.u8()?;
        write!(p, " FRPcnt={fragment}");
        cursor.skip(2)?;
        for i in 0..fragment {
            if cursor.at() >= end {
                break;
            }
            write!(p, " RP{i}=");
            print_address(p, cursor, Encoding::Unicast, legacy)?;
            write!(p, ",holdtime={}", Seconds(cursor.u16()?.into()));
            write!(p, ",prio={}", cursor.u8()?);
            cursor.skip(1)?;
        }
        p.text(")");
        number += 1;
    }
    Ok(())
}

/// RFC 5015 §3.7.
fn print_election(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    const BACKOFF: u8 = 3;
    const PASS: u8 = 4;
    let name = match kind {
        1 => "Offer",
        2 => "Winner",
        BACKOFF => "Backoff",
        PASS => "Pass",
        _ => "Unknown",
    };
    write!(p, "\n\t  {name}, rpa=");
    print_address(p, cursor, Encoding::Unicast, 0)?;
    write!(p, " sender pref={}", cursor.u32()?);
    write!(p, " sender metric={}", cursor.u32()?);
    let other = match kind {
        BACKOFF => "offer",
        PASS => "new winner",
        _ => return Ok(()),
    };
    write!(p, "\n\t  {other} addr=");
    print_address(p, cursor, Encoding::Unicast, 0)?;
    write!(p, " {other} pref={}", cursor.u32()?);
    write!(p, " {other} metric={}", cursor.u32()?);
    if kind == BACKOFF {
        write!(p, " interval {}ms", cursor.u16()?);
    }
    Ok(())
}

//! IPv4 (RFC 791).

use crate::decode::address::{Address, Ipv4};
use crate::decode::checksum::{Checksum, expected};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::ip;
use crate::decode::printer::Printer;

const HEADER: usize = 20;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

/// Prints an IPv4 packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ip");
    let first = cursor.u8()?;
    let version = first >> 4;
    if version != 4 {
        if version == 6 {
            p.text("IP6, wrong link-layer encapsulation (invalid)");
        } else {
            write!(p, "IP{version} (invalid)");
        }
        return Ok(());
    }
    if !p.style.link_header {
        p.text("IP ");
    }
    cursor.need(HEADER - 1)?;
    if layer.len < HEADER {
        write!(p, "truncated-ip {}", layer.len);
        return Ok(());
    }
    let header_len = usize::from(first & 15) * 4;
    if header_len < HEADER {
        write!(p, "bad-hlen {header_len}");
        return Ok(());
    }
    let tos = cursor.u8()?;
    let total = usize::from(cursor.u16()?);
    // With segmentation offload the stack hands over packets whose length field is still 0; they extend to the end of the
    // layer.
    if layer.len < total {
        write!(p, "truncated-ip - {} bytes missing! ", total - layer.len);
    }
    if total < header_len {
        write!(p, "bad-len {total}");
        return Ok(());
    }
    let layer = layer.cut(total);
    let mut cursor = layer.cursor("ip");
    cursor.skip(4)?;
    let id = cursor.u16()?;
    let fragment = cursor.u16()?;
    let ttl = cursor.u8()?;
    let protocol = cursor.u8()?;
    let checksum = cursor.u16()?;
    let mut options_cut = false;
    if p.verbose() {
        print_fields(p, tos, ttl, id, fragment);
        write!(p, ", proto {} ({protocol}), length {total}", ip::name(protocol));
        options_cut = print_options(p, layer, header_len)?;
        print_checksum(p, layer, header_len, checksum);
        p.text(")\n    ");
    }
    let header = ip::Header {
        src: Address::V4(Ipv4::read(&mut cursor)?),
        dst: Address::V4(Ipv4::read(&mut cursor)?),
        route_end: route_end(layer, header_len).map(Address::V4),
        direct: true,
        fragment: fragment & (MORE_FRAGMENTS | OFFSET) != 0,
        ttl,
    };
    if options_cut {
        write!(p, "{} > {}: ", header.src, header.dst);
        return Err(cursor.truncated());
    }
    if fragment & OFFSET != 0 {
        write!(p, "{} > {}: ip-proto-{protocol}", header.src, header.dst);
        return Ok(());
    }
    if !matches!(protocol, ip::TCP | ip::UDP | ip::SCTP | ip::DCCP) {
        write!(p, "{} > {}: ", header.src, header.dst);
    }
    if layer.bytes.len() < header_len {
        write!(p, " [remaining caplen({}) < header length({header_len})]", layer.bytes.len());
        return Err(cursor.truncated());
    }
    ip::print_payload(p, &header, protocol, layer.skip(header_len))
}

fn print_fields(p: &mut Printer<'_>, tos: u8, ttl: u8, id: u16, fragment: u16) {
    write!(p, "(tos 0x{tos:x}");
    p.text(match tos & 3 {
        1 => ",ECT(1)",
        2 => ",ECT(0)",
        3 => ",CE",
        _ => "",
    });
    if ttl >= 1 {
        write!(p, ", ttl {ttl}");
    }
    write!(p, ", id {id}, offset {}, flags [", (fragment & OFFSET) * 8);
    let set = [(MORE_FRAGMENTS, "+"), (0x4000, "DF"), (0x8000, "rsvd")];
    let mut separator = "";
    for (bit, name) in set {
        if fragment & bit != 0 {
            write!(p, "{separator}{name}");
            separator = ", ";
        }
    }
    p.text(if separator.is_empty() { "none]" } else { "]" });
}

fn print_checksum(p: &mut Printer<'_>, layer: Layer<'_>, header_len: usize, field: u16) {
    if p.style.unverified {
        return;
    }
    let Some(header) = layer.bytes.get(..header_len) else { return };
    let sum = Checksum::default().add(header).finish();
    if sum != 0 {
        write!(p, ", bad cksum {field:x} (->{:x})!", expected(field, sum));
    }
}

const END: u8 = 0;
const NOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const SECURITY: u8 = 130;
const LOOSE_ROUTE: u8 = 131;
const STRICT_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

/// Prints the options; returns true when the data of one was cut.
fn print_options(p: &mut Printer<'_>, layer: Layer<'_>, header_len: usize) -> Result<bool, Truncated> {
    if header_len == HEADER {
        return Ok(false);
    }
    let mut cut = false;
    p.text(", options (");
    let mut cursor = layer.skip(HEADER).cursor("ip");
    let end = header_len - HEADER;
    let mut first = true;
    while cursor.at() < end {
        if !first {
            p.text(",");
        }
        first = false;
        let kind = cursor.u8()?;
        let name = option_name(kind);
        match name {
            Some(name) => p.text(name),
            None => write!(p, "unknown {kind}"),
        }
        if kind == END {
            break;
        }
        if kind == NOP {
            continue;
        }
        let len = usize::from(cursor.u8()?);
        let left = end + 2 - cursor.at();
        if len < 2 || len > left {
            write!(p, " [bad length {len}]");
            break;
        }
        let Ok(data) = cursor.take(len - 2) else {
            p.text(" [truncated-option]");
            cut = true;
            break;
        };
        let mut data = Cursor::new("ip", data);
        // tcpdump reads the last entry of an option of an odd length from what follows it.
        let mut entries = layer.skip(HEADER + cursor.at() + 2 - len).cursor("ip");
        let entries = match kind {
            RECORD_ROUTE | LOOSE_ROUTE | STRICT_ROUTE => print_route(p, &mut entries, len),
            TIMESTAMP => print_timestamps(p, &mut entries, len),
            _ => Ok(()),
        };
        if entries.is_err() {
            p.text(" [truncated-option]");
            cut = true;
            break;
        }
        match kind {
            ROUTER_ALERT if len >= 4 => {
                let value = data.u16()?;
                if value != 0 {
                    write!(p, " value {value}");
                }
            }
            ROUTER_ALERT => write!(p, " [bad length {len}]"),
            _ => {}
        }
    }
    p.text(")");
    Ok(cut)
}

fn option_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        END => "EOL",
        NOP => "NOP",
        RECORD_ROUTE => "RR",
        TIMESTAMP => "timestamp",
        82 => "traceroute",
        SECURITY => "security",
        LOOSE_ROUTE => "LSRR",
        STRICT_ROUTE => "SSRR",
        ROUTER_ALERT => "RA",
        _ => return None,
    })
}

/// The last address of a source route in the options (RFC 791 §3.1).
fn route_end(layer: Layer<'_>, header_len: usize) -> Option<Ipv4> {
    let mut options = layer.bytes.get(HEADER..header_len)?;
    loop {
        let (kind, rest) = options.split_first()?;
        match *kind {
            END => return None,
            NOP => options = rest,
            _ => {
                let (option, behind) = options.split_at_checked(usize::from(*rest.first()?).max(2))?;
                if let (LOOSE_ROUTE | STRICT_ROUTE, Some(end)) = (*kind, option.get(3..)?.last_chunk::<4>()) {
                    return Ipv4::read(&mut Cursor::new("ip", end)).ok();
                }
                options = behind;
            }
        }
    }
}

fn print_route(p: &mut Printer<'_>, data: &mut Cursor<'_>, len: usize) -> Printed {
    if len < 3 {
        write!(p, " [bad length {len}]");
        return Ok(());
    }
    if !(len + 1).is_multiple_of(4) {
        write!(p, " [bad length {len}]");
    }
    let pointer = usize::from(data.u8()?);
    if pointer < 4 || pointer & 3 != 0 {
        write!(p, " [bad ptr {pointer}]");
    }
    for at in (3..len).step_by(4) {
        let address = Ipv4::read(data)?;
        // Addresses before the pointer are those already visited.
        write!(p, " {address}{}", if pointer > at + 1 { "," } else { "" });
    }
    Ok(())
}

fn print_timestamps(p: &mut Printer<'_>, data: &mut Cursor<'_>, len: usize) -> Printed {
    if len < 4 {
        write!(p, "[bad length {len}]");
        return Ok(());
    }
    p.text(" TS{");
    let pointer = usize::from(data.u8()?);
    let flags = data.u8()?;
    let with_address = flags & 15 != 0;
    if len % (if with_address { 8 } else { 4 }) != if with_address { 4 } else { 0 } {
        write!(p, "[bad length {len}]");
    }
    let size = if with_address { 8 } else { 4 };
    if pointer < 5 || (pointer - 5) % size != 0 || pointer > len + 1 {
        write!(p, "[bad ptr {pointer}]");
    }
    match flags & 15 {
        0 => p.text("TSONLY"),
        1 => p.text("TS+ADDR"),
        3 => p.text("PRESPEC"),
        _ => {
            write!(p, "[bad ts type {}]", flags & 15);
            p.text("}");
            return Ok(());
        }
    }
    let mut at = 5;
    let mut kind = " ";
    while at <= len {
        if at == pointer {
            kind = " ^ ";
        }
        data.need(size)?;
        if with_address {
            let address = Ipv4::read(data)?;
            write!(p, "{kind}{}@{address}", data.u32()?);
        } else {
            write!(p, "{kind}{}@", data.u32()?);
        }
        at += size;
        kind = " ";
    }
    if at == pointer {
        p.text(" ^ ");
    }
    if flags >> 4 != 0 {
        write!(p, " [{} hops not recorded]}} ", flags >> 4);
    } else {
        p.text("}");
    }
    Ok(())
}

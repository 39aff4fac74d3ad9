//! IPv6 and its extension headers (RFC 8200).

use crate::decode::address::{Address, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::ip;
use crate::decode::network::ipv6_options as options;
use crate::decode::printer::Printer;

const HEADER: usize = 40;

/// Prints an IPv6 packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ip6");
    cursor.need(HEADER)?;
    if !p.style.link_header {
        p.text("IP6 ");
    }
    let first = cursor.u32()?;
    if first >> 28 != 6 {
        write!(p, "version error: {} != 6", first >> 28);
        return Ok(());
    }
    let payload = usize::from(cursor.u16()?);
    let next = cursor.u8()?;
    let hop_limit = cursor.u8()?;
    // A jumbogram has its length in the hop-by-hop options (RFC 2675).
    let jumbo = payload == 0 && next == ip::HOP_BY_HOP;
    let total = if jumbo { layer.len } else { payload + HEADER };
    if layer.len < total {
        write!(p, "truncated-ip6 - {} bytes missing!", total - layer.len);
    }
    if p.verbose() {
        let (class, flow) = (first >> 20 & 0xff, first & 0xf_ffff);
        p.text("(");
        if class != 0 {
            write!(p, "class 0x{class:02x}, ");
        }
        if flow != 0 {
            write!(p, "flowlabel 0x{flow:05x}, ");
        }
        let name = ip::name(next);
        write!(p, "hlim {hop_limit}, next-header {name} ({next}) payload length: {payload}) ");
    }
    let src = Ipv6::read(&mut cursor)?;
    let dst = Ipv6::read(&mut cursor)?;
    let header = ip::Header {
        route_end: None,
        src: Address::V6(src),
        dst: Address::V6(dst),
        direct: matches!(next, ip::TCP | ip::UDP | ip::SCTP | ip::DCCP),
        fragment: false,
        ttl: hop_limit,
    };
    if !header.direct {
        write!(p, "{src} > {dst}: ");
    }
    print_chain(p, header, next, layer.cut(total).skip(HEADER), Some(payload == 0))
}

/// Prints extension headers up to the one that holds the payload, and the payload. `empty` tells whether the length field
/// is 0, so that the hop-by-hop options have the length.
fn print_chain(
    p: &mut Printer<'_>,
    mut header: ip::Header,
    mut next: u8,
    mut layer: Layer<'_>,
    empty: Option<bool>,
) -> Printed {
    let mut first = true;
    loop {
        let len = match next {
            ip::HOP_BY_HOP if first => {
                let header = options::print(p, &mut next, layer.cursor("hbhopt"), empty)?;
                if empty == Some(true) {
                    let Some(len) = header.jumbo else {
                        p.text("[No valid Jumbo Payload Hop-by-Hop option found]");
                        return p.invalid(layer, "ip6");
                    };
                    if layer.len < len {
                        write!(p, "truncated-ip6 - {} bytes missing!", len - layer.len);
                    }
                    layer = layer.cut(len);
                }
                header.len
            }
            ip::HOP_BY_HOP => {
                // Only the first header may be one.
                p.text("[The Hop-by-Hop Options header was already found]");
                return p.invalid(layer, "ip6");
            }
            ip::DESTINATION => options::print(p, &mut next, layer.cursor("dstopt"), None)?.len,
            ip::ROUTING => {
                let mut cursor = layer.cursor("rt6");
                next = cursor.u8()?;
                let Some((len, destination)) = print_routing(p, &mut cursor)? else { return Ok(()) };
                if let Some(destination) = destination {
                    header.dst = Address::V6(destination);
                }
                len
            }
            ip::FRAGMENT => {
                let mut cursor = layer.cursor("frag6");
                next = cursor.u8()?;
                cursor.skip(1)?;
                let field = cursor.u16()?;
                let (offset, length) = (field & !7, layer.len.saturating_sub(8));
                header.fragment = true;
                if p.verbose() {
                    write!(p, "frag (0x{:08x}:{offset}|{length})", cursor.u32()?);
                } else {
                    write!(p, "frag ({offset}|{length})");
                }
                if offset != 0 {
                    return Ok(());
                }
                p.text(" ");
                8
            }
            _ => return ip::print_payload(p, &header, next, layer),
        };
        if layer.bytes.len() < len {
            return Ok(());
        }
        layer = layer.skip(len);
        first = false;
    }
}

/// Prints a routing header after its first byte (next header). Returns its length and the final destination, or `None` when
/// what follows cannot be decoded.
fn print_routing(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
) -> Result<Option<(usize, Option<Ipv6>)>, Truncated> {
    let units = cursor.u8()?;
    let len = (usize::from(units) + 1) * 8;
    let kind = cursor.u8()?;
    write!(p, "RT6 (len={units}, type={kind}");
    if kind == 0 {
        p.text(" [Deprecated]");
    }
    write!(p, ", segleft={}", cursor.u8()?);
    if kind == SEGMENT_ROUTING {
        return print_segments(p, cursor, units);
    }
    if kind != 0 && kind != 2 {
        p.text(" (unknown type) (invalid)");
        return Ok(None);
    }
    let reserved = cursor.u32()?;
    if reserved != 0 || p.verbose() {
        write!(p, ", rsv=0x{reserved:x}");
    }
    if units % 2 == 1 {
        p.text(" (invalid)");
        return Ok(None);
    }
    let mut last = None;
    for i in 0..units / 2 {
        let address = Ipv6::read(cursor)?;
        write!(p, ", [{i}]{address}");
        last = Some(address);
    }
    p.text(") ");
    Ok(Some((len, last)))
}

/// Segment routing header (RFC 8754).
const SEGMENT_ROUTING: u8 = 4;

/// Prints a segment routing header from the field after "segments left" on.
fn print_segments(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    units: u8,
) -> Result<Option<(usize, Option<Ipv6>)>, Truncated> {
    let last = cursor.u8()?;
    let flags = cursor.u8()?;
    let tag = cursor.u16()?;
    write!(p, ", last-entry={last}");
    if flags != 0 || p.verbose() {
        write!(p, ", flags=0x{flags:x}");
    }
    write!(p, ", tag={tag:x}");
    let len = (usize::from(units) + 1) * 8;
    // The length has to be that of whole addresses: what may follow them is not expected.
    if units % 2 == 1 {
        write!(p, " (invalid length {units}) (invalid)");
        return Ok(None);
    }
    let mut first = None;
    for i in 0..units / 2 {
        let address = Ipv6::read(cursor)?;
        write!(p, ", [{i}]{address}");
        first.get_or_insert(address);
    }
    p.text(") ");
    // Checksums are over the final destination, which is the first in the list (RFC 8754 §2, RFC 8200 §8.1).
    Ok(Some((len, first)))
}

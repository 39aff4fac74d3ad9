//! Reachability for other families than IPv4 unicast (RFC 4760).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::bgp::names;
use crate::decode::routing::bgp::nlri::{self, Before, Distinguisher};
use crate::decode::routing::nsap::Nsap;

const IPV4: u16 = 1;
const IPV6: u16 = 2;
const NSAP: u16 = 3;
const VPLS: u16 = 25;
const LAYER_2_VPN: u16 = 196;

const LABELED: u8 = 4;
const MULTICAST_VPN: u8 = 5;
const MDT: u8 = 66;
const ROUTE_TARGET: u8 = 132;

/// What the items of a family look like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Prefix(Before),
    Osi { vpn: bool },
    RouteTarget,
    MulticastVpn,
    Mdt,
    Layer2,
}

fn shape(afi: u16, safi: u8) -> Option<Shape> {
    Some(match (afi, safi) {
        (IPV4 | IPV6, 1..=3) => Shape::Prefix(Before::Nothing),
        (IPV4 | IPV6, LABELED) => Shape::Prefix(Before::Label),
        (IPV4 | IPV6, 128..=130) => Shape::Prefix(Before::LabelAndDistinguisher),
        (IPV4, ROUTE_TARGET) => Shape::RouteTarget,
        (IPV4, MULTICAST_VPN) => Shape::MulticastVpn,
        (IPV4, MDT) => Shape::Mdt,
        (NSAP, 1..=3) => Shape::Osi { vpn: false },
        (NSAP, 128..=130) => Shape::Osi { vpn: true },
        (VPLS, 65) | (LAYER_2_VPN, 128..=130) => Shape::Layer2,
        _ => return None,
    })
}

/// Prints the family; its shape if there is a decoder for it.
fn print_family(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    len: usize,
) -> Result<Option<(u16, u8, Shape)>, Truncated> {
    let all = *cursor;
    let (afi, safi) = (cursor.u16()?, cursor.u8()?);
    let afi_name = crate::decode::address::family_name(afi).unwrap_or("Unknown AFI");
    let safi_name = names::subsequent_family(safi).unwrap_or("Unknown SAFI");
    let private = if safi > 128 { "vendor specific " } else { "" };
    write!(p, "\n\t    AFI: {afi_name} ({afi}), {private}SAFI: {safi_name} ({safi})");
    let Some(shape) = shape(afi, safi) else {
        write!(p, "\n\t    no AFI {afi} / SAFI {safi} decoder");
        if p.style.verbosity <= 1 {
            p.hex("\n\t    ", { all }.take(len)?);
        }
        return Ok(None);
    };
    Ok(Some((afi, safi, shape)))
}

/// Prints routes that became unreachable.
pub(super) fn print_unreach(p: &mut Printer<'_>, mut cursor: Cursor<'_>, len: usize) -> Printed {
    let end = cursor.at() + len;
    let Some((afi, _, shape)) = print_family(p, &mut cursor, len)? else { return Ok(()) };
    if len == 3 {
        p.text("\n\t      End-of-Rib Marker (empty NLRI)");
    }
    print_items(p, cursor, end, afi, shape)
}

/// Prints routes with their next hop.
pub(super) fn print(p: &mut Printer<'_>, mut cursor: Cursor<'_>, len: usize) -> Printed {
    let end = cursor.at() + len;
    if len < 3 {
        return Err(cursor.truncated());
    }
    let Some((afi, _, shape)) = print_family(p, &mut cursor, len)? else { return Ok(()) };
    let hop_len = usize::from(cursor.u8()?);
    if hop_len > 0 {
        if end.saturating_sub(cursor.at()) < hop_len {
            return Err(cursor.truncated());
        }
        p.text("\n\t    nexthop: ");
        print_next_hops(p, cursor.take(hop_len)?, afi, shape)?;
    }
    write!(p, ", nh-length: {hop_len}");
    let attachments = cursor.u8()?;
    if attachments == 0 {
        p.text(", no SNPA");
    } else {
        write!(p, "\n\t    {attachments} SNPA");
    }
    for _ in 0..attachments {
        let len = cursor.u8()?;
        write!(p, "\n\t      {len} bytes");
        cursor.skip(usize::from(len))?;
        if cursor.at() > end {
            return Err(cursor.truncated());
        }
    }
    print_items(p, cursor, end, afi, shape)
}

fn print_next_hops(p: &mut Printer<'_>, bytes: &[u8], afi: u16, shape: Shape) -> Printed {
    let mut cursor = Cursor::new("bgp", bytes);
    let vpn = matches!(shape, Shape::Prefix(Before::LabelAndDistinguisher) | Shape::Osi { vpn: true });
    let shortest = match (shape, afi) {
        (Shape::Prefix(_), IPV6) => 16,
        (Shape::Osi { .. }, _) => 1,
        _ => 4,
    } + if vpn { 8 } else { 0 };
    while !cursor.rest().is_empty() {
        if cursor.at() > 0 {
            p.text(", ");
        }
        if cursor.rest().len() < shortest {
            p.text("invalid len");
            break;
        }
        if vpn {
            write!(p, "RD: {}, ", Distinguisher::read(&mut cursor)?);
        }
        match (shape, afi) {
            (Shape::Prefix(_), IPV6) => write!(p, "{}", Ipv6::read(&mut cursor)?),
            (Shape::Osi { .. }, _) => {
                write!(p, "{}", Nsap(cursor.take(cursor.rest().len())?));
            }
            _ => write!(p, "{}", Ipv4::read(&mut cursor)?),
        }
    }
    Ok(())
}

/// Prints items up to `end`; the last one may read beyond.
fn print_items(p: &mut Printer<'_>, mut cursor: Cursor<'_>, end: usize, afi: u16, shape: Shape) -> Printed {
    let longest = if afi == IPV4 { 32 } else { 128 };
    let path_ids = shape == Shape::Prefix(Before::Nothing)
        && nlri::has_path_ids(cursor.rest(), end.saturating_sub(cursor.at()), longest);
    while cursor.at() < end && !p.is_full() {
        let id = if path_ids { Some(cursor.u32()?) } else { None };
        let mark = p.mark();
        let printed = match shape {
            Shape::Prefix(before) => nlri::print_prefix(p, &mut cursor, before, afi, id),
            Shape::Osi { vpn } => nlri::print_osi(p, &mut cursor, vpn),
            Shape::RouteTarget => nlri::print_route_target(p, &mut cursor),
            Shape::MulticastVpn => nlri::print_multicast_vpn(p, &mut cursor).map(|()| true),
            Shape::Mdt => nlri::print_mdt(p, &mut cursor),
            Shape::Layer2 => nlri::print_l2vpn(p, &mut cursor).map(|()| true),
        };
        // Nothing is printed of an item that was cut.
        if printed.is_err() {
            p.rewind(&mark);
        }
        let valid = printed?;
        if !valid {
            let indent = if shape == Shape::RouteTarget { "\n\t      " } else { "\n\t    " };
            write!(p, "{indent}(illegal prefix length)");
            break;
        }
    }
    Ok(())
}

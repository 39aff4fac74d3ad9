//! One-line summaries of routing and redundancy protocols directly above IP.

use super::Printer;
use super::cursor::{Layer, Printed};

/// Protocol independent multicast (RFC 7761).
pub(super) fn print_pim(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    const NAMES: [&str; 11] = [
        "Hello",
        "Register",
        "Register Stop",
        "Join / Prune",
        "Bootstrap",
        "Assert",
        "Graft",
        "Graft Acknowledgement",
        "Candidate RP Advertisement",
        "Prune Refresh",
        "DF Election",
    ];
    let first = layer.cursor("pim").u8()?;
    let (version, kind) = (first >> 4, usize::from(first & 15));
    write!(p, "PIMv{version}");
    if version == 2 {
        match NAMES.get(kind) {
            Some(name) => write!(p, ", {name}"),
            None => write!(p, ", unknown"),
        }
    }
    write!(p, ", length {}", layer.len);
    Ok(())
}

/// Virtual router redundancy, versions 2 (RFC 3768) and 3 (RFC 5798).
pub(super) fn print_vrrp(p: &mut Printer<'_>, ttl: u8, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("vrrp");
    let first = cursor.u8()?;
    let (version, kind) = (first >> 4, first & 15);
    write!(p, "VRRPv{version}, ");
    if kind == 1 {
        p.text("Advertisement");
    } else {
        write!(p, "unknown type ({kind})");
    }
    // The protocol requires 255, so that a router cannot be impersonated from another network.
    if ttl != 255 {
        write!(p, ", (ttl {ttl})");
    }
    if kind != 1 || !(version == 2 || version == 3) {
        return Ok(());
    }
    let (router, priority) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(1)?;
    write!(p, ", vrid {router}, prio {priority}");
    if version == 2 {
        match cursor.u8()? {
            0 => p.text(", authtype none"),
            1 => p.text(", authtype simple"),
            2 => p.text(", authtype ah"),
            other => write!(p, ", authtype #{other}"),
        }
        write!(p, ", intvl {}s, length {}", cursor.u8()?, layer.len);
    } else {
        write!(p, ", intvl {}cs, length {}", cursor.u16()? & 0xfff, layer.len);
    }
    Ok(())
}

/// Cisco's enhanced interior gateway routing (RFC 7868).
pub(super) fn print_eigrp(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("eigrp");
    cursor.need(20)?;
    let version = cursor.u8()?;
    if version != 2 {
        write!(p, "EIGRP version {version} packet not supported");
        return Ok(());
    }
    match cursor.u8()? {
        1 => p.text("EIGRP Update"),
        3 => p.text("EIGRP Query"),
        4 => p.text("EIGRP Reply"),
        5 => p.text("EIGRP Hello"),
        6 => p.text("EIGRP IPX SAP"),
        7 => p.text("EIGRP Probe"),
        other => write!(p, "EIGRP unknown ({other})"),
    }
    write!(p, ", length: {}", layer.len);
    Ok(())
}

/// OSPF, versions 2 (RFC 2328) and 3 (RFC 5340).
pub(super) fn print_ospf(p: &mut Printer<'_>, is_v6: bool, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor(if is_v6 { "ospf3" } else { "ospf2" });
    let version = if is_v6 { 3 } else { cursor.u8()? };
    write!(p, "OSPFv{version}, ");
    let mut cursor = layer.skip(1).cursor(if is_v6 { "ospf3" } else { "ospf2" });
    match (cursor.u8()?, is_v6) {
        (1, _) => p.text("Hello"),
        (2, _) => p.text("Database Description"),
        (3, _) => p.text("LS-Request"),
        (4, _) => p.text("LS-Update"),
        (5, _) => p.text("LS-Ack"),
        (other, false) => write!(p, "unknown LS-type {other}"),
        (other, true) => write!(p, "unknown packet type ({other})"),
    }
    write!(p, ", length {}", layer.len);
    Ok(())
}

//! Networks of vehicles: `GeoNetworking` (ETSI EN 302 636-4-1), and CALM FAST (ISO 29281).

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ethernet::Addresses;
use crate::decode::printer::Printer;

/// Bytes of the common header.
const COMMON: usize = 36;

/// Prints a packet of `GeoNetworking`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, addresses: Addresses<'_>, layer: Layer<'_>) -> Printed {
    write!(p, "GeoNet src:{}; ", addresses.src);
    if layer.len < COMMON {
        write!(p, " (common header length {} < {COMMON})", layer.len);
        return p.invalid(layer, "geonet");
    }
    let mut cursor = layer.cursor("geonet");
    cursor.need(COMMON)?;
    let (first, second) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(2)?;
    let payload = cursor.u16()?;
    cursor.skip(1)?;
    let hops = cursor.u8()?;
    let next = first & 15;
    let next_name = match next {
        0 => "Any",
        1 => "BTP-A",
        2 => "BTP-B",
        3 => "IPv6",
        _ => "Unknown",
    };
    write!(p, "v:{} NH:{next}-{next_name} ", first >> 4);
    write!(p, "HT:{}-{}-{} ", second >> 4, second & 15, name(second));
    write!(p, "HopLim:{hops} Payload:{payload} GN_ADDR:");
    write!(p, "{} ", Mac(cursor.take(8)?));
    cursor.skip(4)?;
    write!(p, "lat:{} lon:{}", cursor.u32()?, cursor.u32()?);
    let mut layer = layer.skip(COMMON);
    let header = match second {
        0x50 => Some(0),
        0x51 => Some(32),
        _ => None,
    };
    if let Some(header) = header {
        if layer.len < header {
            write!(p, " (header size {header} > {})", layer.len);
            return p.invalid(layer, "geonet");
        }
        layer = layer.skip(header);
        if matches!(next, 1 | 2) {
            if layer.len < 4 {
                write!(p, " (BTP length {} < 4)", layer.len);
                return p.invalid(layer, "geonet");
            }
            let mut cursor = layer.cursor("geonet");
            write!(p, "; BTP Dst:{}", cursor.u16()?);
            // In the second kind it is information on the destination.
            write!(p, " Src:{}", cursor.u16()?);
            layer = layer.skip(4);
            if layer.len >= 2 {
                write!(p, "; ItsPduHeader v:{}", cursor.u8()?);
                let message = cursor.u8()?;
                match message_name(message) {
                    Some(name) => write!(p, " t:{message}-{name}"),
                    None => write!(p, " t:{message}-unknown ({message})"),
                }
            }
        }
    }
    if p.verbose() {
        p.payload(layer);
    }
    Ok(())
}

/// Names of headers: their type and subtype.
fn name(kind: u8) -> &'static str {
    match kind {
        0x00 => "Any",
        0x10 => "Beacon",
        0x20 => "GeoUnicast",
        0x30 => "GeoAnycastCircle",
        0x31 => "GeoAnycastRect",
        0x32 => "GeoAnycastElipse",
        0x40 => "GeoBroadcastCircle",
        0x41 => "GeoBroadcastRect",
        0x42 => "GeoBroadcastElipse",
        0x50 => "TopoScopeBcast-SH",
        0x51 => "TopoScopeBcast-MH",
        0x60 => "LocService-Request",
        0x61 => "LocService-Reply",
        _ => "Unknown",
    }
}

fn message_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "CAM",
        1 => "DENM",
        101 => "TPEGM",
        102 => "TSPDM",
        103 => "VPM",
        104 => "SRM",
        105 => "SLAM",
        106 => "ecoCAM",
        107 => "ITM",
        150 => "SA",
        _ => return None,
    })
}

/// Prints a packet of CALM FAST.
pub(in crate::decode) fn print_calm(
    p: &mut Printer<'_>,
    addresses: Addresses<'_>,
    layer: Layer<'_>,
) -> Printed {
    write!(p, "CALM FAST src:{}; ", addresses.src);
    if layer.len < 2 {
        write!(p, " (length {} < 2)", layer.len);
        return p.invalid(layer, "calm_fast");
    }
    let mut cursor = layer.cursor("calm_fast");
    write!(p, "SrcNwref:{}; ", cursor.u8()?);
    write!(p, "DstNwref:{}; ", cursor.u8()?);
    if p.verbose() {
        p.payload(layer.skip(2));
    }
    Ok(())
}

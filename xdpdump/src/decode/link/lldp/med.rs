//! Elements for media endpoints (ANSI/TIA-1057).

use super::{Hex, print_subtype};
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;

const CAPABILITY: [(u32, &str); 6] = [
    (0x01, "LLDP-MED capabilities"),
    (0x02, "network policy"),
    (0x04, "location identification"),
    (0x08, "extended power via MDI-PSE"),
    (0x10, "extended power via MDI-PD"),
    (0x20, "Inventory"),
];
const POLICY: [(u32, &str); 3] = [(0x80, "Unknown"), (0x40, "Tagged"), (0x20, "reserved")];
/// Bytes of a location in coordinates, with its format.
const COORDINATES: usize = 17;

/// Prints an element after its subtype. One that is too short has only its name.
pub(super) fn print(p: &mut Printer<'_>, subtype: u8, cursor: &mut Cursor<'_>) -> Hex {
    let name = name(subtype);
    print_subtype(p, name, subtype);
    let printed = match subtype {
        1 => capabilities(p, cursor),
        2 => policy(p, cursor),
        3 => location(p, cursor),
        4 => power(p, cursor),
        5..=11 => {
            let what = match subtype {
                5 => "Hardware revision",
                6 => "Firmware revision",
                7 => "Software revision",
                8 => "Serial number",
                9 => "Manufacturer name",
                10 => "Model name",
                _ => "Asset ID",
            };
            write!(p, "\n\t  {what} ");
            p.escaped_until_nul(cursor.rest());
            Ok(())
        }
        _ => return true,
    };
    printed.is_err() && name.is_none()
}

fn name(subtype: u8) -> Option<&'static str> {
    Some(match subtype {
        1 => "LLDP-MED Capabilities",
        2 => "Network policy",
        3 => "Location identification",
        4 => "Extended power-via-MDI",
        5 => "Inventory - hardware revision",
        6 => "Inventory - firmware revision",
        7 => "Inventory - software revision",
        8 => "Inventory - serial number",
        9 => "Inventory - manufacturer name",
        10 => "Inventory - model name",
        11 => "Inventory - asset ID",
        _ => return None,
    })
}

fn capabilities(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let (capabilities, device) = (cursor.u16()?, cursor.u8()?);
    p.text("\n\t    Media capabilities [");
    p.flags(u32::from(capabilities), &CAPABILITY, ", ");
    let name = match device {
        1 => "endpoint class 1",
        2 => "endpoint class 2",
        3 => "endpoint class 3",
        4 => "network connectivity",
        _ => "unknown",
    };
    write!(p, "] (0x{capabilities:04x})\n\t    Device type [{name}] (0x{device:02x})");
    Ok(())
}

fn policy(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let (application, policy) = (cursor.u8()?, cursor.u24()?);
    let name = match application {
        1 => "voice",
        2 => "voice signaling",
        3 => "guest voice",
        4 => "guest voice signaling",
        5 => "softphone voice",
        6 => "video conferencing",
        7 => "streaming video",
        8 => "video signaling",
        _ => "none",
    };
    write!(p, "\n\t    Application type [{name}] (0x{application:02x}), Flags [");
    p.flags(policy >> 16, &POLICY, ", ");
    write!(p, "]\n\t    Vlan id {}, ", policy >> 9 & 0xfff);
    write!(p, "L2 priority {}, DSCP value {}", policy >> 6 & 7, policy & 63);
    Ok(())
}

fn location(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let format = cursor.u8()?;
    let name = match format {
        1 => "coordinate-based LCI",
        2 => "civic address LCI",
        3 => "ECS ELIN",
        _ => "unknown",
    };
    write!(p, "\n\t    Location data format {name} (0x{format:02x})");
    match format {
        1 => coordinates(p, cursor),
        2 => civic(p, cursor),
        3 => {
            p.text("\n\t    ECS ELIN id ");
            p.escaped_until_nul(cursor.rest());
            Ok(())
        }
        _ => {
            p.text("\n\t    Location ID ");
            p.hex("\n\t      ", cursor.rest());
            Ok(())
        }
    }
}

/// Prints a location (RFC 3825 §2): six bits of resolution and a fixed-point number of 34 bits each.
fn coordinates(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    cursor.need(COORDINATES - 1)?;
    for name in ["Latitude", "Longitude"] {
        let [first, rest @ ..]: [u8; 5] = cursor.array()?;
        let value = u64::from(first & 3) << 32 | u64::from(u32::from_be_bytes(rest));
        let lower = name.to_ascii_lowercase();
        write!(p, "\n\t    {name} resolution {}, {lower} value {value}", first >> 2);
    }
    let [first, second] = cursor.array()?;
    let kind = match first >> 4 {
        1 => "meters",
        2 => "floors",
        _ => "unknown",
    };
    write!(p, "\n\t    Altitude type {kind} ({})", first >> 4);
    let resolution = (u16::from(first) << 8 | u16::from(second)) >> 6 & 0x3f;
    let value = u32::from(second & 0x3f) << 24 | cursor.u24()?;
    write!(p, "\n\t    Altitude resolution {resolution}, altitude value 0x{value:x}");
    let datum = cursor.u8()?;
    let name = match datum {
        1 => "World Geodesic System 1984",
        2 => "North American Datum 1983 (NAVD88)",
        3 => "North American Datum 1983 (MLLW)",
        _ => "unknown",
    };
    write!(p, "\n\t    Datum {name} (0x{datum:02x})");
    Ok(())
}

/// Prints a civic address (RFC 4776 §3).
fn civic(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let len = usize::from(cursor.u8()?);
    // tcpdump asks for one byte more than the address has.
    cursor.need(len + 1)?;
    let (what, country) = (cursor.u8()?, cursor.take(2)?);
    let name = match what {
        0 => "location of DHCP server",
        1 => "location of the network element believed to be closest to the client",
        2 => "location of the client",
        _ => "unknown",
    };
    write!(p, "\n\t    LCI length {len}, LCI what {name} (0x{what:02x}), Country-code ");
    p.escaped_until_nul(country);
    let mut left = len.saturating_sub(3);
    while left >= 2 {
        let (kind, size) = (cursor.u8()?, usize::from(cursor.u8()?));
        write!(p, "\n\t      CA type '{}' ({kind}), length {size}: ", civic_name(kind));
        if left < 2 + size {
            break;
        }
        left -= 2 + size;
        p.escaped_until_nul(cursor.take(size)?);
    }
    Ok(())
}

fn civic_name(kind: u8) -> &'static str {
    match kind {
        1 => "national subdivisions (state,canton,region,province,prefecture)",
        2 => "county, parish, gun, district",
        3 => "city, township, shi",
        4 => "city division, borough, city district, ward chou",
        5 => "neighborhood, block",
        6 => "street",
        _ => "unknown",
    }
}

fn power(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let (first, value) = (cursor.u8()?, cursor.u16()?);
    // The type is in the upper two bits, but tcpdump looks at the lower two.
    let kind = if matches!(first & 3, 0) { "PSE device" } else { "PD device" };
    let source = match first >> 4 & 3 {
        1 => "PSE - primary power source",
        2 => "local - backup power source",
        3 => "PSE+local - reserved",
        _ => "none",
    };
    write!(p, "\n\t    Power type [{kind}], Power source [{source}]");
    let priority = match first & 15 {
        1 => "critical",
        2 => "high",
        3 => "low",
        _ => "none",
    };
    write!(p, "\n\t    Power priority [{priority}] (0x{:02x}), Power ", first & 15);
    // In units of 0.1 W; values from 1024 on are reserved.
    if value < 1024 {
        write!(p, "{:.1} Watts", f64::from(value) / 10.0);
    } else {
        write!(p, "{value} (Reserved)");
    }
    Ok(())
}

//! Elements of IEEE 802.3 (802.3 clause 79).

use super::{Hex, print_aggregation, print_subtype};
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;

const NEGOTIATION: [(u32, &str); 2] = [(1, "supported"), (2, "enabled")];
const POWER: [(u32, &str); 4] = [(1, "PSE"), (2, "supported"), (4, "enabled"), (8, "can be controlled")];
const CAPABILITY: [(u32, &str); 15] = [
    (0x4000, "10BASE-T hdx"),
    (0x2000, "10BASE-T fdx"),
    (0x1000, "100BASE-T4"),
    (0x0800, "100BASE-TX hdx"),
    (0x0400, "100BASE-TX fdx"),
    (0x0200, "100BASE-T2 hdx"),
    (0x0100, "100BASE-T2 fdx"),
    (0x0080, "Pause for fdx links"),
    (0x0040, "Asym PAUSE for fdx"),
    (0x0020, "Sym PAUSE for fdx"),
    (0x0010, "Asym and Sym PAUSE for fdx"),
    (0x0008, "1000BASE-{X LX SX CX} hdx"),
    (0x0004, "1000BASE-{X LX SX CX} fdx"),
    (0x0002, "1000BASE-T hdx"),
    (0x0001, "1000BASE-T fdx"),
];

/// Prints an element after its subtype. One that is too short has only its name.
pub(super) fn print(p: &mut Printer<'_>, subtype: u8, cursor: &mut Cursor<'_>) -> Hex {
    let name = match subtype {
        1 => Some("MAC/PHY configuration/status"),
        2 => Some("Power via MDI"),
        3 => Some("Link aggregation"),
        4 => Some("Max frame size"),
        _ => None,
    };
    print_subtype(p, name, subtype);
    let _too_short = print_fields(p, subtype, cursor);
    name.is_none()
}

fn print_fields(p: &mut Printer<'_>, subtype: u8, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    match subtype {
        1 => {
            let (negotiation, capability, unit) = (cursor.u8()?, cursor.u16()?, cursor.u16()?);
            p.text("\n\t    autonegotiation [");
            p.flags(u32::from(negotiation), &NEGOTIATION, ", ");
            write!(p, "] (0x{negotiation:02x})\n\t    PMD autoneg capability [");
            p.flags_or(u32::from(capability), &CAPABILITY, ", ", "unknown");
            write!(p, "] (0x{capability:04x})\n\t    MAU type {} (0x{unit:04x})", unit_name(unit));
        }
        2 => {
            let [support, pair, class] = cursor.array()?;
            p.text("\n\t    MDI power support [");
            p.flags(u32::from(support), &POWER, ", ");
            let pair = match pair {
                1 => "signal",
                2 => "spare",
                _ => "unknown",
            };
            write!(p, "], power pair {pair}, power class ");
            match class {
                1..=5 => write!(p, "class{}", class - 1),
                _ => p.text("unknown"),
            }
        }
        3 => print_aggregation(p, cursor)?,
        4 => write!(p, "\n\t    MTU size {}", cursor.u16()?),
        _ => {}
    }
    Ok(())
}

/// Types of medium attachment units (RFC 4836).
fn unit_name(unit: u16) -> &'static str {
    match unit {
        0 => "Unknown",
        1 => "AUI",
        2 => "10BASE_5",
        3 => "FOIRL",
        4 => "10BASE2",
        5 => "10BASET duplex mode unknown",
        6 => "10BASEFP",
        7 => "10BASEFB",
        8 => "10BASEFL duplex mode unknown",
        9 => "10BROAD36",
        10 => "10BASET hdx",
        11 => "10BASET fdx",
        12 => "10BASEFL hdx",
        13 => "10BASEFL fdx",
        14 => "100BASET4",
        15 => "100BASETX hdx",
        16 => "100BASETX fdx",
        17 => "100BASEFX hdx",
        18 => "100BASEFX fdx",
        19 => "100BASET2 hdx",
        20 => "100BASET2 fdx",
        21 => "1000BASEX hdx",
        22 => "1000BASEX fdx",
        23 => "1000BASELX hdx",
        24 => "1000BASELX fdx",
        25 => "1000BASESX hdx",
        26 => "1000BASESX fdx",
        27 => "1000BASECX hdx",
        28 => "1000BASECX fdx",
        29 => "1000BASET hdx",
        30 => "1000BASET fdx",
        31 => "10GBASEX",
        32 => "10GBASELX4",
        33 => "10GBASER",
        34 => "10GBASEER",
        35 => "10GBASELR",
        36 => "10GBASESR",
        37 => "10GBASEW",
        38 => "10GBASEEW",
        39 => "10GBASELW",
        40 => "10GBASESW",
        _ => "unknown",
    }
}

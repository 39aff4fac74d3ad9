//! Options of the compression control protocol (RFC 1962).

use super::control::{cursor, has_at_least, print_unknown};
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const BSD: u8 = 21;
const MVRCA: u8 = 24;
const DEFLATE: u8 = 26;

/// The option's name, if it has one.
pub(super) fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "OUI",
        1 => "Pred-1",
        2 => "Pred-2",
        3 => "Puddle",
        16 => "HP-PPC",
        17 => "Stac-LZS",
        18 => "MPPC",
        19 => "Gand-FZA",
        20 => "V.42bis",
        BSD => "BSD-Comp",
        23 => "LZS-DCP",
        MVRCA => "MVRCA",
        25 => "DEC",
        DEFLATE => "Deflate",
        255 => "Reserved",
        _ => return None,
    })
}

/// Prints the value of an option.
pub(super) fn print(p: &mut Printer<'_>, kind: u8, value: Layer<'_>) -> Printed {
    let mut data = cursor(value);
    match kind {
        BSD if has_at_least(p, value, 1) => {
            let first = data.u8()?;
            write!(p, ": Version: {}, Dictionary Bits: {}", first >> 5, first & 31);
        }
        MVRCA if has_at_least(p, value, 2) => {
            let (first, context) = (data.u8()?, data.u8()?);
            let packets = if first & 0x20 == 0 { "Disabled" } else { "Enabled" };
            write!(p, ": Features: {}, PxP: {packets}, ", first >> 6);
            write!(p, "History: {}, #CTX-ID: {context}", first & 31);
        }
        DEFLATE if has_at_least(p, value, 2) => {
            data.need(2)?;
            let (first, check) = (data.u8()?, data.u8()?);
            let method = if first & 15 == 8 { "zlib" } else { "unknown" };
            write!(p, ": Window: {}K, Method: {method} (0x{:x}), ", first >> 4, first & 15);
            write!(p, "MBZ: {}, CHK: {}", check >> 2, check & 3);
        }
        BSD | MVRCA | DEFLATE => {}
        _ => print_unknown(p, value),
    }
    Ok(())
}

//! Options of the control protocols for IP (RFC 1332, RFC 1877, RFC 2507, RFC 5072).

use super::control::{cursor, has_at_least, has_len, print_unknown};
use crate::decode::address::Ipv4;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const ADDRESSES: u8 = 1;
const COMPRESSION: u8 = 2;

/// The option's name, if it has one.
pub(super) fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        ADDRESSES => "IP-Addrs",
        COMPRESSION => "IP-Comp",
        3 => "IP-Addr",
        4 => "Home-Addr",
        129 => "Pri-DNS",
        130 => "Pri-NBNS",
        131 => "Sec-DNS",
        132 => "Sec-NBNS",
        _ => return None,
    })
}

/// Prints the value of an option.
pub(super) fn print(p: &mut Printer<'_>, kind: u8, value: Layer<'_>) -> Printed {
    let mut data = cursor(value);
    match kind {
        ADDRESSES if has_len(p, value, 8) => {
            write!(p, ": src {}, dst {}", Ipv4::read(&mut data)?, Ipv4::read(&mut data)?);
        }
        COMPRESSION if has_at_least(p, value, 2) => print_compression(p, value)?,
        3 | 4 | 129..=132 if has_len(p, value, 4) => write!(p, ": {}", Ipv4::read(&mut data)?),
        ADDRESSES..=4 | 129..=132 => {}
        _ => print_unknown(p, value),
    }
    Ok(())
}

/// Prints the parameters of header compression (RFC 2507, RFC 2508, RFC 3545).
fn print_compression(p: &mut Printer<'_>, value: Layer<'_>) -> Printed {
    let mut data = cursor(value);
    let protocol = data.u16()?;
    let name = match protocol {
        0x2d => "VJ-Comp",
        0x61 => "IP Header Compression",
        _ => "Unknown",
    };
    write!(p, ": {name} (0x{protocol:02x}):");
    if protocol != 0x61 || !has_at_least(p, value, 12) {
        return Ok(());
    }
    data.need(10)?;
    write!(p, "\n\t    TCP Space {}, non-TCP Space {}, ", data.u16()?, data.u16()?);
    write!(p, "maxPeriod {}, maxTime {}, maxHdr {}", data.u16()?, data.u16()?, data.u16()?);
    let mut left = value.len - 12;
    write!(p, "\n\t      Suboptions, length {left}");
    while left >= 2 {
        let (kind, len) = (data.u8()?, usize::from(data.u8()?));
        if len < 2 {
            break;
        }
        let name = match kind {
            1 => "RTP-Compression",
            2 => "Enhanced RTP-Compression",
            _ => "Unknown",
        };
        write!(p, "\n\t\t{name} Suboption #{kind}, length {len}");
        if len > left {
            write!(p, " [remaining suboptions length {left} < {len}] (invalid)");
            break;
        }
        data.skip_to_end(len - 2)?;
        left -= len;
    }
    Ok(())
}

/// Prints the value of an option of IPv6's protocol.
pub(super) fn print_v6(p: &mut Printer<'_>, kind: u8, value: Layer<'_>) -> Printed {
    if kind != 1 {
        print_unknown(p, value);
    } else if has_len(p, value, 8) {
        let mut data = cursor(value);
        data.need(8)?;
        p.text(": ");
        for separator in ["", ":", ":", ":"] {
            write!(p, "{separator}{:04x}", data.u16()?);
        }
    }
    Ok(())
}

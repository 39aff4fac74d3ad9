//! Options of the link control protocol (RFC 1661 §6, RFC 1990, RFC 1570).

use super::control::{cursor, has_at_least, has_len, print_unknown};
use super::name as protocol_name;
use crate::decode::address::{Ipv4, Mac};
use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::oui;
use crate::decode::printer::Printer;

const VENDOR: u8 = 0;
const RECEIVE_UNIT: u8 = 1;
const CHARACTER_MAP: u8 = 2;
const AUTHENTICATION: u8 = 3;
const QUALITY: u8 = 4;
const MAGIC: u8 = 5;
const CALLBACK: u8 = 13;
const RECONSTRUCTED_UNIT: u8 = 17;
const ENDPOINT: u8 = 19;
const DISCRIMINATOR: u8 = 23;

/// The option's name, if it has one.
pub(super) fn name(kind: u8) -> Option<&'static str> {
    const NAMES: [&str; 31] = [
        "Vend-Ext",
        "MRU",
        "ACCM",
        "Auth-Prot",
        "Qual-Prot",
        "Magic-Num",
        "deprecated(6)",
        "PFC",
        "ACFC",
        "FCS-Alt",
        "SDP",
        "Num-Mode",
        "deprecated(12)",
        "Call-Back",
        "deprecated(14)",
        "deprecated(15)",
        "deprecated(16)",
        "MRRU",
        "12-Bit seq #",
        "End-Disc",
        "Proprietary",
        "DCE-Id",
        "MP+",
        "Link-Disc",
        "LCP-Auth-Opt",
        "COBS",
        "Prefix-elision",
        "Multilink-header-Form",
        "I18N",
        "SDL-over-SONET/SDH",
        "PPP-Muxing",
    ];
    NAMES.get(usize::from(kind)).copied()
}

/// Prints the value of an option.
pub(super) fn print(p: &mut Printer<'_>, kind: u8, value: Layer<'_>) -> Printed {
    let mut data = cursor(value);
    match kind {
        VENDOR if has_at_least(p, value, 4) => {
            let vendor = data.u24()?;
            write!(p, ": Vendor: {} ({vendor})", oui::name(vendor));
        }
        RECEIVE_UNIT | RECONSTRUCTED_UNIT if has_len(p, value, 2) => write!(p, ": {}", data.u16()?),
        CHARACTER_MAP | MAGIC if has_len(p, value, 4) => write!(p, ": 0x{:08x}", data.u32()?),
        AUTHENTICATION if has_at_least(p, value, 2) => print_authentication(p, value)?,
        QUALITY if has_at_least(p, value, 2) => {
            p.text(if data.u16()? == 0xc025 { ": LQR" } else { ": unknown" });
        }
        CALLBACK if has_at_least(p, value, 1) => {
            p.text(": ");
            let operation = data.u8()?;
            let name = match operation {
                0 => "UserAuth",
                1 => "DialString",
                2 => "LocalID",
                3 => "E.164",
                4 => "X.500",
                6 => "CBCP",
                _ => "Unknown",
            };
            write!(p, ": Callback Operation {name} ({operation})");
        }
        ENDPOINT if has_at_least(p, value, 1) => print_endpoint(p, value)?,
        DISCRIMINATOR if has_len(p, value, 2) => write!(p, ": 0x{:04x}", data.u16()?),
        9 | 10 | 11 | 20 | 21 | 24..=29 => print_unknown(p, value),
        _ => {}
    }
    Ok(())
}

fn print_authentication(p: &mut Printer<'_>, value: Layer<'_>) -> Printed {
    let mut data = cursor(value);
    let protocol = data.u16()?;
    match protocol {
        0xc023 | 0xc027 | 0xc227 | 0xc123 => write!(p, ": {}", protocol_name(protocol).unwrap_or_default()),
        0xc223 => {
            p.text(": CHAP");
            if value.len > 2 {
                match data.u8()? {
                    5 => p.text(", MD5"),
                    0x80 => p.text(", MS-CHAPv1"),
                    0x81 => p.text(", MS-CHAPv2"),
                    other => write!(p, ", Unknown Auth Alg {other}"),
                }
            }
        }
        _ => {
            // tcpdump's format lacks the percent sign.
            p.text(": Unknown Auth Proto (0x04x)");
            if p.style.verbosity < 2 {
                let len = value.len as u8 + 2;
                let bytes: Vec<u8> = [&[AUTHENTICATION, len], value.bytes].concat();
                p.hex("\n\t", &bytes);
            }
        }
    }
    Ok(())
}

/// Prints what identifies a system (RFC 1990 §5.1.3).
fn print_endpoint(p: &mut Printer<'_>, value: Layer<'_>) -> Printed {
    let mut data = cursor(value);
    let class = data.u8()?;
    match class {
        0 => p.text(": Null"),
        1 => p.text(": Local"),
        2 if has_len(p, value, 5) => write!(p, ": IPv4 {}", Ipv4::read(&mut data)?),
        3 if has_len(p, value, 7) => write!(p, ": MAC {}", Mac(data.take(6)?)),
        2 | 3 => {}
        4 => p.text(": Magic-Num-Block"),
        5 => p.text(": PSNDN"),
        _ => write!(p, ": Unknown class {class}"),
    }
    Ok(())
}

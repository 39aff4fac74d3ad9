//! Traffic and what is reserved for it, as integrated services describe them (RFC 2210, RFC 2215).

use std::fmt;

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;
use crate::decode::routing::gmpls;

/// A number with up to ten significant digits, as C's `%.10g` writes it.
pub(super) struct General(pub(super) f64);

impl fmt::Display for General {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() {
            return f.write_str(if self.0.is_sign_negative() { "-nan" } else { "nan" });
        }
        if !self.0.is_finite() || self.0 == 0.0 {
            return if self.0 == 0.0 { f.write_str("0") } else { write!(f, "{}", self.0) };
        }
        // The exponent after rounding to the digits decides between the two notations.
        let scientific = format!("{:.9e}", self.0);
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let trimmed = |text: &str| {
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text.to_owned()
            }
        };
        if (-4..10).contains(&exponent) {
            let decimals = usize::try_from(9 - exponent).unwrap_or(0);
            f.write_str(&trimmed(&format!("{:.decimals$}", self.0)))
        } else {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(f, "{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
        }
    }
}

/// Prints an object with services and their parameters.
pub(super) fn print(p: &mut Printer<'_>, mut body: Cursor<'_>, indent: &str) -> Printed {
    if body.rest().len() < 4 {
        return Ok(());
    }
    let version = body.u8()? >> 4;
    body.skip(1)?;
    let words = body.u16()?;
    write!(p, "{indent}Msg-Version: {version}, length: {}", u32::from(words) * 4);
    while body.rest().len() >= 4 {
        let (service, flags) = (body.u8()?, body.u8()?);
        let len = usize::from(body.u16()?) * 4;
        let name = match service {
            1 => "Default/Global Information",
            2 => "Guaranteed Service",
            5 => "Controlled Load",
            _ => "unknown",
        };
        let not = if flags & 0x80 == 0 { "not " } else { "" };
        write!(p, "{indent}Service Type: {name} ({service}), break bit {not}set, Service length: {len}");
        let taken = len.min(body.rest().len());
        print_parameters(p, Cursor::new("rsvp", body.take(taken)?), indent)?;
    }
    Ok(())
}

fn print_parameters(p: &mut Printer<'_>, mut body: Cursor<'_>, indent: &str) -> Printed {
    while body.rest().len() >= 4 {
        let (kind, flags) = (body.u8()?, body.u8()?);
        let len = usize::from(body.u16()?) * 4;
        let name = match kind {
            4 => "IS hop cnt",
            6 => "Path b/w estimate",
            8 => "Minimum path latency",
            10 => "Composed MTU",
            127 => "Token Bucket TSpec",
            130 => "Guaranteed Service RSpec",
            133 => "End-to-end composed value for C",
            134 => "End-to-end composed value for D",
            135 => "Since-last-reshaping point composed C",
            136 => "Since-last-reshaping point composed D",
            _ => "unknown",
        };
        write!(p, "{indent}  Parameter ID: {name} ({kind}), length: {len}, Flags: [0x{flags:02x}]");
        if len > body.rest().len() {
            return Ok(());
        }
        let bytes = body.take(len)?;
        let mut value = Cursor::new("rsvp", bytes);
        let inner = format!("{indent}    ").replace("\t        ", "\t\t");
        match kind {
            4 if len >= 4 => write!(p, "{inner}IS hop count: {}", value.u32()?),
            6 if len >= 4 => {
                write!(p, "{inner}Path b/w estimate: {} Mbps", General(gmpls::megabits(value.u32()?)));
            }
            8 if len >= 4 => {
                p.text(&inner);
                p.text("Minimum path latency: ");
                match value.u32()? {
                    u32::MAX => p.text("don't care"),
                    latency => write!(p, "{latency}"),
                }
            }
            10 if len >= 4 => write!(p, "{inner}Composed MTU: {} bytes", value.u32()?),
            127 if len >= 20 => {
                let [rate, size, peak] = [value.u32()?, value.u32()?, value.u32()?];
                write!(p, "{inner}Token Bucket Rate: {} Mbps", General(gmpls::megabits(rate)));
                write!(p, "{inner}Token Bucket Size: {} bytes", General(f32::from_bits(size).into()));
                write!(p, "{inner}Peak Data Rate: {} Mbps", General(gmpls::megabits(peak)));
                write!(p, "{inner}Minimum Policed Unit: {} bytes", value.u32()?);
                write!(p, "{inner}Maximum Packet Size: {} bytes", value.u32()?);
            }
            130 if len >= 8 => {
                write!(p, "{inner}Rate: {} Mbps", General(gmpls::megabits(value.u32()?)));
                write!(p, "{inner}Slack Term: {}", value.u32()?);
            }
            133..=136 if len >= 4 => write!(p, "{inner}Value: {}", value.u32()?),
            4 | 6 | 8 | 10 | 127 | 130 | 133..=136 => {}
            _ if p.style.verbosity <= 1 => p.hex(&inner, bytes),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_writes_them() {
        for (number, text) in [
            (8.0, "8"),
            (800.0, "800"),
            (0.0, "0"),
            (7.999_999_98e-6, "7.99999998e-06"),
            (8.000_000_093e-7, "8.000000093e-07"),
            (0.800_000_011_9, "0.8000000119"),
            (f64::INFINITY, "inf"),
            (1e12, "1e+12"),
        ] {
            assert_eq!(General(number).to_string(), text);
        }
    }
}

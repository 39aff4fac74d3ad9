//! Multicast listener discovery: `MLDv1` (RFC 2710) and `MLDv2` (RFC 3810).

use crate::decode::address::Ipv6;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::group_records;
use crate::decode::printer::Printer;

pub(in crate::decode) const QUERY: u8 = 130;
pub(in crate::decode) const REPORT: u8 = 131;
pub(in crate::decode) const DONE: u8 = 132;
pub(in crate::decode) const REPORT_V2: u8 = 143;

const V1: usize = 24;
const V2_QUERY: usize = 28;

/// Prints an MLD message; `layer` begins with its ICMPv6 header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, kind: u8, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.skip(4).cursor("icmp6");
    match kind {
        QUERY => {
            p.text("multicast listener query");
            match layer.len {
                V1 => {
                    print_v1(p, &mut cursor);
                    Ok(())
                }
                len if len >= V2_QUERY => print_query(p, &mut cursor),
                _ => {
                    write!(p, " unknown-version (len {}) ", layer.len);
                    Ok(())
                }
            }
        }
        REPORT => {
            p.text("multicast listener report");
            print_v1(p, &mut cursor);
            Ok(())
        }
        DONE => {
            p.text("multicast listener done");
            print_v1(p, &mut cursor);
            Ok(())
        }
        _ => {
            p.text("multicast listener report v2");
            print_report(p, &mut cursor)
        }
    }
}

/// Prints the fields of version 1; nothing if the message was cut.
fn print_v1(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) {
    let fields = (|| Ok::<_, Truncated>((cursor.u32()?, Ipv6::read(cursor)?)))();
    if let Ok((delay, group)) = fields {
        write!(p, "max resp delay: {} addr: {group}", delay >> 16);
    }
}

fn print_query(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let code = cursor.u16()?;
    p.text(" v2");
    cursor.skip(2)?;
    if p.verbose() {
        // RFC 3810 §5.1.3: above 32767 the code is a floating-point number.
        let delay = if code < 0x8000 {
            u32::from(code)
        } else {
            u32::from(code & 0xfff | 0x1000) << ((code >> 12 & 7) + 3)
        };
        write!(p, " [max resp delay={delay}]");
    }
    let group = Ipv6::read(cursor)?;
    write!(p, " [gaddr {group}");
    let flags = cursor.u8()?;
    if p.verbose() {
        if flags & 8 != 0 {
            p.text(" sflag");
        }
        if flags & 7 != 0 {
            write!(p, " robustness={}", flags & 7);
        }
    }
    let interval = cursor.u8()?;
    if p.verbose() && interval != 0 {
        // RFC 3810 §5.1.9: above 127 the code is a floating-point number.
        let seconds = if interval < 128 {
            u32::from(interval)
        } else {
            u32::from(interval & 15 | 16) << ((interval >> 4 & 7) + 3)
        };
        write!(p, " qqi={seconds}");
    }
    let sources = cursor.u16()?;
    if sources > 0 {
        if p.style.verbosity > 1 {
            group_records::print_sources(p, cursor, sources, Ipv6::read)?;
        } else {
            write!(p, ", {sources} source(s)");
        }
    }
    p.text("]");
    Ok(())
}

fn print_report(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    cursor.skip(2)?;
    group_records::print(p, cursor, "v2-report", Ipv6::read)
}

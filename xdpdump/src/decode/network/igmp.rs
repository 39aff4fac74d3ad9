//! IGMP (RFC 1112, RFC 2236, RFC 3376).

use crate::decode::address::Ipv4;
use crate::decode::checksum::Checksum;
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::network::group_records;
use crate::decode::printer::Printer;
use crate::decode::routing::{dvmrp, pim_v1};

const QUERY: u8 = 0x11;
const REPORT_V1: u8 = 0x12;
/// Types of routing protocols that use IGMP messages; only their names are printed.
const DVMRP: u8 = 0x13;
const PIM_V1: u8 = 0x14;
const REPORT_V2: u8 = 0x16;
const LEAVE: u8 = 0x17;
const REPORT_V3: u8 = 0x22;

/// Prints an IGMP message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    if p.style.quiet {
        p.text("igmp");
        return Ok(());
    }
    let mut cursor = layer.cursor("igmp");
    let kind = cursor.u8()?;
    match kind {
        QUERY => {
            p.text("igmp query");
            print_query(p, &mut cursor, layer.len)?;
        }
        REPORT_V1 | REPORT_V2 | LEAVE => {
            cursor.skip(3)?;
            let group = Ipv4::read(&mut cursor)?;
            let what = match kind {
                REPORT_V1 => "v1 report",
                REPORT_V2 => "v2 report",
                _ => "leave",
            };
            write!(p, "igmp {what} {group}");
            if layer.len != 8 && kind != LEAVE {
                write!(p, " [len {}]", layer.len);
            }
        }
        REPORT_V3 => {
            p.text("igmp v3 report");
            print_report(p, &mut cursor)?;
        }
        DVMRP => {
            p.text("igmp dvmrp");
            dvmrp::print(p, layer)?;
        }
        PIM_V1 => {
            p.text("igmp pimv1");
            pim_v1::print(p, layer)?;
        }
        _ => write!(p, "igmp-{kind}"),
    }
    if p.verbose()
        && let Some(bytes) = layer.bytes.get(..layer.len)
        && Checksum::default().add(bytes).finish() != 0
    {
        let field = layer.skip(2).cursor("igmp").u16()?;
        write!(p, " bad igmp cksum {field:x}!");
    }
    Ok(())
}

/// Minimum length of a version 3 query; shorter queries are of version 1 or 2 (RFC 3376 §7.1).
const V3_QUERY: usize = 12;

/// RFC 3376 §4.1.1: codes above 127 are floating-point numbers, of tenths of a second.
fn print_query(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    if len >= V3_QUERY {
        p.text(" v3");
    }
    let code = cursor.u8()?;
    if len < V3_QUERY {
        let version = if code == 0 { "v1" } else { "v2" };
        write!(p, " {version}");
        if code != 0 && code != 100 {
            write!(p, " [max resp time {code}]");
        }
        cursor.skip(2)?;
        let group = Ipv4::read(cursor)?;
        if group.0 != [0; 4] {
            write!(p, " [gaddr {group}]");
        }
        if len != 8 {
            write!(p, " [len {len}]");
        }
        return Ok(());
    }
    let tenths =
        if code < 128 { u32::from(code) } else { u32::from(code & 15 | 16) << ((code >> 4 & 7) + 3) };
    if tenths != 100 {
        p.text(" [max resp time ");
        if tenths >= 600 {
            write!(p, "{}m{}s", tenths / 600, tenths / 10 % 60);
        } else if tenths < 10 {
            write!(p, "0.{tenths}s");
        } else {
            write!(p, "{}.{}s", tenths / 10, tenths % 10);
        }
        p.text("]");
    }
    cursor.skip(2)?;
    let group = Ipv4::read(cursor)?;
    if group.0 == [0; 4] {
        return Ok(());
    }
    write!(p, " [gaddr {group}");
    cursor.skip(2)?;
    let sources = cursor.u16()?;
    if sources > 0 && p.style.verbosity > 1 {
        group_records::print_sources(p, cursor, sources, Ipv4::read)?;
    } else if sources > 0 {
        write!(p, ", {sources} source(s)");
    }
    p.text("]");
    Ok(())
}

fn print_report(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    cursor.skip(5)?;
    group_records::print(p, cursor, "v3-report", Ipv4::read)
}

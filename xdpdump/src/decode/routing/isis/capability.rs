//! Capabilities of a router (RFC 7981), segment routing (RFC 8667).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Element, Field, Printed};
use crate::decode::printer::Printer;

const FLAGS: [(u32, &str); 2] = [(0x01, "S bit"), (0x02, "D bit")];
const SEGMENT_ROUTING: u8 = 2;
const SEGMENT_ROUTING_FLAGS: [(u32, &str); 2] = [(0x80, "ipv4"), (0x40, "ipv6")];

/// Prints the value of the element.
pub(super) fn print(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let len = value.rest().len();
    if len < 5 {
        write!(p, " [object length {len} < 5] (invalid)");
        return Ok(());
    }
    write!(p, "\n\t      Router-ID {}", Ipv4::read(value)?);
    let flags = value.u8()?;
    p.text(", Flags [");
    p.flags(u32::from(flags), &FLAGS, ", ");
    p.text("]");
    while value.rest().len() >= 2 {
        let (kind, len) = (value.u8()?, usize::from(value.u8()?));
        let name = if kind == SEGMENT_ROUTING { "SR-Capabilities" } else { "unknown" };
        write!(p, "\n\t\t{name} subTLV #{kind}, length: {len}");
        if len > value.rest().len() {
            break;
        }
        let mut inner = Cursor::new("isis", value.take(len)?);
        if kind == SEGMENT_ROUTING {
            print_segment_routing(p, &mut inner)?;
        } else {
            p.hex("\n\t\t", inner.rest());
        }
    }
    Ok(())
}

/// Prints the first range of labels.
fn print_segment_routing(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if value.rest().len() < 4 {
        return Ok(());
    }
    let flags = value.u8()?;
    p.text(", Flags [");
    p.flags(u32::from(flags), &SEGMENT_ROUTING_FLAGS, ", ");
    write!(p, "], Range {}", value.u24()?);
    let Ok((1, mut label)) = value.element(Element { field: Field::Byte, counts_header: false }) else {
        return Ok(());
    };
    match label.rest().len() {
        3 => write!(p, ", SID value {}", label.u24()?),
        4 => write!(p, ", SID value {}", label.u32()?),
        len => write!(p, ", Unknown SID length{len}"),
    }
    Ok(())
}

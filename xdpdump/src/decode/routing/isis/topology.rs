//! Topologies (RFC 5120) and shortest path bridging (RFC 6329).

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;

const FLAGS: [(u32, &str); 2] = [(0x4000, "ATT bit set"), (0x8000, "Overload bit set")];

/// Prints a topology's number.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let field = cursor.u16()?;
    let number = field & 0xfff;
    let name = match number {
        0 => "IPv4 unicast",
        1 => "In-Band Management",
        2 => "IPv6 unicast",
        3 => "Multicast",
        0xfff => "Development, Experimental or Proprietary",
        _ => "Reserved for IETF Consensus",
    };
    write!(p, "\n\t      {name} Topology (0x{number:03x}), Flags: [");
    p.flags(u32::from(field), &FLAGS, ", ");
    p.text("]");
    Ok(())
}

/// Prints the capabilities of a port (element 143) or of a topology (144).
pub(super) fn print_capability(p: &mut Printer<'_>, kind: u8, value: &mut Cursor<'_>) -> Printed {
    if value.rest().len() < 2 {
        return Ok(());
    }
    let field = value.u16()?;
    if kind == 143 {
        write!(p, "\n\t       RES: {}, MTID(s): {}", field >> 12, field & 0xfff);
    } else {
        write!(p, "\n\t      O: {}, RES: {}", field >> 15, field >> 12 & 7);
        write!(p, ", MTID(s): {}", field & 0xfff);
    }
    while value.rest().len() > 2 || (kind == 143 && value.rest().len() == 2) {
        let (sub, len) = (value.u8()?, usize::from(value.u8()?));
        let name = match (kind, sub) {
            (143, 4) => "SPB MCID",
            (143, 5) => "SPB Digest",
            (143, 6) => "SPB BVID",
            (144, 1) => "SPB Instance",
            (144, 3) => "SPBM Service Identifier and Unicast Address",
            _ => "unknown",
        };
        let indent = if kind == 143 { "\n\t       " } else { "\n\t      " };
        write!(p, "{indent}{name} subTLV #{sub}, length: {len}");
        if len > value.rest().len() {
            p.text(" (> containing TLV length)");
            return Ok(());
        }
        let mut inner = Cursor::new("isis", value.take(len)?);
        let shortest = match (kind, sub) {
            (143, 4) => 102,
            (143, 5) => 33,
            (143, 6) => 6,
            (144, 1) => 19,
            _ => 0,
        };
        if len < shortest {
            p.text(" (too short)");
            continue;
        }
        match (kind, sub) {
            (143, 4) => {
                p.text("\n\t         MCID: ");
                print_configuration(p, &mut inner)?;
                p.text("\n\t         AUX-MCID: ");
                print_configuration(p, &mut inner)?;
            }
            (143, 5) => print_digest(p, &mut inner)?,
            (143, 6) => {
                while inner.rest().len() >= 6 {
                    write!(p, "\n\t           ECT: {:08x}", inner.u32()?);
                    let field = inner.u16()?;
                    write!(p, " BVID: {}, U:{:x} M:{:x} ", field >> 4, field >> 3 & 1, field >> 2 & 1);
                }
            }
            (144, 1) => print_instance(p, &mut inner)?,
            (144, 3) => print_services(p, &mut inner)?,
            _ => {}
        }
    }
    Ok(())
}

/// Prints the identifier of a spanning tree configuration (IEEE 802.1Q §13.8).
fn print_configuration(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    write!(p, "ID: {}, Name: ", value.u8()?);
    let name = value.take(32)?;
    p.escaped_until_nul(name);
    write!(p, "\n\t              Lvl: {}, Digest: ", value.u16()?);
    for byte in value.take(16)? {
        write!(p, "{byte:02x} ");
    }
    Ok(())
}

fn print_digest(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let flags = value.u8()?;
    let (valid, convention, digest) = (flags >> 4 & 1, flags >> 2 & 3, flags & 3);
    write!(p, "\n\t        RES: {} V: {valid} A: {convention} D: {digest}", flags >> 5);
    p.text("\n\t         Digest: ");
    for i in 0..8 {
        if i == 4 {
            p.text("\n\t                 ");
        }
        write!(p, "{:08x} ", value.u32()?);
    }
    Ok(())
}

fn print_instance(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    write!(p, "\n\t        CIST Root-ID: {:08x} {:08x}", value.u32()?, value.u32()?);
    write!(p, ", Path Cost: {:08x}, Prio: {}", value.u32()?, value.u16()?);
    let field = value.u32()?;
    write!(p, "\n\t        RES: {}, V: {}", field >> 21, field >> 20 & 1);
    let trees = value.u8()?;
    write!(p, ", SPSource-ID: {}, No of Trees: {trees:x}", field & 0xf_ffff);
    for _ in 0..trees {
        value.need(8)?;
        let flags = value.u8()?;
        write!(p, "\n\t         U:{}, M:{}, A:{}", flags >> 7, flags >> 6 & 1, flags >> 5 & 1);
        write!(p, ", RES:{}, ECT: {:08x}", flags & 0x1f, value.u32()?);
        let vids = value.u24()?;
        write!(p, ", BVID: {}, SPVID: {}", vids >> 12, vids & 0xfff);
    }
    Ok(())
}

fn print_services(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    value.need(8)?;
    write!(p, "\n\t        BMAC: {:08x}{:04x}", value.u32()?, value.u16()?);
    let field = value.u16()?;
    write!(p, ", RES: {}, VID: {}", field >> 12, field & 0xfff);
    while value.rest().len() >= 4 {
        let field = value.u32()?;
        write!(p, "\n\t        T: {}, R: {}", field >> 31, field >> 30 & 1);
        write!(p, ", RES: {}, ISID: {}", field >> 24 & 0x3f, field & 0xff_ffff);
    }
    Ok(())
}

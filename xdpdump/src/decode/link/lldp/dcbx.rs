//! Data centre bridging exchange before it became part of IEEE 802.1Q (revision 1.01).

use super::{Hex, print_subtype};
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;

const CONTROL: u16 = 1;
const GROUPS: u16 = 2;
const FLOW_CONTROL: u16 = 3;
const APPLICATIONS: u16 = 4;

/// Prints an element after its subtype.
pub(super) fn print(p: &mut Printer<'_>, subtype: u8, cursor: &mut Cursor<'_>) -> Result<Hex, Truncated> {
    let name = match subtype {
        1 => Some("DCB Capability Exchange Protocol Rev 1"),
        2 => Some("DCB Capability Exchange Protocol Rev 1.01"),
        _ => None,
    };
    print_subtype(p, name, subtype);
    match subtype {
        1 => return Ok(true),
        2 => {}
        _ => return Ok(false),
    }
    let mut hex = false;
    while let Ok(head) = cursor.u16() {
        let (kind, len) = (head >> 9, usize::from(head & 0x1ff));
        // What is too short or too long ends the list.
        let Ok(whole) = cursor.take(len) else { break };
        let mut value = Cursor::new("lldp", whole);
        match (kind, len) {
            (CONTROL, 10..) => control(p, &mut value, len)?,
            (GROUPS, 17..) => {
                write!(p, "\n\t    Feature - Priority Group (type 0x{kind:x}, length {len})");
                groups(p, &mut value)?;
            }
            (FLOW_CONTROL, 6..) => {
                write!(p, "\n\t    Feature - Priority Flow Control (type 0x{kind:x}, length {len})");
                flow_control(p, &mut value)?;
            }
            (APPLICATIONS, 4..) => {
                write!(p, "\n\t    Feature - Application (type 0x{kind:x}, length {len})");
                applications(p, &mut value)?;
            }
            (CONTROL..=APPLICATIONS, _) => break,
            _ => hex = true,
        }
        if p.style.verbosity > 1 || kind == 0 || kind > APPLICATIONS {
            p.hex("\n\t    ", whole);
        }
    }
    Ok(hex)
}

fn versions(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    write!(p, "\n\t      Oper_Version: {}\n\t      Max_Version: {}", cursor.u8()?, cursor.u8()?);
    Ok(())
}

fn control(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Result<(), Truncated> {
    write!(p, "\n\t    Control - Protocol Control (type 0x{CONTROL:x}, length {len})");
    versions(p, cursor)?;
    write!(p, "\n\t      Sequence Number: {}", cursor.u32()?);
    write!(p, "\n\t      Acknowledgement Number: {}", cursor.u32()?);
    Ok(())
}

/// Prints what every feature begins with.
fn feature(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    versions(p, cursor)?;
    let info = cursor.u8()?;
    write!(p, "\n\t      Info block(0x{info:02X}): Enable bit: {}, ", info >> 7);
    write!(p, "Willing bit: {}, Error Bit: {}", info >> 6 & 1, info >> 5 & 1);
    write!(p, "\n\t      SubType: {}", cursor.u8()?);
    Ok(())
}

fn groups(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    feature(p, cursor)?;
    p.text("\n\t      Priority Allocation");
    let groups = cursor.u32()?;
    for priority in 0..8 {
        write!(p, "\n\t          PgId_{priority}: {}", groups >> (28 - 4 * priority) & 15);
    }
    p.text("\n\t      Priority Group Allocation");
    for (group, share) in cursor.array::<8>()?.iter().enumerate() {
        write!(p, "\n\t          Pg percentage[{group}]: {share}");
    }
    write!(p, "\n\t      NumTCsSupported: {}", cursor.u8()?);
    Ok(())
}

fn flow_control(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    feature(p, cursor)?;
    let enabled = cursor.u8()?;
    write!(p, "\n\t      PFC Config (0x{enabled:02X})");
    for priority in 0..8 {
        let state = if enabled >> priority & 1 == 0 { "Disabled" } else { "Enabled" };
        write!(p, "\n\t          Priority Bit {priority}: {state}");
    }
    write!(p, "\n\t      NumTCPFCSupported: {}", cursor.u8()?);
    Ok(())
}

fn applications(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    feature(p, cursor)?;
    while cursor.rest().len() >= 6 {
        write!(
            p,
            "\n\t      Application Value\n\t          Application Protocol ID: 0x{:04x}",
            cursor.u16()?
        );
        let organization = cursor.u24()?;
        // The upper two bits of the first byte select the kind of identifier.
        let selector = organization >> 22;
        let kind = if selector == 0 { "L2 EtherType" } else { "Socket Number" };
        write!(p, "\n\t          SF (0x{selector:x}) Application Protocol ID is {kind}");
        write!(p, "\n\t          OUI: 0x{:06x}", organization & 0x3f_ffff);
        write!(p, "\n\t          User Priority Map: 0x{:02x}", cursor.u8()?);
    }
    Ok(())
}

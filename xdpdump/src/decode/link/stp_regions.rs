//! Messages of spanning tree with regions: MSTP (IEEE 802.1s) and shortest path bridging (802.1aq).

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::link::stp;
use crate::decode::printer::Printer;

/// Offset of the length of version 3, which counts what follows it.
const VERSION_3: usize = 36;
/// Bytes of version 3 before the messages of the instances.
const COMMON: usize = 64;
/// Bytes of an instance's message.
const INSTANCE: usize = 16;
/// The shortest part of 802.1aq, with its length field.
const VERSION_4_LEN: usize = 87;

/// Prints a message; `layer` begins with its protocol identifier.
pub(in crate::decode) fn print(p: &mut Printer<'_>, shortest_path: bool, layer: Layer<'_>) -> Printed {
    let version_3 = usize::from(layer.skip(VERSION_3).cursor("stp").u16()?);
    let end = VERSION_3 + 2 + version_3;
    if layer.len < end {
        p.text(" (invalid)");
        return Ok(());
    }
    let mut cursor = layer.skip(4).cursor("stp");
    let flags = cursor.u8()?;
    p.text(", CIST Flags [");
    stp::print_flags(p, flags);
    write!(p, "], length {}", layer.len);
    if p.verbose() {
        print_common(p, flags, &mut cursor)?;
        print_instances(p, layer.skip(VERSION_3 + 2 + COMMON), version_3.saturating_sub(COMMON))?;
    }
    if !shortest_path {
        return Ok(());
    }
    let part = layer.skip(end);
    let mut cursor = part.cursor("stp");
    let version_4 = usize::from(cursor.u16()?) + 2;
    if part.len < version_4 || version_4 < VERSION_4_LEN {
        p.text(" (invalid)");
        return Ok(());
    }
    if p.verbose() {
        write!(p, "\n\tv4len {}, ", version_4 - 2);
        print_shortest_path(p, &mut cursor)?;
    }
    Ok(())
}

fn print_common(p: &mut Printer<'_>, flags: u8, cursor: &mut Cursor<'_>) -> Printed {
    write!(p, "\n\tport-role {}, CIST root-id ", stp::role(flags));
    stp::print_bridge(p, cursor.array()?);
    write!(p, ", CIST ext-pathcost {}", cursor.u32()?);
    p.text("\n\tCIST regional-root-id ");
    stp::print_bridge(p, cursor.array()?);
    write!(p, ", CIST port-id {:04x},", cursor.u16()?);
    stp::print_timers(p, cursor)?;
    cursor.skip(1)?;
    write!(p, "\n\tv3len {}, ", cursor.u16()?);
    print_configuration(p, "MCID", "rev", cursor)?;
    write!(p, ", CIST int-root-pathcost {},", cursor.u32()?);
    p.text("\n\tCIST bridge-id ");
    stp::print_bridge(p, cursor.array()?);
    write!(p, ", CIST remaining-hops {}", cursor.u8()?);
    Ok(())
}

/// Prints a configuration identifier: selector, name, revision and digest.
fn print_configuration(p: &mut Printer<'_>, name: &str, revision: &str, cursor: &mut Cursor<'_>) -> Printed {
    cursor.skip(1)?;
    write!(p, "{name} Name ");
    let field = cursor.rest().get(..32).unwrap_or(cursor.rest());
    p.escaped_until_nul(field);
    cursor.skip(32)?;
    cursor.need(18)?;
    write!(p, ", {revision} {},\n\t\tdigest ", cursor.u16()?);
    p.digits(cursor.take(16)?);
    Ok(())
}

/// Prints the messages of the instances in `len` bytes.
fn print_instances(p: &mut Printer<'_>, layer: Layer<'_>, len: usize) -> Printed {
    let mut cursor = layer.cursor("stp");
    while cursor.at() + INSTANCE <= len {
        let flags = cursor.u8()?;
        let root = cursor.array::<8>()?;
        write!(p, "\n\tMSTI {}, Flags [", u16::from_be_bytes([root[0], root[1]]) & 0xfff);
        stp::print_flags(p, flags);
        write!(p, "], port-role {}", stp::role(flags));
        p.text("\n\t\tMSTI regional-root-id ");
        stp::print_bridge(p, root);
        write!(p, ", pathcost {}", cursor.u32()?);
        let (bridge, port, hops) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
        write!(p, "\n\t\tMSTI bridge-prio {}, port-prio {}, hops {hops}", bridge >> 4, port >> 4);
    }
    Ok(())
}

/// Prints the part of 802.1aq after its length field.
fn print_shortest_path(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    print_configuration(p, "AUXMCID", "Rev", cursor)?;
    let [agreement, _, format, convention] = cursor.array()?;
    write!(p, "\n\tAgreement num {}, ", agreement >> 6);
    write!(p, "Discarded Agreement num {}, ", agreement >> 4 & 3);
    write!(p, "Agreement valid-flag {},", agreement >> 3 & 1);
    write!(p, "\n\tRestricted role-flag: {}, ", agreement >> 2 & 1);
    write!(p, "Format id {} cap {format}, ", format >> 4);
    write!(p, "Convention id {} cap {convention},", convention >> 4);
    write!(p, "\n\tEdge count {}, Agreement digest ", cursor.u16()?);
    cursor.skip(8)?;
    p.digits(cursor.take(20)?);
    Ok(())
}

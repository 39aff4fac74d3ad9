//! Elements of IEEE 802.1 (802.1AB annex D; 802.1Q annex D for bridging of data centres).

use super::{Hex, print_aggregation, print_subtype};
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;

const PORT_PROTOCOL: [(u32, &str); 2] = [(2, "supported"), (4, "enabled")];

/// Prints an element after its subtype. One that is too short has only its name.
pub(super) fn print(p: &mut Printer<'_>, subtype: u8, cursor: &mut Cursor<'_>) -> Hex {
    let name = name(subtype);
    print_subtype(p, name, subtype);
    let printed = match subtype {
        1 => vlan(p, cursor),
        2 => protocol_vlan(p, cursor),
        3 => vlan_name(p, cursor),
        4 => protocol(p, cursor),
        7 => print_aggregation(p, cursor),
        8 => congestion(p, cursor),
        9 => transmission(p, cursor, true),
        10 => transmission(p, cursor, false),
        11 => flow_control(p, cursor),
        12 => applications(p, cursor),
        13 => virtual_bridging(p, cursor),
        14 => channels(p, cursor),
        _ => return true,
    };
    // Nothing was printed before the error: the length is checked first.
    printed.is_err() && name.is_none()
}

fn name(subtype: u8) -> Option<&'static str> {
    Some(match subtype {
        1 => "Port VLAN Id",
        2 => "Port and Protocol VLAN ID",
        3 => "VLAN name",
        4 => "Protocol Identity",
        7 => "Link aggregation",
        8 => "Congestion Notification",
        9 => "ETS Configuration",
        10 => "ETS Recommendation",
        11 => "Priority Flow Control Configuration",
        12 => "Application Priority",
        13 => "EVB",
        14 => "CDCP",
        _ => return None,
    })
}

fn vlan(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    write!(p, "\n\t    port vlan id (PVID): {}", cursor.u16()?);
    Ok(())
}

fn protocol_vlan(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let (flags, vlan) = (cursor.u8()?, cursor.u16()?);
    write!(p, "\n\t    port and protocol vlan id (PPVID): {vlan}, flags [");
    p.flags(u32::from(flags), &PORT_PROTOCOL, ", ");
    write!(p, "] (0x{flags:02x})");
    Ok(())
}

fn vlan_name(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    write!(p, "\n\t    vlan id (VID): {}", cursor.u16()?);
    let len = usize::from(cursor.u8()?);
    let name = cursor.take(len)?;
    p.text("\n\t    vlan name: ");
    p.escaped_until_nul(name);
    Ok(())
}

fn protocol(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let len = usize::from(cursor.u8()?);
    let identity = cursor.take(len)?;
    p.text("\n\t    protocol identity: ");
    p.escaped_until_nul(identity);
    Ok(())
}

/// Prints one bit for each priority.
fn bits(p: &mut Printer<'_>, title: &str, value: u8) {
    write!(p, "\n\t    {title}\n\t     Priority : 0  1  2  3  4  5  6  7\n\t     Value    : ");
    for priority in 0..8 {
        write!(p, "{:<2} ", value >> priority & 1);
    }
}

fn congestion(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let [indicator, ready] = cursor.array()?;
    bits(p, "Pre-Priority CNPV Indicator", indicator);
    bits(p, "Pre-Priority Ready Indicator", ready);
    Ok(())
}

/// Prints enhanced transmission selection.
fn transmission(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, configured: bool) -> Result<(), Truncated> {
    let [first, assignment @ ..]: [u8; 21] = cursor.array()?;
    if configured {
        write!(p, "\n\t    Willing:{}, CBS:{}, ", first >> 7, first >> 6 & 2);
        write!(p, "RES:{}, Max TCs:{}", first >> 3 & 7, first & 7);
    } else {
        write!(p, "\n\t    RES: {first}");
    }
    let (priorities, rest) = assignment.split_at(4);
    let (bandwidths, algorithms) = rest.split_at(8);
    p.text("\n\t    Priority Assignment Table");
    p.text("\n\t     Priority : 0   1   2   3   4   5   6   7\n\t     Value    : ");
    columns(p, priorities.iter().flat_map(|pair| [pair >> 4, pair & 15]));
    p.text("\n\t    TC Bandwidth Table");
    p.text("\n\t     TC%   : 0   1   2   3   4   5   6   7\n\t     Value : ");
    columns(p, bandwidths.iter().copied());
    p.text("\n\t    TSA Assignment Table");
    p.text("\n\t     Traffic Class: 0   1   2   3   4   5   6   7\n\t     Value        : ");
    columns(p, algorithms.iter().copied());
    Ok(())
}

fn columns(p: &mut Printer<'_>, values: impl Iterator<Item = u8>) {
    for (i, value) in values.enumerate() {
        write!(p, "{}{value:<3}", if i == 0 { "" } else { " " });
    }
}

fn flow_control(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let [first, enabled] = cursor.array()?;
    write!(p, "\n\t    Willing: {}, MBC: {}, ", first >> 7, first >> 6 & 1);
    write!(p, "RES: {}, PFC cap:{} ", first >> 4 & 3, first & 15);
    bits(p, "PFC Enable", enabled);
    Ok(())
}

fn applications(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    write!(p, "\n\t    RES: {}", cursor.u8()?);
    if cursor.rest().len() < 3 {
        return Ok(());
    }
    p.text("\n\t    Application Priority Table");
    while let Ok([first, high, low]) = cursor.array() {
        write!(p, "\n\t      Priority: {}, RES: {}, ", first >> 5, first >> 3 & 3);
        write!(p, "Sel: {}, Protocol ID: {}", first & 7, u16::from_be_bytes([high, low]));
    }
    Ok(())
}

/// Prints edge virtual bridging (IEEE 802.1Qbg).
fn virtual_bridging(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let [bridge, station, mode, delay, keep_alive] = cursor.array()?;
    p.text("\n\t    EVB Bridge Status");
    write!(p, "\n\t      RES: {}, BGID: {}, ", bridge >> 3, bridge >> 2 & 1);
    write!(p, "RRCAP: {}, RRCTR: {}", bridge >> 1 & 1, bridge & 1);
    p.text("\n\t    EVB Station Status");
    write!(p, "\n\t      RES: {}, SGID: {}, ", station >> 4, station >> 3 & 1);
    write!(p, "RRREQ: {},RRSTAT: {}", station >> 2 & 1, station & 3);
    write!(p, "\n\t    R: {}, RTE: {}, EVB Mode: ", mode >> 5, mode & 31);
    p.text(match delay >> 6 {
        0 => "Not Supported [0]",
        1 => "EVB Bridge [1]",
        2 => "EVB Station [2]",
        _ => "Reserved for future Standardization [3]",
    });
    write!(p, "\n\t    ROL: {}, RWD: {}, ", delay >> 5 & 1, delay & 31);
    write!(p, "RES: {}, ROL: {}, RKA: {}", keep_alive >> 6, keep_alive >> 5 & 1, keep_alive & 31);
    Ok(())
}

/// Prints the channels of S-VLANs (IEEE 802.1Qbg).
fn channels(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<(), Truncated> {
    let (role, _, capacity) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    write!(p, "\n\t    Role: {}, RES: {}, Scomp: {} ", role >> 7, role >> 4 & 7, role >> 3 & 1);
    write!(p, "ChnCap: {}", capacity & 0xfff);
    // A list that does not end with a whole pair is not printed.
    if !cursor.rest().len().is_multiple_of(3) {
        return Ok(());
    }
    while let Ok(pair) = cursor.u24() {
        write!(p, "\n\t    SCID: {}, SVID: {}", pair >> 12, pair & 0xfff);
    }
    Ok(())
}

//! Lightweight access points (RFC 5412): the header, and what control messages are.

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const CONTROL_PORT: u16 = 12_223;
const CONTROL: u8 = 4;
const FLAGS: [(u32, &str); 3] = [(0x04, "Control Bit"), (0x01, "Last Fragment Bit"), (0x02, "Fragment Bit")];

/// Prints a frame to or from an access point.
pub(in crate::decode) fn print(p: &mut Printer<'_>, [src, dst]: [u16; 2], layer: Layer<'_>) -> Printed {
    let control = src == CONTROL_PORT || dst == CONTROL_PORT;
    // Only what goes to the controller begins with the access point's address.
    let identity = if dst == CONTROL_PORT { 6 } else { 0 };
    let mut cursor = layer.cursor(if control { "lwapp_control" } else { "lwapp_data" });
    let address = cursor.take(identity)?;
    let (first, fragment, len) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    cursor.need(2)?;
    cursor.skip(2)?;
    let version = first >> 6;
    if version != 0 {
        write!(p, "LWAPP version {version} packet not supported");
        return Ok(());
    }
    let kind = if first & CONTROL == 0 { "Data" } else { "Control" };
    if !p.verbose() {
        write!(p, "LWAPPv0, {kind} frame, Flags [");
        p.flags(u32::from(first & 7), &FLAGS, ", ");
        write!(p, "], length {}", layer.len);
        return Ok(());
    }
    // Data frames are written with two spaces.
    let space = if control { " " } else { "  " };
    write!(p, "LWAPPv0, {kind} frame, Radio-id{space}{}, Flags [", first >> 3 & 7);
    p.flags(u32::from(first & 7), &FLAGS, ", ");
    write!(p, "], Frag-id{space}{fragment}, length {len}");
    if !control {
        // tcpdump counts the header in the length.
        let shown = usize::from(len).saturating_sub(cursor.at());
        p.hex("\n\t", cursor.rest().get(..shown).unwrap_or(cursor.rest()));
        return Ok(());
    }
    if !address.is_empty() {
        write!(p, "\n\tAP identity: {}", Mac(address));
    }
    let mut left = usize::from(len);
    while left > 0 {
        cursor.need(8)?;
        let (kind, sequence, body) = (cursor.u8()?, cursor.u8()?, usize::from(cursor.u16()?));
        write!(p, "\n\t  Msg type: {} ({kind}), Seqnum: {sequence}", name(kind).unwrap_or("Unknown"));
        write!(p, ", Msg len: {body}, Session: 0x{:08x}", cursor.u32()?);
        if body + 8 > left {
            p.text("\n\t  Msg goes past end of PDU");
            break;
        }
        cursor.skip(body)?;
        left -= body + 8;
    }
    Ok(())
}

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "Discovery req",
        2 => "Discovery resp",
        3 => "Join req",
        4 => "Join resp",
        5 => "Join ack",
        6 => "Join confirm",
        10 => "Configure req",
        11 => "Configure resp",
        12 => "Update req",
        13 => "Update resp",
        14 => "WTP event req",
        15 => "WTP event resp",
        16 => "Change state event req",
        17 => "Change state event resp",
        22 => "Echo req",
        23 => "Echo resp",
        24 => "Image data req",
        25 => "Image data resp",
        26 => "Channel status req",
        27 => "Channel status resp",
        30 => "Key update req",
        31 => "Key update resp",
        32 => "Primary discovery req",
        33 => "Primary discovery resp",
        34 => "Data transfer req",
        35 => "Data transfer resp",
        36 => "Clear config ind",
        37 => "Wlan config req",
        38 => "Wlan config resp",
        39 => "Mobile config req",
        40 => "Mobile config resp",
        _ => return None,
    })
}

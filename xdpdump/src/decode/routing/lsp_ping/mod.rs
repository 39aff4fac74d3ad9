//! Ping of a label switched path (RFC 8029, RFC 5884).

mod elements;

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;
use crate::decode::services::ntp::Stamp;

pub(in crate::decode) const PORT: u16 = 3503;

const HEADER: usize = 32;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("lspping");
    cursor.need(HEADER)?;
    let version = cursor.u16()?;
    if version != 1 {
        write!(p, "LSP-PING version {version} packet not supported");
        return Ok(());
    }
    cursor.skip(2)?;
    let (kind, mode) = (cursor.u8()?, cursor.u8()?);
    let (code, subcode) = (cursor.u8()?, cursor.u8()?);
    let (handle, sequence) = (cursor.u32()?, cursor.u32()?);
    let name = match kind {
        1 => "MPLS Echo Request",
        2 => "MPLS Echo Reply",
        _ => "unknown",
    };
    if !p.verbose() {
        write!(p, "LSP-PINGv1, {name}");
        if name == "unknown" {
            write!(p, " ({kind})");
        }
        write!(p, ", seq {sequence}, length: {}", layer.len);
        return Ok(());
    }
    write!(p, "\n\tLSP-PINGv1, msg-type: {name} ({kind}), length: {}", layer.len);
    let name = match mode {
        1 => "Do not reply",
        2 => "Reply via an IPv4/IPv6 UDP packet",
        3 => "Reply via an IPv4/IPv6 UDP packet with Router Alert",
        4 => "Reply via application level control channel",
        _ => "unknown",
    };
    write!(p, "\n\t  reply-mode: {name} ({mode})");
    write!(p, "\n\t  Return Code: {}", return_code(code));
    // These codes say which label of the stack they are about.
    if matches!(code, 3 | 4 | 8 | 10 | 11 | 12) {
        write!(p, " {subcode}");
    }
    write!(p, " ({code})\n\t  Return Subcode: ({subcode})");
    write!(p, "\n\t  Sender Handle: 0x{handle:08x}, Sequence: {sequence}");
    p.text("\n\t  Sender Timestamp: ");
    print_time(p, &mut cursor)?;
    p.text(" Receiver Timestamp: ");
    print_time(p, &mut cursor)?;
    elements::print(p, cursor, layer.len.saturating_sub(HEADER))
}

fn return_code(code: u8) -> &'static str {
    match code {
        0 => "No return code or return code contained in the Error Code TLV",
        1 => "Malformed echo request received",
        2 => "One or more of the TLVs was not understood",
        3 => "Replying router is an egress for the FEC at stack depth",
        4 => "Replying router has no mapping for the FEC at stack depth",
        5..=7 => "Reserved",
        8 => "Label switched at stack-depth",
        9 => "Label switched but no MPLS forwarding at stack-depth",
        10 => "Mapping for this FEC is not the given label at stack depth",
        11 => "No label entry at stack-depth",
        12 => "Protocol not associated with interface at FEC stack depth",
        13 => "Premature termination of ping due to label stack shrinking to a single label",
        _ => "unknown",
    }
}

/// Prints a time, which NTP counts.
fn print_time(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let time = Stamp::read(cursor)?;
    if time.is_set() {
        time.print(p);
    } else {
        p.text("no timestamp");
    }
    Ok(())
}

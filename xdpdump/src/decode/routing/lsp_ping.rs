//! Ping of a label switched path (RFC 8029): the message, without its times and elements.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const PORT: u16 = 3503;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("lspping");
    cursor.need(32)?;
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
        1 => Some("MPLS Echo Request"),
        2 => Some("MPLS Echo Reply"),
        _ => None,
    };
    if !p.verbose() {
        match name {
            Some(name) => write!(p, "LSP-PINGv1, {name}"),
            None => write!(p, "LSP-PINGv1, unknown ({kind})"),
        }
        write!(p, ", seq {sequence}, length: {}", layer.len);
        return Ok(());
    }
    write!(p, "\n\tLSP-PINGv1, msg-type: {} ({kind})", name.unwrap_or("unknown"));
    write!(p, ", length: {}", layer.len);
    let name = match mode {
        1 => "Do not reply",
        2 => "Reply via an IPv4/IPv6 UDP packet",
        3 => "Reply via an IPv4/IPv6 UDP packet with Router Alert",
        4 => "Reply via application level control channel",
        _ => "unknown",
    };
    write!(p, "\n\t  reply-mode: {name} ({mode})");
    if let Some(name) = return_code(code) {
        write!(p, "\n\t  Return Code: {name} ({code})");
    } else {
        write!(p, "\n\t  Return Code: unknown ({code})");
    }
    write!(p, "\n\t  Return Subcode: ({subcode})");
    write!(p, "\n\t  Sender Handle: 0x{handle:08x}, Sequence: {sequence}");
    Ok(())
}

fn return_code(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "No return code or return code contained in the Error Code TLV",
        _ => return None,
    })
}

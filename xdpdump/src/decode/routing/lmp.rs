//! Link management protocol (RFC 4204): the message, without its objects.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const PORT: u16 = 701;

const FLAGS: [(u32, &str); 2] = [(0x01, "Control Channel Down"), (0x02, "LMP restart")];

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "Config",
        2 => "Config ACK",
        3 => "Config NACK",
        4 => "Hello",
        5 => "Begin Verify",
        6 => "Begin Verify ACK",
        7 => "Begin Verify NACK",
        8 => "End Verify",
        9 => "End Verify ACK",
        10 => "Test",
        11 => "Test Status Success",
        12 => "Test Status Failure",
        13 => "Test Status ACK",
        14 => "Link Summary",
        15 => "Link Summary ACK",
        16 => "Link Summary NACK",
        17 => "Channel Status",
        18 => "Channel Status ACK",
        19 => "Channel Status Request",
        20 => "Channel Status Response",
        50 => "Service Config",
        51 => "Service Config ACK",
        52 => "Service Config NACK",
        _ => return None,
    })
}

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("lmp");
    cursor.need(8)?;
    let version = cursor.u16()? >> 12;
    if version != 1 {
        write!(p, "LMP version {version} packet not supported");
        return Ok(());
    }
    let (flags, kind) = (cursor.u8()?, cursor.u8()?);
    let length = cursor.u16()?;
    if !p.verbose() {
        match name(kind) {
            Some(name) => write!(p, "LMPv1 {name} Message, length: {}", layer.len),
            None => write!(p, "LMPv1 unknown ({kind}) Message, length: {}", layer.len),
        }
        return Ok(());
    }
    p.text("\n\tLMPv1, msg-type: ");
    match name(kind) {
        Some(name) => p.text(name),
        None => write!(p, "unknown, type: {kind}"),
    }
    p.text(", Flags: [");
    p.flags(flags.into(), &FLAGS, ", ");
    write!(p, "], length: {length}");
    if length < 8 {
        p.text(" (too short)");
    }
    Ok(())
}

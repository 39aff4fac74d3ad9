//! Router renumbering (RFC 2894): the header, without the prefixes.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const RENUMBERING: u8 = 138;

const HEADER: usize = 16;
const FLAGS: [(u32, &str); 5] = [(0x80, "T"), (0x40, "R"), (0x20, "A"), (0x10, "S"), (0x08, "P")];

/// Prints a message; `layer` begins with its ICMPv6 header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text("router renumbering");
    if layer.cursor("icmp6").need(HEADER).is_err() {
        // The line goes on with the length.
        p.text(" [|icmp6]");
        return Ok(());
    }
    let code = layer.skip(1).cursor("icmp6").u8()?;
    match code {
        0 => p.text(", command"),
        1 => p.text(", result"),
        255 => p.text(", sequence number reset"),
        _ => write!(p, ", code-#{code}"),
    }
    let mut cursor = layer.skip(4).cursor("icmp6");
    write!(p, ", seq={}", cursor.u32()?);
    if p.verbose() {
        let (segment, flags, delay) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
        p.text("[");
        p.flags_or(u32::from(flags), &FLAGS, "", "");
        if flags & 0xf8 != 0 {
            p.text(",");
        }
        write!(p, "seg={segment},maxdelay={delay}");
        let reserved = cursor.u32()?;
        if reserved != 0 {
            write!(p, "rsvd=0x{reserved:x}");
        }
        p.text("]");
    }
    Ok(())
}

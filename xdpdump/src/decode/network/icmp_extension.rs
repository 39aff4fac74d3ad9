//! Extensions of ICMP errors (RFC 4884), which follow the quoted packet: labels (RFC 4950) and others.

use crate::decode::checksum::Checksum;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// The quoted packet is padded to 128 bytes if an extension follows.
const OFFSET: usize = 8 + 128;
const OBJECT: usize = 4;
const LABELS: u8 = 1;

/// Prints the extension of an error if it has one; `message` begins with the ICMP header.
pub(in crate::decode) fn print(p: &mut Printer<'_>, message: Layer<'_>) -> Printed {
    if message.len < OFFSET + OBJECT || message.bytes.len() <= OFFSET {
        return Ok(());
    }
    let layer = message.skip(OFFSET);
    let mut cursor = layer.cursor("icmp");
    let has_length = message.bytes.get(5).is_some_and(|len| *len != 0);
    let whole = layer.bytes.get(..layer.len);
    let valid = whole.is_some_and(|bytes| Checksum::default().add(bytes).finish() == 0);
    // Before the RFC, messages had extensions without a length of what comes before.
    if !has_length && !valid {
        return Ok(());
    }
    let version = cursor.u8()? >> 4;
    write!(p, "\n\tICMP Multi-Part extension v{version}");
    if version != 2 {
        p.text(" packet not supported");
        return Ok(());
    }
    cursor.skip(1)?;
    let correct = if valid { "correct" } else { "incorrect" };
    write!(p, ", checksum 0x{:04x} ({correct}), length {}", cursor.u16()?, layer.len);
    print_objects(p, layer.skip(4))
}

fn print_objects(p: &mut Printer<'_>, mut layer: Layer<'_>) -> Printed {
    while layer.len > OBJECT {
        let mut cursor = layer.cursor("icmp");
        let (len, class, kind) = (usize::from(cursor.u16()?), cursor.u8()?, cursor.u8()?);
        let name = match class {
            LABELS => "MPLS Stack Entry",
            2 => "Interface Identification",
            _ => "unknown",
        };
        write!(p, "\n\t  {name} Object ({class}), Class-Type: {kind}, length {len}");
        if len < OBJECT {
            break;
        }
        let data = layer.cut_to(len).skip(OBJECT);
        match (class, kind) {
            (LABELS, 1) => {
                let entry = data.cursor("icmp").u32()?;
                write!(p, "\n\t    label {}, tc {}", entry >> 12, entry >> 9 & 7);
                if entry & 0x100 != 0 {
                    p.text(", [S]");
                }
                write!(p, ", ttl {}", entry & 0xff);
            }
            _ if p.style.verbosity < 2 => p.hex("\n\t    ", data.bytes),
            _ => {}
        }
        layer = layer.skip(len);
    }
    Ok(())
}

//! Link-local signaling of OSPF version 2 (RFC 5613): data after the packet.

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;

/// The option that announces the data.
pub(super) const OPTION: u32 = 0x10;

const EXTENDED_OPTIONS: u16 = 1;
const AUTHENTICATION: u16 = 2;

const OPTIONS: [(u32, &str); 2] = [(0x1, "LSDB resync"), (0x2, "Restart")];

/// Prints the data; `None` if the packet ends before it.
pub(super) fn print(p: &mut Printer<'_>, bytes: Option<&[u8]>) -> Printed {
    let Some(bytes) = bytes else {
        p.text("\n\t[LLS truncated]");
        return Ok(());
    };
    let mut cursor = Cursor::new("ospf2", bytes);
    write!(p, "\n\t  LLS: checksum: 0x{:04x}", cursor.u16()?);
    write!(p, ", length: {}", cursor.u16()?);
    while !cursor.rest().is_empty() {
        let kind = cursor.u16()?;
        let name = match kind {
            EXTENDED_OPTIONS => "Extended Options",
            AUTHENTICATION => "MD5 Authentication",
            _ => "Unknown TLV",
        };
        write!(p, "\n\t    {name} ({kind})");
        let len = cursor.u16()?;
        write!(p, ", length: {len}");
        let used = match kind {
            EXTENDED_OPTIONS => {
                if len != 4 {
                    p.text(" [should be 4]");
                }
                let options = { cursor }.u32()?;
                write!(p, "\n\t      Options: 0x{options:08x} [");
                p.flags_or(options, &OPTIONS, ", ", "?");
                p.text("]");
                4
            }
            AUTHENTICATION => {
                if len != 20 {
                    p.text(" [should be 20]");
                }
                write!(p, "\n\t      Sequence number: 0x{:08x}", { cursor }.u32()?);
                20
            }
            _ => usize::from(len),
        };
        cursor.skip_to_end(used + usize::from(len.wrapping_neg() % 4))?;
    }
    Ok(())
}

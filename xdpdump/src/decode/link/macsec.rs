//! MACsec (IEEE 802.1AE): the security tag, and what follows it if it is not encrypted.

use crate::decode::cursor::{Layer, Truncated};
use crate::decode::link::ethernet::Addresses;
use crate::decode::printer::Printer;

const VERSION: u8 = 0x80;
const HAS_CHANNEL: u8 = 0x20;
const ENCRYPTED: u8 = 0x0c;
/// The flags by the letters that tcpdump prints.
const FLAGS: [(u32, &str); 5] = [(0x08, "E"), (0x04, "C"), (0x40, "S"), (0x10, "B"), (0x20, "I")];
/// Bytes of the integrity check value at the end of the frame.
const CHECK_LEN: usize = 16;

/// Prints the tag that `layer` begins with if it is asked for, or if the rest is encrypted. Returns the rest if it can be
/// decoded.
pub(in crate::decode) fn print<'a>(
    p: &mut Printer<'_>,
    addresses: Addresses<'_>,
    layer: Layer<'a>,
) -> Result<Option<Layer<'a>>, Truncated> {
    let mut cursor = layer.cursor("macsec");
    cursor.need(6)?;
    let (control, short_len) = (cursor.u8()?, cursor.u8()?);
    let number = cursor.u32()?;
    let channel = if control & HAS_CHANNEL == 0 { None } else { Some(cursor.u64()?) };
    if control & VERSION != 0 || short_len & 0xc0 != 0 {
        p.text(" (invalid)");
        return Ok(None);
    }
    let encrypted = control & ENCRYPTED != 0;
    if p.style.link_header || encrypted {
        if !p.style.link_header {
            write!(p, "{} > {} 802.1AE MACsec, ", addresses.src, addresses.dst);
        }
        write!(p, "an {}, pn {number}, flags ", control & 3);
        p.flags(u32::from(control), &FLAGS, "");
        if short_len != 0 {
            write!(p, ", sl {short_len}");
        }
        if let Some(channel) = channel {
            write!(p, ", sci {channel:016x}");
        }
        p.text(", ");
    }
    let rest = layer.skip(cursor.at());
    if encrypted {
        p.payload(rest);
        return Ok(None);
    }
    // Short frames have padding, so that the tag has the length.
    let captured = rest.bytes.len().checked_sub(CHECK_LEN).ok_or(cursor.truncated())?;
    let short_len = usize::from(short_len);
    if short_len > captured {
        return Err(cursor.truncated());
    }
    let len = if short_len == 0 { rest.len - CHECK_LEN } else { short_len };
    Ok(Some(Layer { len, ..rest.cut(captured) }))
}

//! Domain names with compression (RFC 1035 §4.1.4).

use super::cursor::{Cursor, Printed};
use super::text;

const POINTER: u8 = 0xc0;
/// No name is longer (RFC 1035 §3.1); hostile ones are cut there.
const MAX_NAME: usize = 255;

/// Passes over a name without following pointers.
pub(super) fn skip(cursor: &mut Cursor<'_>) -> Printed {
    loop {
        match cursor.u8()? {
            0 => return Ok(()),
            length if length & POINTER == POINTER => return cursor.skip(1),
            length => cursor.skip(usize::from(length & 0x3f))?,
        }
    }
}

/// Appends a name, each label followed by a dot, and passes over it. Pointers lead into `message` and only
/// backwards, so that they end.
pub(super) fn print(out: &mut Vec<u8>, message: &[u8], cursor: &mut Cursor<'_>) -> Printed {
    let start = out.len();
    let mut at = *cursor;
    let skipped = skip(cursor);
    let mut limit = at.at();
    if at.rest().first() == Some(&0) {
        out.push(b'.');
        return Ok(());
    }
    loop {
        match at.u8()? {
            0 => return skipped,
            length if length & POINTER == POINTER => {
                let target = usize::from(length & 0x3f) << 8 | usize::from(at.u8()?);
                if target >= limit {
                    out.extend_from_slice(b"<BAD PTR>");
                    return Err(at.truncated());
                }
                limit = target;
                at = Cursor::new("domain", message);
                at.skip(target)?;
            }
            length if length & POINTER != 0 => {
                out.extend_from_slice(b"<BAD LABEL>");
                return Err(at.truncated());
            }
            length => {
                if at.rest().is_empty() {
                    // tcpdump takes a lone length byte for the end of the name.
                    return cursor.skip_to_end(usize::MAX);
                }
                let captured = at.rest().len().min(usize::from(length));
                text::escaped(out, at.take(captured)?);
                at.need(usize::from(length) - captured)?;
                out.push(b'.');
            }
        }
        if out.len() - start > 4 * MAX_NAME {
            return skipped;
        }
    }
}

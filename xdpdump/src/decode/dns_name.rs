//! Domain names with compression (RFC 1035 §4.1.4).

use super::Printer;
use super::cursor::{Cursor, Printed};

const POINTER: u8 = 0xc0;
/// No name is longer (RFC 1035 §3.1); hostile ones are cut there.
const MAX_NAME: usize = 255;
/// A pointer stands in front of at least one label, of which a name has 127 at most.
const MAX_POINTERS: u8 = 127;

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

/// Appends a name, each label followed by a dot, and passes over it. Pointers lead into `message`, only backwards and not
/// often, so that they end soon.
pub(super) fn print(p: &mut Printer<'_>, message: &[u8], cursor: &mut Cursor<'_>) -> Printed {
    let mut at = *cursor;
    let skipped = skip(cursor);
    if p.is_full() {
        return skipped;
    }
    if at.rest().first() == Some(&0) {
        p.text(".");
        return Ok(());
    }
    let mut limit = at.at();
    let mut pointers = 0;
    let mut length_so_far = 0;
    while length_so_far <= MAX_NAME {
        match at.u8()? {
            0 => return skipped,
            length if length & POINTER == POINTER => {
                let target = usize::from(length & 0x3f) << 8 | usize::from(at.u8()?);
                pointers += 1;
                if target >= limit || pointers > MAX_POINTERS {
                    p.text("<BAD PTR>");
                    return Err(at.truncated());
                }
                limit = target;
                at = Cursor::new("domain", message);
                at.skip(target)?;
            }
            length if length & POINTER != 0 => {
                p.text("<BAD LABEL>");
                return Err(at.truncated());
            }
            length => {
                if at.rest().is_empty() {
                    // tcpdump takes a lone length byte for the end of the name.
                    return cursor.skip_to_end(usize::MAX);
                }
                let captured = at.rest().len().min(usize::from(length));
                p.escaped(at.take(captured)?);
                at.need(usize::from(length) - captured)?;
                p.text(".");
                length_so_far += 1 + usize::from(length);
            }
        }
    }
    skipped
}

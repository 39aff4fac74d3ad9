//! Domain names with compression (RFC 1035 §4.1.4).

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;

const POINTER: u8 = 0xc0;
/// Labels of other kinds (RFC 2671 §3), which nobody uses any more.
const EXTENDED: u8 = 0x40;
/// Longest valid name in bytes (RFC 1035 §3.1); longer, hostile names are cut.
const MAX_NAME: usize = 255;
/// Largest number of pointers to follow: in a valid name each pointer leads to at least one label, and a name has at most
/// 127 labels.
const MAX_POINTERS: u8 = 127;

/// Skips a name without following pointers.
pub(in crate::decode) fn skip(cursor: &mut Cursor<'_>) -> Printed {
    loop {
        match cursor.u8()? {
            0 => return Ok(()),
            length if length & POINTER == POINTER => return cursor.skip(1),
            length => cursor.skip(usize::from(length & 0x3f))?,
        }
    }
}

/// Appends a name, each label followed by a dot, and skips it. Pointers lead into `message`; only backward pointers are
/// followed, and only a limited number, so that hostile names end.
pub(in crate::decode) fn print(p: &mut Printer<'_>, message: &[u8], cursor: &mut Cursor<'_>) -> Printed {
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
            length if length & POINTER == EXTENDED => {
                write!(p, "<ELT {}>", length & 0x3f);
                return Err(at.truncated());
            }
            length if length & POINTER != 0 => {
                p.text("<BAD LABEL>");
                return Err(at.truncated());
            }
            length => {
                if at.rest().is_empty() {
                    // tcpdump treats a length byte without a label as the end of the name.
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

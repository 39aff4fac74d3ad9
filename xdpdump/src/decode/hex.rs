//! Hex dumps: for every 16 bytes a line with the offset and groups of two bytes.

use std::io::Write as _;

const LINE: usize = 16;
/// Width of 8 groups of four digits, the spaces between them, and two spaces before the ASCII.
const ASCII_COLUMN: usize = 41;

/// Appends `bytes` in hex, each line preceded by `indent` (a newline and what comes before the offset).
pub(crate) fn plain(out: &mut Vec<u8>, indent: &str, bytes: &[u8]) {
    lines(out, indent, bytes, false);
}

/// Appends `bytes` in hex and ASCII, with a dot for every byte that is not printable.
pub(crate) fn with_ascii(out: &mut Vec<u8>, indent: &str, bytes: &[u8]) {
    lines(out, indent, bytes, true);
}

fn lines(out: &mut Vec<u8>, indent: &str, bytes: &[u8], ascii: bool) {
    for (i, line) in bytes.chunks(LINE).enumerate() {
        // Appending to memory does not fail.
        let _ = write!(out, "{indent}0x{:04x}: ", i * LINE);
        let start = out.len();
        for group in line.chunks(2) {
            out.push(b' ');
            for byte in group {
                digits(out, *byte);
            }
        }
        if ascii {
            out.resize(start + ASCII_COLUMN, b' ');
            out.push(b' ');
            out.extend(line.iter().map(|byte| if byte.is_ascii_graphic() { *byte } else { b'.' }));
        }
    }
}

/// Appends the two hex digits of a byte.
pub(crate) fn digits(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

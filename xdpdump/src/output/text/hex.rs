//! The bytes of a frame, printed after its line for `-x`, `-X` and `-A`.

use crate::decode::hex;

/// How the bytes of a frame are shown, always including the link-level header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HexDump {
    /// Not at all.
    #[default]
    None,
    /// `-x`: in hex.
    Hex,
    /// `-X`: in hex and ASCII.
    HexAscii,
    /// `-A`: as text, with a dot for each byte that is not printable.
    Ascii,
}

/// Appends the frame, beginning with the newline that ends the packet's line.
pub(super) fn print(out: &mut Vec<u8>, dump: HexDump, frame: &[u8]) {
    match dump {
        HexDump::None => {}
        HexDump::Hex => hex::plain(out, "\n\t", frame),
        HexDump::HexAscii => hex::with_ascii(out, "\n\t", frame),
        HexDump::Ascii => ascii(out, frame),
    }
}

/// Line ends in the payload stay line ends: `-A` is for reading text protocols.
fn ascii(out: &mut Vec<u8>, frame: &[u8]) {
    out.push(b'\n');
    for (i, byte) in frame.iter().enumerate() {
        match byte {
            b'\r' if frame.get(i + 1) == Some(&b'\n') => {}
            b'\n' | b'\t' | b' ' => out.push(*byte),
            byte if byte.is_ascii_graphic() => out.push(*byte),
            _ => out.push(b'.'),
        }
    }
}

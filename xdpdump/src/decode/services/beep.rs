//! Blocks extensible exchange (RFC 3080).

use crate::decode::cursor::Layer;
use crate::decode::printer::Printer;

/// Names the kind of the frame with which a segment begins.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) {
    const KINDS: [(&[u8], &str); 5] = [
        (b"ERR ", " BEEP ERR"),
        (b"ANS", " BEEP ANS"),
        (b"NUL", " BEEP NUL"),
        (b"SEQ ", " BEEP SEQ"),
        (b"RPY ", " BEEP RPY"),
    ];
    let kind = KINDS.iter().find(|(begin, _)| layer.bytes.starts_with(begin));
    p.text(kind.map_or(" BEEP (payload or undecoded)", |(_, text)| text));
}

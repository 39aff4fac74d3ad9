//! Text found in packets, made safe for a terminal.

/// Appends text with control characters as `^X` and bytes above 127 as `M-`, as terminals name the keys.
pub(super) fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        escaped_byte(out, *byte);
    }
}

/// Appends one character in the form of [`escaped`].
pub(super) fn escaped_byte(out: &mut Vec<u8>, byte: u8) {
    if byte >= 0x80 {
        out.extend_from_slice(b"M-");
    }
    match byte & 0x7f {
        control @ (0..0x20 | 0x7f) => out.extend_from_slice(&[b'^', control ^ 0x40]),
        printable => out.push(printable),
    }
}

/// Appends a line of a text protocol in the form of [`escaped`], tabs as they are.
pub(super) fn line(out: &mut Vec<u8>, line: &[u8]) {
    for byte in line {
        if *byte == b'\t' { out.push(b'\t') } else { escaped_byte(out, *byte) }
    }
}

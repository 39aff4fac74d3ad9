//! Makes text from outside harmless for terminals and logs.
//!
//! Names of files and interfaces, strings in capture files and answers of the kernel can contain any character: line breaks
//! that forge another line, escape sequences, marks that reverse the text around them.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

/// `text` on one line: control, format and separator characters are escaped like `\n` or `\u{202e}`, bytes that are not
/// UTF-8 like `\xff`. Text that is already escaped stays unchanged.
pub fn printable(text: impl AsRef<OsStr>) -> String {
    let bytes = text.as_ref().as_bytes();
    let mut escaped = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || is_invisible(character) {
                escaped.extend(character.escape_default());
            } else {
                escaped.push(character);
            }
        }
        for byte in chunk.invalid() {
            escaped.push_str(&format!("\\x{byte:02x}"));
        }
    }
    escaped
}

/// Whether a character has no shape of its own, but may change how the text around it is shown: a format character (general
/// category Cf), a line or paragraph separator (Zl, Zp), or one of the block of tags, as of Unicode 16
/// (`DerivedGeneralCategory.txt`).
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_that_moves_no_cursor_and_reverses_nothing() {
        for (raw, escaped) in [
            ("eth0", "eth0"),
            ("Käse 中文 🦀", "Käse 中文 🦀"),
            ("a\nb\tc\u{1b}[2J\u{9b}", r"a\nb\tc\u{1b}[2J\u{9b}"),
            ("\u{202e}cap.exe\u{2066}\u{200f}\u{61c}", r"\u{202e}cap.exe\u{2066}\u{200f}\u{61c}"),
            ("line\u{2028}paragraph\u{2029}", r"line\u{2028}paragraph\u{2029}"),
            ("\u{feff}\u{ad}\u{e0041}", r"\u{feff}\u{ad}\u{e0041}"),
        ] {
            assert_eq!(printable(raw), escaped);
            assert_eq!(printable(escaped), escaped, "escaped twice");
        }
        assert_eq!(printable(OsStr::from_bytes(b"a\xff\xfeb")), r"a\xff\xfeb");
    }
}

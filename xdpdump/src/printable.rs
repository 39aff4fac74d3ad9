//! Makes text from outside harmless for terminals and logs.
//!
//! Names of files and interfaces, strings in capture files and answers of the kernel can contain any character: line breaks
//! that forge another line, escape sequences, marks that reverse the text around them.

use std::{ffi::OsStr, io::Write as _, os::unix::ffi::OsStrExt as _};

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

/// `text` as one word of a shell's command, on one line: quoted if it contains anything but letters, digits and the marks of
/// usual names. What [`printable`] escapes stands between `$'` and `'`, as bash and POSIX.1-2024 read it.
pub fn shell_word(text: impl AsRef<OsStr>) -> String {
    let text = text.as_ref();
    let is_usual = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./@:+,=".contains(byte);
    let bytes = text.as_bytes();
    if !bytes.is_empty() && bytes.iter().all(is_usual) {
        return text.to_string_lossy().into_owned();
    }
    if printable(text).as_bytes() == bytes {
        return format!("'{}'", text.to_string_lossy().replace('\'', r"'\''"));
    }
    let escape = |byte: &u8| match byte {
        b' '..=b'~' if !b"'\\".contains(byte) => char::from(*byte).to_string(),
        byte => format!("\\x{byte:02x}"),
    };
    format!("$'{}'", bytes.iter().map(escape).collect::<String>())
}

/// Appends `text` as a string of JSON (RFC 8259, 7). What [`printable`] escapes is escaped here too, so that it is as harmless,
/// and read back as it was.
pub fn json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
            _ if character.is_control() || is_invisible(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Appending to memory does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
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
    use std::process::Command;

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

    #[test]
    fn json_reads_back_what_was_escaped() {
        let raw = "a\"b\\c\n\0\u{7f}\u{9b}Käse 🦀\u{202e}\u{e0041}/";
        let mut text = Vec::new();
        json_string(&mut text, raw);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, r#""a\"b\\c\u000a\u0000\u007f\u009bKäse 🦀\u202e\udb40\udc41/""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), raw);
        assert_eq!(printable(&text), text);
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for (bytes, word) in [
            (&b"eth0.5"[..], "eth0.5"),
            (b"", "''"),
            (b"a;reboot", "'a;reboot'"),
            (b"it's", r"'it'\''s'"),
            ("Käse".as_bytes(), "'Käse'"),
            (b"a\n'\x1b\xff\\", r"$'a\x0a\x27\x1b\xff\x5c'"),
        ] {
            let quoted = shell_word(OsStr::from_bytes(bytes));
            assert_eq!(quoted, word);
            let echo = format!("printf %s {quoted}");
            if let Ok(bash) = Command::new("bash").env("LC_ALL", "C").args(["-c", &echo]).output() {
                assert_eq!(bash.stdout, bytes, "{quoted}");
            }
        }
    }
}

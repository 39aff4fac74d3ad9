//! Colours on a terminal: addresses, and resets of connections.

/// When text has colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless the environment variable `NO_COLOR` is set (<https://no-color.org>).
    Auto,
    /// Always.
    Always,
    /// Never.
    #[default]
    Never,
}

const ADDRESS: &[u8] = b"\x1b[36m";
const RESET: &[u8] = b"\x1b[1;31m";
const PLAIN: &[u8] = b"\x1b[0m";

/// Flags of TCP, one of which is a reset.
const FLAGS: &[u8] = b"FSRP.UEWe";

/// Appends text of a packet with colours.
pub(super) fn paint(text: &[u8], out: &mut Vec<u8>) {
    let mut words = text.split_inclusive(u8::is_ascii_whitespace).peekable();
    let mut before: &[u8] = b"";
    while let Some(word) = words.next() {
        let bare = word.trim_ascii_end();
        let is_source = words.peek().is_some_and(|next| next.trim_ascii_end() == b">");
        let len = if is_source || matches!(before, b">" | b"who-has" | b"tell") {
            bare.len() - bare.iter().rev().take_while(|byte| matches!(byte, b':' | b',')).count()
        } else {
            0
        };
        let is_reset = before == b"Flags" && is_reset(bare);
        let (color, len) = if is_reset { (RESET, bare.len()) } else { (ADDRESS, len) };
        let (painted, rest) = word.split_at(len);
        if !painted.is_empty() {
            out.extend_from_slice(color);
            out.extend_from_slice(painted);
            out.extend_from_slice(PLAIN);
        }
        out.extend_from_slice(rest);
        before = bare;
    }
}

/// Whether these are flags of TCP with a reset: `[R.],`.
fn is_reset(word: &[u8]) -> bool {
    let flags = word.strip_prefix(b"[").and_then(|word| word.split(|byte| *byte == b']').next());
    flags.is_some_and(|flags| flags.contains(&b'R') && flags.iter().all(|flag| FLAGS.contains(flag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is painted, in braces.
    fn painted(text: &str) -> String {
        let mut out = Vec::new();
        paint(text.as_bytes(), &mut out);
        let out = String::from_utf8(out).unwrap();
        out.replace("\x1b[36m", "{").replace("\x1b[1;31m", "{").replace("\x1b[0m", "}")
    }

    #[test]
    fn addresses_and_resets_are_painted() {
        assert_eq!(
            painted("IP 10.0.0.1.9 > 10.0.0.2.80: Flags [R.], seq 1, win 0, length 0"),
            "IP {10.0.0.1.9} > {10.0.0.2.80}: Flags {[R.],} seq 1, win 0, length 0"
        );
        assert_eq!(painted("IP6 ::1 > ff02::1: ICMP6"), "IP6 {::1} > {ff02::1}: ICMP6");
        assert_eq!(
            painted("ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 46"),
            "ARP, Request who-has {10.0.0.2} tell {10.0.0.1}, length 46"
        );
        let untouched = [
            "STP 802.1d, Flags [Root, none]",
            "Flags [S.], seq 1",
            "a > ",
            " > ",
            ">",
            "",
            "\n\t0x0000:  4500",
        ];
        for text in untouched {
            assert_eq!(painted(text).replace(['{', '}'], ""), text);
        }
        assert_eq!(painted("Flags [S.], seq 1"), "Flags [S.], seq 1");
        assert_eq!(painted("Flags [Root], 1"), "Flags [Root], 1");
    }
}

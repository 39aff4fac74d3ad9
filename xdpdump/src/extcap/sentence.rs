//! The lines by which an extcap program answers: a keyword, then `{key=value}` pairs (doc/man_pages/extcap.adoc, Wireshark 4.0).

use std::fmt::{self, Display, Write as _};

use crate::printable::printable;

/// One line of an answer. Nothing in its values can add a pair or a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence(String);

impl Sentence {
    /// A line with this keyword: `extcap`, `interface`, `control`, `dlt`, `arg` or `value`.
    pub fn new(keyword: &str) -> Self {
        Self(format!("{keyword} "))
    }

    /// The line with one more pair.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Display) -> Self {
        // Writing to a `String` does not fail.
        let _ = write!(self.0, "{{{key}={}}}", harmless(&value.to_string()));
        self
    }

    /// The line with the pair `{key=true}`, if the key holds: these are false where they are missing.
    #[must_use]
    pub fn with_flag(self, key: &str, holds: bool) -> Self {
        if holds { self.with(key, true) } else { self }
    }
}

impl Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value ends at the first `}`, and the protocol has no escape for it.
fn harmless(value: &str) -> String {
    printable(value).replace('{', "(").replace('}', ")")
}

/// The text of an answer.
pub fn text(sentences: impl IntoIterator<Item = Sentence>) -> String {
    let mut text = String::new();
    for sentence in sentences {
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "{sentence}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_in_its_pair() {
        let line = Sentence::new("interface")
            .with("value", "xdp:eth0")
            .with("display", "a}{value=xdp:lo}\ninterface {value=b\u{202e}")
            .with_flag("reload", true)
            .with_flag("required", false);
        assert_eq!(
            line.to_string(),
            r"interface {value=xdp:eth0}{display=a)(value=xdp:lo)\ninterface (value=b\u{202e}}{reload=true}"
                .replace(r"\u{202e}}", r"\u(202e)}")
        );
        assert_eq!(text([line.clone(), line.clone()]).lines().count(), 2);
    }
}

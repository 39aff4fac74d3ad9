//! What is wrong with a filter, and where.

use std::{fmt, ops::Range};

/// Bytes of the filter's text.
pub type Span = Range<usize>;

/// A filter that was refused: one sentence, and the place it is about.
///
/// Its text has three lines: the sentence, the line of the filter, and a mark below the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
    text: String,
    span: Span,
}

impl Error {
    /// The sentence, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The bytes of the filter that are wrong; empty where something is missing.
    pub fn span(&self) -> Span {
        self.span.clone()
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = &self.text[..self.span.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        // A tab is as wide in the line of the mark as above it, whatever its width is.
        let indent: String =
            before[line_start..].chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let marked = self.text[self.span.clone()].lines().next().unwrap_or_default().chars().count();
        write!(f, "wrong filter: {}\n  {line}\n  {indent}{}", self.message, "^".repeat(marked.max(1)))
    }
}

/// A complaint before it is joined with the text it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub message: String,
    pub span: Span,
}

impl Complaint {
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span }
    }

    pub fn about(self, text: &str) -> Error {
        Error { message: self.message, text: text.to_owned(), span: self.span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_marked_below_its_line() {
        let text = "tcp and\n\tport httpx or udp";
        let error = Complaint::new(14..19, "no service is called 'httpx'").about(text);
        assert_eq!(
            error.to_string(),
            "wrong filter: no service is called 'httpx'\n  \tport httpx or udp\n  \t     ^^^^^"
        );
    }

    #[test]
    fn what_is_missing_at_the_end_is_marked_behind_it() {
        let error = Complaint::new(4..4, "something is missing").about("port");
        assert!(error.to_string().ends_with("\n  port\n      ^"), "{error}");
    }
}

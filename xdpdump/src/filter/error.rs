//! Errors in a filter, and their places.

use std::{fmt, ops::Range};

use crate::printable::printable;

/// A range of bytes in the text of a filter.
pub type Span = Range<usize>;

/// Why a filter was refused: a sentence, and the place in the text that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
    text: String,
    span: Span,
}

impl Error {
    /// The sentence without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The wrong bytes of the filter; an empty range if something is missing there.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Two lines for a terminal: the line of the filter that contains the place, and a line that marks the place.
    pub fn marked(&self) -> [String; 2] {
        let before = &self.text[..self.span.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let marked = self.text[self.span.clone()].lines().next().unwrap_or_default();
        // Of a long line, only what is around the place.
        let (line, line_start) = around(line, self.span.start - line_start, line_start);
        let before = &self.text[..self.span.start];
        let mut marked = marked.chars();
        let marked: String = marked.by_ref().take(MAX_SHOWN / 2).collect();
        // A tab is shown as one column, and characters that would shift the mark are escaped.
        let shown = |text: &str| printable(text.replace('\t', " "));
        let width = |text: &str| shown(text).chars().count();
        let indent = " ".repeat(width(&before[line_start..]));
        [format!("  {}", shown(line)), format!("  {indent}{}", "^".repeat(width(&marked).max(1)))]
    }
}

/// Most characters of a line that are shown.
const MAX_SHOWN: usize = 120;

/// The part of a line that begins at `line_start` around byte `at` of it, and where this part begins.
fn around(line: &str, at: usize, line_start: usize) -> (&str, usize) {
    let back = line[..at].char_indices().rev().nth(MAX_SHOWN / 2).map_or(0, |(begin, _)| begin);
    let ahead = line[at..].char_indices().nth(MAX_SHOWN / 2).map_or(line.len(), |(end, _)| at + end);
    (&line[back..ahead], line_start + back)
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrong filter: {}", self.message)
    }
}

/// A complaint that does not contain the text it is about yet.
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
        assert_eq!(error.to_string(), "wrong filter: no service is called 'httpx'");
        assert_eq!(error.marked(), ["   port httpx or udp", "        ^^^^^"]);
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("{} nonsense {}", "tcp or ".repeat(10_000), "x".repeat(10_000));
        let place = text.find("nonsense").unwrap();
        let [line, mark] = Complaint::new(place..text.len(), "no such word").about(&text).marked();
        assert!(line.len() < 130 && mark.len() < 130, "{line}\n{mark}");
        assert_eq!(line.find("nonsense"), mark.find('^'));
    }

    #[test]
    fn what_moves_a_cursor_is_shown_and_marked_as_it_is_escaped() {
        let error = Complaint::new(1..6, "no such word").about("\u{1b}ab\u{1b}c or d");
        assert_eq!(error.marked()[1].find('^'), Some(2 + r"\u{1b}".len()));
        assert!(!error.marked()[0].contains('\u{1b}'));
    }

    #[test]
    fn what_is_missing_at_the_end_is_marked_behind_it() {
        let error = Complaint::new(4..4, "something is missing").about("port");
        assert_eq!(error.marked(), ["  port", "      ^"]);
    }
}

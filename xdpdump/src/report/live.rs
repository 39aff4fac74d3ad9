//! The line at the bottom of a terminal that says how things go, and is drawn again and again.
//!
//! It is made by hand because it shares the queue of messages, which never waits; libraries for it write to the terminal themselves,
//! and a terminal after Ctrl-S would hold them up.

use std::{env, os::fd::BorrowedFd};

use rustix::{
    process::getpgrp,
    termios::{isatty, tcgetpgrp, tcgetwinsize},
};

use crate::printable::printable;

/// Back to the beginning of the line, which is cleared (ECMA-48, CR and EL). If a terminal that was made narrower has wrapped the
/// line, its beginning stays above: not all terminals wrap, and with those that do not, messages would be cleared.
pub const CLEAR: &str = "\r\x1b[K";
/// Red, and the usual colour again (ECMA-48, SGR).
const RED: [&str; 2] = ["\x1b[31m", "\x1b[m"];
/// Columns of a terminal that does not say how many it has.
const USUAL_COLUMNS: usize = 80;

/// A part of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it says; everything that could mean something to a terminal is escaped when it is drawn.
    pub text: String,
    /// Whether it should catch the eye.
    pub is_alarming: bool,
}

impl Part {
    /// A part that says this.
    pub fn new(text: String) -> Self {
        Self { text, is_alarming: false }
    }
}

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    has_colour: bool,
}

impl Abilities {
    /// Those of what this descriptor refers to; `None` if no line can be drawn there.
    pub fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        let value = |name| env::var_os(name).filter(|value| !value.is_empty());
        let can_clear = value("TERM").is_some_and(|terminal| terminal != "dumb");
        // https://no-color.org
        (isatty(fd) && can_clear).then(|| Self { has_colour: value("NO_COLOR").is_none() })
    }
}

/// Whether a process in the background would draw over somebody else's line.
pub fn is_in_background(fd: BorrowedFd<'_>) -> bool {
    // An error means that it is not the terminal of this session, which therefore has no jobs there.
    tcgetpgrp(fd).is_ok_and(|foreground| foreground != getpgrp())
}

/// The columns that may be written. The last one stays empty: after it, terminals differ in what a line break does.
pub fn columns(fd: BorrowedFd<'_>) -> usize {
    let columns = tcgetwinsize(fd).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { USUAL_COLUMNS - 1 } else { columns - 1 }
}

/// The parts with commas between them, cut to a number of columns.
pub fn text(parts: &[Part], columns: usize, abilities: Abilities) -> String {
    let mut text = String::new();
    let mut room = columns;
    for (index, part) in parts.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let [before, after] = if part.is_alarming && abilities.has_colour { RED } else { [""; 2] };
        let words = printable(&part.text);
        // What has no room at all would leave a comma.
        if room <= comma.len() {
            break;
        }
        room -= comma.len();
        let fitting = fitting(&words, &mut room);
        text.extend([comma, before, fitting, after]);
        if fitting.len() < words.len() {
            break;
        }
    }
    text
}

/// As much of `words` as there is room for, which it takes.
fn fitting<'w>(words: &'w str, room: &mut usize) -> &'w str {
    for (index, character) in words.char_indices() {
        // No character takes more than two columns.
        let width = if character.is_ascii() { 1 } else { 2 };
        if let Some(rest) = room.checked_sub(width) {
            *room = rest;
        } else {
            *room = 0;
            return words.get(..index).unwrap_or_default();
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOUR: Abilities = Abilities { has_colour: true };
    const PLAIN: Abilities = Abilities { has_colour: false };

    fn parts() -> Vec<Part> {
        vec![
            Part::new("5 packets".to_owned()),
            Part { text: "1 lost".to_owned(), is_alarming: true },
            Part::new("wörld".to_owned()),
        ]
    }

    #[test]
    fn only_what_is_alarming_has_a_colour() {
        assert_eq!(text(&parts(), 80, PLAIN), "5 packets, 1 lost, wörld");
        assert_eq!(text(&parts(), 80, COLOUR), "5 packets, \x1b[31m1 lost\x1b[m, wörld");
    }

    #[test]
    fn a_line_is_cut_to_its_columns() {
        for (columns, cut) in [
            (0, ""),
            (4, "5 pa"),
            (9, "5 packets"),
            (11, "5 packets"),
            (12, "5 packets, 1"),
            (19, "5 packets, 1 lost"),
            // The `ö` may be two columns wide.
            (21, "5 packets, 1 lost, w"),
            (22, "5 packets, 1 lost, wö"),
            (25, "5 packets, 1 lost, wörld"),
        ] {
            assert_eq!(text(&parts(), columns, PLAIN), cut, "{columns}");
        }
        assert_eq!(text(&parts(), 13, COLOUR), "5 packets, \x1b[31m1 \x1b[m", "the colour ends all the same");
    }

    #[test]
    fn nothing_in_it_reaches_the_terminal_as_a_command() {
        let parts = [Part::new("\x1b]0;title\x07\n\u{202e}".to_owned())];
        assert_eq!(text(&parts, 80, COLOUR), r"\u{1b}]0;title\u{7}\n\u{202e}");
    }
}
